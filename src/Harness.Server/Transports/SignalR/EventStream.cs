using System.Runtime.CompilerServices;
using Harness.Executions;

namespace Harness.Server.Transports.SignalR;

/// <summary>
/// A log as a stream of batches: what is there at once, then live. While a batch is being written the next events gather in the log, so
/// batches grow with the load and nothing waits for a batch to fill.
/// </summary>
internal static class EventStream
{
    /// <summary>Every event from a sequence on, until the <c>result</c>; what is gone is told by a <c>truncated</c> event.</summary>
    public static async IAsyncEnumerable<EventBatch> ReadAsync(
        ExecutionLog log, long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var bell = new LogBell();
        using var cursor = log.OpenCursor(from, bell);
        while (true)
        {
            while (cursor.TryTake(out var range))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (range.IsTruncated)
                {
                    yield return EventBatch.Of(log.DescribeTruncation(range).Span);
                }

                if (range.Frames.IsEmpty)
                {
                    continue;
                }

                var batch = new EventBatch(range.Frames, range.First, cursor);
                do
                {
                    await cursor.WaitForTurnAsync(batch.Remaining);
                    yield return batch;
                }
                while (batch.MoveNext());
            }

            if (cursor.IsAtEnd)
            {
                yield break;
            }

            if (cursor.TryPark())
            {
                await bell.WaitAsync(cancellationToken);
            }
        }
    }
}
