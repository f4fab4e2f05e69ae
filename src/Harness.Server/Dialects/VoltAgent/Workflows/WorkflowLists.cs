using System.Globalization;
using Harness.Executions;
using Harness.Server.Transports;
using Harness.Server.Transports.Rest;
using Harness.Workflows;

namespace Harness.Server.Dialects.VoltAgent.Workflows;

/// <summary>Executions of workflows in pages, the newest first.</summary>
internal sealed class WorkflowLists(ExecutionRegistry executions, WorkflowKind kind)
{
    private const int MaxItems = 100;
    private const int DefaultItems = 20;

    /// <summary>
    /// <c>workflowId, status, userId, from, to, limit, offset</c>, without the steps. <c>success</c> is read as <c>completed</c>,
    /// <c>pending</c> as <c>running</c>.
    /// </summary>
    /// <exception cref="CommandException">One of them cannot be used.</exception>
    public async Task<IReadOnlyList<WorkflowRecord>> ListAsync(IQueryCollection query, string? workflowId, CancellationToken cancellationToken)
    {
        var limit = (int)(EventQuery.Whole(query, "limit", 1, MaxItems) ?? DefaultItems);
        var offset = (int)(EventQuery.Whole(query, "offset", 0, int.MaxValue) ?? 0);
        var status = Status(query["status"].ToString());
        var (from, to) = (Time(query, "from"), Time(query, "to"));
        var userId = query["userId"].ToString();
        workflowId ??= query["workflowId"].ToString() is { Length: > 0 } id ? id : null;
        var matching = (await FindAsync(workflowId, cancellationToken)).Where(execution =>
            (status is null || WireWords.Of(execution.State.Status) == status)
            && !(execution.State.StartedAt < from) && !(execution.State.StartedAt > to));
        var records = new List<WorkflowRecord>();
        foreach (var execution in userId.Length == 0 ? matching.Skip(offset).Take(limit) : matching)
        {
            var record = await WorkflowRecord.ReadAsync(execution, withSteps: false, cancellationToken);
            if (userId.Length == 0 || record.UserId == userId)
            {
                records.Add(record);
            }

            if (records.Count == offset + limit)
            {
                break;
            }
        }

        return userId.Length == 0 ? records : [.. records.Skip(offset)];
    }

    /// <summary>A page with the steps: <c>page</c> from 0, <c>limit</c>.</summary>
    /// <exception cref="CommandException">One of them cannot be used.</exception>
    public async Task<HistoryAnswer> HistoryAsync(string workflowId, IQueryCollection query, CancellationToken cancellationToken)
    {
        var limit = EventQuery.Whole(query, "limit", 1, MaxItems) ?? 10;
        var page = EventQuery.Whole(query, "page", 0, 1_000_000) ?? 0;
        var all = await FindAsync(workflowId, cancellationToken);
        var records = new List<WorkflowRecord>();
        foreach (var execution in all.Skip((int)Math.Min(int.MaxValue, page * limit)).Take((int)limit))
        {
            records.Add(await WorkflowRecord.ReadAsync(execution, withSteps: true, cancellationToken));
        }

        return new HistoryAnswer(records, new Pagination(page, limit, all.Count));
    }

    private async Task<IReadOnlyList<Execution>> FindAsync(string? workflowId, CancellationToken cancellationToken)
    {
        var (found, cursor) = (new List<Execution>(), (string?)null);
        do
        {
            var page = await executions.ListAsync(new ExecutionFilter { Kind = kind.Name }, cursor, CommandLimits.PageItems, cancellationToken);
            found.AddRange(page.Items.Where(execution => workflowId is null || execution.Request.Facts.GetValueOrDefault(WorkflowKind.Fact) == workflowId));
            cursor = page.Next;
        }
        while (cursor is not null);
        return found;
    }

    private static string? Status(string word) => word switch
    {
        "" => null,
        "success" => "completed",
        "pending" => "running",
        "running" or "suspended" or "completed" or "error" or "cancelled" => word,
        _ => throw CommandException.Field("status", "one of running, suspended, completed, error and cancelled"),
    };

    private static DateTimeOffset? Time(IQueryCollection query, string name) =>
        query[name].ToString() is not { Length: > 0 } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time
        : throw CommandException.Field(name, "a time such as 2026-11-21T17:00:00Z");
}
