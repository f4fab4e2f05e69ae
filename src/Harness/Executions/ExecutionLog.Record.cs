using System.Buffers;

namespace Harness.Executions;

/// <content>The record: the lines of the log as an array of JSON strings, copied from the frames.</content>
public sealed partial class ExecutionLog
{
    /// <summary>
    /// The newest lines whose escaped text takes at most <paramref name="maxBytes"/>, each as a JSON string, as further elements of the array
    /// that <paramref name="destination"/> ends in.
    /// </summary>
    /// <returns>The sequence of the oldest line given, and whether older lines exist that are not given.</returns>
    internal (long From, bool Truncated) CopyNewestLines(int maxBytes, ArrayBufferWriter<byte> destination)
    {
        var segments = HoldAll();
        try
        {
            var from = long.MaxValue;
            var truncated = segments.Count == 0 ? LastSequence > 0 : segments[0].FirstSequence > 1;
            for (var i = segments.Count - 1; i >= 0 && maxBytes > 0; i--)
            {
                from = OldestThatFits(segments[i], from, ref maxBytes);
            }

            foreach (var (index, segment) in segments.Index())
            {
                // A status of a long run looks at its newest segments only.
                var isOlder = index + 1 < segments.Count && segments[index + 1].FirstSequence <= from;
                truncated |= isOlder || CopyLines(segment, from, destination);
            }

            return (from, truncated);
        }
        finally
        {
            segments.ForEach(segment => segment.Release());
        }
    }

    /// <summary>
    /// Lines of the events from <paramref name="from"/> on, at most <paramref name="limit"/> of them and about <paramref name="maxBytes"/>
    /// bytes, at least one; else as <see cref="CopyNewestLines"/>.
    /// </summary>
    /// <returns>Where it began, which is later than asked for when that is gone, and the sequence to go on from.</returns>
    internal (long First, long Next) CopyLines(long from, int limit, int maxBytes, ArrayBufferWriter<byte> destination)
    {
        var segments = HoldAll();
        try
        {
            var first = Math.Max(from, segments.Count == 0 ? LastSequence + 1 : segments[0].FirstSequence);
            var next = first;
            var end = destination.WrittenCount + maxBytes;
            foreach (var (index, segment) in segments.Index())
            {
                if (index + 1 < segments.Count && segments[index + 1].FirstSequence <= first)
                {
                    continue;
                }

                var (length, frames) = segment.Committed;
                foreach (var (line, sequence) in Lines(segment, length))
                {
                    if (sequence < first)
                    {
                        continue;
                    }

                    if (limit-- == 0 || destination.WrittenCount + line.Length + 3 > end && next > first)
                    {
                        return (first, sequence);
                    }

                    WriteLine(line, destination);
                    next = sequence + 1;
                }

                next = Math.Max(next, segment.FirstSequence + frames);
            }

            return (first, next);
        }
        finally
        {
            segments.ForEach(segment => segment.Release());
        }
    }

    private static void WriteLine(ReadOnlyMemory<byte> line, ArrayBufferWriter<byte> destination)
    {
        ExecutionDocument.Separate(destination);
        destination.Write("\""u8);
        destination.Write(line.Span);
        destination.Write("\""u8);
    }

    private List<LogSegment> HoldAll()
    {
        var segments = new List<LogSegment>();
        lock (_readers)
        {
            for (var segment = _head; segment is not null; segment = segment.Next)
            {
                if (segment.TryHold())
                {
                    segments.Add(segment);
                }
            }
        }

        return segments;
    }

    // Lines of a segment are seen oldest first, but the newest are wanted: add all up, then take off from the front.
    private long OldestThatFits(LogSegment segment, long from, ref int maxBytes)
    {
        var (length, frames) = segment.Committed;
        var total = 0;
        foreach (var (line, _) in Lines(segment, length))
        {
            total += line.Length + 3;
        }

        if (total <= maxBytes)
        {
            maxBytes -= total;
            return frames > 0 ? segment.FirstSequence : from;
        }

        var oldest = segment.FirstSequence + frames;
        foreach (var (line, sequence) in Lines(segment, length))
        {
            if (total <= maxBytes)
            {
                oldest = sequence;
                break;
            }

            total -= line.Length + 3;
        }

        maxBytes = 0;
        return oldest;
    }

    private bool CopyLines(LogSegment segment, long from, ArrayBufferWriter<byte> destination)
    {
        var leftOut = false;
        foreach (var (line, sequence) in Lines(segment, segment.Committed.Length))
        {
            if (sequence < from)
            {
                leftOut = true;
                continue;
            }

            WriteLine(line, destination);
        }

        return leftOut;
    }

    private IEnumerable<(ReadOnlyMemory<byte> Line, long Sequence)> Lines(LogSegment segment, int length)
    {
        var sequence = segment.FirstSequence;
        for (var offset = 0; offset < length; sequence++)
        {
            var (start, size) = WebSocketFrame.Measure(segment.Bytes.AsSpan(offset));
            if (_encoder.TryGetLine(segment.Bytes.AsSpan(offset + start, size), sequence, out var inside, out var lineLength))
            {
                yield return (segment.Bytes.AsMemory(offset + start + inside, lineLength), sequence);
            }

            offset += start + size;
        }
    }
}
