using System.Text.Json;
using Harness.Executions;

namespace Harness.Server.Dialects.VoltAgent.Workflows;

/// <summary>Waits for an execution to stand or to end, by the same log that everybody else watches.</summary>
internal static class WorkflowOutcome
{
    /// <summary>Waits, and says how far it has come. A suspension counts when it has run since <paramref name="from"/>.</summary>
    /// <param name="execution">Whose.</param>
    /// <param name="from">Sequence of the first event to look at.</param>
    /// <param name="cancellationToken">Nobody waits any more; the execution goes on.</param>
    public static async Task<WorkflowAnswer> WaitAsync(Execution execution, long from, CancellationToken cancellationToken)
    {
        var hasRun = false;
        await foreach (var json in execution.Log.ReadEventsAsync(from, cancellationToken))
        {
            var isResult = json.Span.StartsWith("{\"type\":\"result\""u8);
            if (!isResult && !json.Span.StartsWith("{\"type\":\"status\""u8))
            {
                continue;
            }

            var data = JsonElement.Parse(json.Span, JsonDepth.Kept).GetProperty("data");
            var isSuspended = data.TryGetProperty("suspension", out _);
            if (isResult || (isSuspended && hasRun))
            {
                return From(execution, data);
            }

            hasRun |= !isSuspended;
        }

        throw new StoreException("The end of the execution is not in the log");
    }

    private static WorkflowAnswer From(Execution execution, JsonElement data)
    {
        var status = ExecutionStatusWords.Parse(data.GetProperty("status").GetString()!)!.Value;
        return new WorkflowAnswer(
            execution.Id,
            WireWords.Of(execution.State.StartedAt),
            data.TryGetProperty("completed_at", out var end) ? WireWords.Of(end.GetDateTimeOffset()) : null,
            WireWords.Of(status),
            data.TryGetProperty("output", out var output) ? output : null)
        {
            Suspension = data.TryGetProperty("suspension", out var suspension) ? WireSuspension.From(suspension) : null,
            Error = data.TryGetProperty("error", out var error) ? error.GetString() : null,
        };
    }
}
