using System.Buffers;

namespace Harness.Executions;

/// <summary>
/// Lines that a document repeats as elements of an array, with the commas between them and before them: all lines of the log from a sequence on.
/// </summary>
/// <param name="From">Sequence of the first event looked at.</param>
/// <param name="At">Where they begin in the document.</param>
/// <param name="Length">Bytes they take there; 0: there are none.</param>
internal readonly record struct LineQuote(long From, int At, int Length);

/// <summary>What a stored result repeats, read from where it is stored: the lines themselves.</summary>
internal static class QuotedLines
{
    private const int ReadBytes = 256 * 1024;

    /// <summary>
    /// The lines that the last frame of a stretch repeats, as JSON strings with commas between them; empty when it repeats none. Those that
    /// retention took or that are damaged are left out.
    /// </summary>
    /// <exception cref="StoreException">The store cannot be read now.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(
        IExecutionStore store, long execution, StoredFrames stretch, PackedHeader header, CancellationToken cancellationToken)
    {
        if (header.Quote.Length == 0)
        {
            return default;
        }

        // When a store gives more than the quote has, it is left out as a whole, and no more is read.
        var lines = Begin(header.Quote);
        var next = header.Quote.From;
        while (next < stretch.Last && lines.WrittenCount <= header.Quote.Length
            && await store.ReadAsync(execution, next, ReadBytes, cancellationToken) is { Count: > 0 } stretches)
        {
            foreach (var quoted in stretches)
            {
                FramePacker.CopyLines(quoted, next, lines);
                next = quoted.Last + 1;
            }
        }

        return lines.WrittenMemory[1..];
    }

    /// <summary>As <see cref="ReadAsync"/>, of a stretch that is in memory and has the lines itself.</summary>
    public static ReadOnlySpan<byte> In(StoredFrames stretch, PackedHeader header)
    {
        if (header.Quote.Length == 0)
        {
            return default;
        }

        var lines = Begin(header.Quote);
        FramePacker.CopyLines(stretch, header, header.Quote.From, lines);
        return lines.WrittenSpan[1..];
    }

    // Further elements of an array, which has none yet.
    private static ArrayBufferWriter<byte> Begin(LineQuote quote)
    {
        var lines = new ArrayBufferWriter<byte>(quote.Length + 1);
        lines.Write("["u8);
        return lines;
    }
}
