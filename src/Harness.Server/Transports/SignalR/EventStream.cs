using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Harness.Executions;

namespace Harness.Server.Transports.SignalR;

/// <summary>
/// A log as a stream of batches: what is there at once, then live. While a batch is being written the next events gather in the log, so
/// batches grow with the load and nothing waits for a batch to fill.
/// </summary>
internal sealed class EventStream : ILogWatcher
{
    // A bell, not a queue: one slot, and ringing it twice is ringing it once.
    private readonly Channel<bool> _bell = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>Every event from a sequence on, until the <c>result</c>; what is gone is told by a <c>truncated</c> event.</summary>
    public async IAsyncEnumerable<EventBatch> ReadAsync(
        ExecutionLog log, long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var cursor = log.OpenCursor(from, this);
        while (true)
        {
            while (cursor.TryTake(out var range))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (range.IsTruncated)
                {
                    yield return EventBatch.Of(log.DescribeTruncation(range).Span);
                }

                for (var frames = range.Frames; !frames.IsEmpty;)
                {
                    yield return EventBatch.TakeFrom(ref frames);
                }
            }

            if (cursor.IsAtEnd)
            {
                yield break;
            }

            if (cursor.TryPark())
            {
                await _bell.Reader.ReadAsync(cancellationToken);
            }
        }
    }

    void ILogWatcher.OnAppended() => _bell.Writer.TryWrite(true);
}
