using System.Runtime.CompilerServices;
using System.Text;

namespace Harness.Executions;

/// <summary>The events of an execution, read from a store without an engine.</summary>
public static class StoredEvents
{
    private const int ReadBytes = 256 * 1024;

    /// <summary>
    /// Every event that is kept, in order, as one JSON document each. What is gone or damaged is told by a <c>truncated</c> document. Each is
    /// valid until the next is asked for.
    /// </summary>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        IExecutionStore store, StoredExecution execution, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var next = 1L;
        while (next <= execution.LastSequence)
        {
            var stretches = await store.ReadAsync(execution.Number, next, ReadBytes, cancellationToken);
            foreach (var stretch in stretches.Where(stretch => FramePacker.TryReadHeader(stretch, out _)))
            {
                if (stretch.First > next)
                {
                    yield return Truncated(execution.Id, next, stretch.First - 1);
                }

                for (var frames = await UnpackAsync(store, execution, stretch, cancellationToken); !frames.IsEmpty;)
                {
                    var (start, length) = WebSocketFrame.Measure(frames.Span);
                    yield return frames.Slice(start, length);
                    frames = frames[(start + length)..];
                }

                next = stretch.Last + 1;
            }

            if (stretches.Count == 0)
            {
                yield return Truncated(execution.Id, next, execution.LastSequence);
                yield break;
            }

            if (stretches[^1].Last >= next)
            {
                // The last ones are damaged: the next read begins behind them.
                yield return Truncated(execution.Id, next, stretches[^1].Last);
                next = stretches[^1].Last + 1;
            }
        }
    }

    /// <summary>The <c>truncated</c> event for a range that is gone.</summary>
    internal static ReadOnlyMemory<byte> Truncated(string id, long from, long to) =>
        Encoding.UTF8.GetBytes($"{{\"type\":\"truncated\",\"id\":\"{id}\",\"from\":{from},\"to\":{to},\"reason\":\"retention\"}}");

    private static async ValueTask<ReadOnlyMemory<byte>> UnpackAsync(
        IExecutionStore store, StoredExecution execution, StoredFrames stretch, CancellationToken cancellationToken)
    {
        FramePacker.TryReadHeader(stretch, out var header);
        var quoted = await QuotedLines.ReadAsync(store, execution.Number, stretch, header, cancellationToken);
        var frames = new byte[header.FrameBytes];
        FramePacker.Unpack(execution.Id, stretch, frames, quoted.Span);
        return frames;
    }
}
