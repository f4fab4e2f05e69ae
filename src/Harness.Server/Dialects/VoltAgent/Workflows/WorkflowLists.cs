using System.Globalization;
using System.Runtime.CompilerServices;
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
        var matching = FindAsync(workflowId, cancellationToken).Where(execution =>
            (status is null || WireWords.Of(execution.State.Status) == status)
            && !(execution.State.StartedAt < from) && !(execution.State.StartedAt > to));

        // Whose it is stands in the log: without that question those that are skipped need not be read.
        var records = (userId.Length == 0 ? matching.Skip(offset).Take(limit) : matching)
            .Select(async (execution, stop) => await WorkflowRecord.ReadListedAsync(execution, withSteps: false, stop));
        return await (userId.Length == 0 ? records : records.Where(record => record.UserId == userId).Skip(offset).Take(limit))
            .ToListAsync(cancellationToken);
    }

    /// <summary>A page with the steps: <c>page</c> from 0, <c>limit</c>.</summary>
    /// <exception cref="CommandException">One of them cannot be used.</exception>
    public async Task<HistoryAnswer> HistoryAsync(string workflowId, IQueryCollection query, CancellationToken cancellationToken)
    {
        var limit = EventQuery.Whole(query, "limit", 1, MaxItems) ?? 10;
        var page = EventQuery.Whole(query, "page", 0, 1_000_000) ?? 0;
        var (records, total) = (new List<WorkflowRecord>(), 0);
        await foreach (var execution in FindAsync(workflowId, cancellationToken))
        {
            if (total >= page * limit && records.Count < limit)
            {
                records.Add(await WorkflowRecord.ReadListedAsync(execution, withSteps: true, cancellationToken));
            }

            total++;
        }

        return new HistoryAnswer(records, new Pagination(page, limit, total));
    }

    // From the store as far as the caller reads on. What a workflow gave is in its log: the details of its result are not needed.
    private async IAsyncEnumerable<Execution> FindAsync(string? workflowId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var filter = new ExecutionFilter { Kind = kind.Name, WithoutDetails = true };
        var cursor = (string?)null;
        do
        {
            var page = await executions.ListAsync(filter, cursor, MaxItems, cancellationToken);
            foreach (var execution in page.Items)
            {
                if (workflowId is null || execution.Request.Facts.GetValueOrDefault(WorkflowKind.Fact) == workflowId)
                {
                    yield return execution;
                }
            }

            cursor = page.Next;
        }
        while (cursor is not null);
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
