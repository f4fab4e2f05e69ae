using System.Runtime.CompilerServices;
using Harness.Executions;
using Microsoft.AspNetCore.SignalR;

namespace Harness.Server.Transports.SignalR;

/// <summary>
/// A log as a stream from a sequence on: what is there at once, then live, until the <c>result</c>; what is gone is told by a <c>truncated</c>
/// event. One whose execution outlives this process ends with a <see cref="HubException"/> when the server stops.
/// </summary>
internal static class EventStream
{
    /// <summary>
    /// Every event, in batches. While a batch is being written the next events gather in the log, so batches grow with the load and nothing
    /// waits for a batch to fill.
    /// </summary>
    public static async IAsyncEnumerable<EventBatch> ReadBatchesAsync(
        ExecutionLog log, long from, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var bell = new LogBell();
        using var cursor = log.OpenCursor(from, bell);
        await foreach (var range in TakeAsync(cursor, bell, stopping, cancellationToken))
        {
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
    }

    /// <summary>Every event, one at a time.</summary>
    public static async IAsyncEnumerable<RawJson> ReadEventsAsync(
        ExecutionLog log, long from, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var bell = new LogBell();
        using var cursor = log.OpenCursor(from, bell);
        await foreach (var range in TakeAsync(cursor, bell, stopping, cancellationToken))
        {
            if (range.IsTruncated)
            {
                yield return new RawJson(log.DescribeTruncation(range));
            }

            var frames = range.Frames;
            while (!frames.IsEmpty)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (start, length) = WebSocketFrame.Measure(frames.Span);
                yield return new RawJson(frames.Slice(start, length));
                frames = frames[(start + length)..];
            }
        }
    }

    // A range is valid until the next is asked for.
    private static async IAsyncEnumerable<LogRange> TakeAsync(
        LogCursor cursor, LogBell bell, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var wake = stopping.UnsafeRegister(static bell => ((LogBell)bell!).OnAppended(), bell);
        while (true)
        {
            while (cursor.TryTake(out var range))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return range;
            }

            if (cursor.IsAtEnd)
            {
                yield break;
            }

            if (stopping.IsCancellationRequested && cursor.IsUpToDate)
            {
                throw new HubException("The server is stopping before this execution ends; go on after your last seq when it is back");
            }

            if (cursor.TryPark())
            {
                await bell.WaitAsync(cancellationToken);
            }
        }
    }
}
