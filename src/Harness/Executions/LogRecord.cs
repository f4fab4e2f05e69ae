using System.Buffers;
using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <summary>
/// The record: the lines of a log as an array of JSON strings, copied from the frames. Holds the memory it reads; for one thread, disposed
/// when done.
/// </summary>
internal sealed class LogRecord : IDisposable
{
    private readonly ExecutionLog _log;
    private readonly FrameEncoder _encoder;
    private readonly List<LogSegment> _segments;

    private LogRecord(ExecutionLog log, string id, List<LogSegment> segments) =>
        (_log, _encoder, _segments) = (log, new FrameEncoder(id), segments);

    /// <summary>Bytes of the frames it holds.</summary>
    public long FrameBytes => _segments.Sum(segment => (long)segment.Committed.Length);

    /// <summary>Bytes that the lines in it take at most, each as a JSON string with a comma.</summary>
    public long LineBytesAtMost => _segments.Sum(segment =>
    {
        var (length, frames) = segment.Committed;
        return length - (long)frames * (_encoder.SizeOfLog(0, 1) - "\"\",".Length);
    });

    /// <summary>What memory has.</summary>
    public static LogRecord InMemory(ExecutionLog log, string id) => new(log, id, log.HoldAll());

    /// <summary>What memory has, and from the store what is wanted beyond that.</summary>
    /// <param name="log">The log.</param>
    /// <param name="id">The execution's id.</param>
    /// <param name="lines">Which lines will be copied.</param>
    /// <param name="maxBytes">How many bytes of them.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    /// <exception cref="StoreException">The store cannot be read now.</exception>
    public static async ValueTask<LogRecord> LoadAsync(
        ExecutionLog log, string id, RecordLines lines, int maxBytes, CancellationToken cancellationToken)
    {
        var record = InMemory(log, id);
        if (log.Archive is not { } archive || lines.IsNone)
        {
            return record;
        }

        try
        {
            await (lines.From > 0
                ? record.LoadForwardAsync(archive, lines, maxBytes, cancellationToken)
                : record.LoadBackwardAsync(archive, maxBytes, cancellationToken));
            return record;
        }
        catch
        {
            record.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The newest lines whose escaped text takes at most <paramref name="maxBytes"/>, each as a JSON string, as further elements of the array
    /// that <paramref name="destination"/> ends in.
    /// </summary>
    /// <returns>The sequence of the oldest line given, and whether older lines exist that are not given.</returns>
    public (long From, bool Truncated) CopyNewestLines(int maxBytes, ArrayBufferWriter<byte> destination)
    {
        var from = _log.LastSequence + 1;
        var truncated = _segments.Count == 0 ? _log.LastSequence > 0 : _segments[0].FirstSequence > 1;
        if (FrameBytes <= maxBytes)
        {
            // A line is less than its frame: all of them fit.
            from = _segments.Count == 0 ? from : _segments[0].FirstSequence;
            maxBytes = 0;
        }

        for (var i = _segments.Count - 1; i >= 0 && maxBytes > 0; i--)
        {
            from = OldestThatFits(_segments[i], from, ref maxBytes);
        }

        foreach (var (index, segment) in _segments.Index())
        {
            // A status of a long run looks at its newest segments only.
            var isOlder = index + 1 < _segments.Count && _segments[index + 1].FirstSequence <= from;
            truncated |= isOlder || CopyLines(segment, from, destination);
        }

        return (from, truncated);
    }

    /// <summary>
    /// Lines of the events from <paramref name="from"/> on, at most <paramref name="limit"/> of them and about <paramref name="maxBytes"/>
    /// bytes, at least one; else as <see cref="CopyNewestLines"/>.
    /// </summary>
    /// <returns>Where it began, which is later than asked for when that is gone, and the sequence to go on from.</returns>
    public (long First, long Next) CopyLines(long from, int limit, int maxBytes, ArrayBufferWriter<byte> destination)
    {
        var first = Math.Max(from, _segments.Count == 0 ? _log.LastSequence + 1 : _segments[0].FirstSequence);
        var next = first;
        var end = destination.WrittenCount + maxBytes;
        foreach (var (index, segment) in _segments.Index())
        {
            if (index + 1 < _segments.Count && _segments[index + 1].FirstSequence <= first)
            {
                continue;
            }

            if (segment.FirstSequence > Math.Max(next, first))
            {
                // The store was asked for no more than a page; what memory has begins later.
                return (first, next);
            }

            var (length, frames) = segment.Committed;
            foreach (var line in Lines(segment, length))
            {
                // What came from the store may reach into what memory has.
                if (line.Sequence < next)
                {
                    continue;
                }

                if (limit-- == 0 || (destination.WrittenCount + line.Text.Length + 3 > end && next > first))
                {
                    return (first, line.Sequence);
                }

                WriteLine(line.Text, destination);
                next = line.Sequence + 1;
            }

            next = Math.Max(next, segment.FirstSequence + frames);
        }

        return (first, next);
    }

    /// <inheritdoc/>
    public void Dispose() => _segments.ForEach(segment => segment.Release());

    private async ValueTask LoadBackwardAsync(LogArchive archive, int maxBytes, CancellationToken cancellationToken)
    {
        var bytes = _segments.Sum(LineBytes);
        var before = _segments.Count == 0 ? _log.LastSequence + 1 : _segments[0].FirstSequence;
        while (bytes <= maxBytes && before > archive.FirstSequence
            && await archive.LoadBackwardAsync(before, cancellationToken) is { } segment)
        {
            _segments.Insert(0, segment);
            bytes += LineBytes(segment);
            before = segment.FirstSequence;
        }
    }

    private async ValueTask LoadForwardAsync(LogArchive archive, RecordLines lines, int maxBytes, CancellationToken cancellationToken)
    {
        var inMemory = _segments.Count == 0 ? _log.LastSequence + 1 : _segments[0].FirstSequence;
        var next = Math.Max(lines.From, archive.FirstSequence);
        var (count, bytes, at) = (0L, 0, 0);
        archive.Attach();
        try
        {
            while (next < inMemory && count <= lines.Limit && bytes <= maxBytes
                && await archive.LoadOnceAsync(next, cancellationToken) is { } segment)
            {
                if (segment.FirstSequence >= inMemory)
                {
                    segment.Release();
                    return;
                }

                _segments.Insert(at++, segment);
                var (length, frames) = segment.Committed;
                next = segment.FirstSequence + frames;
                (count, bytes) = (next - Math.Max(lines.From, segment.FirstSequence) + count, bytes + length);
            }
        }
        finally
        {
            archive.Detach();
        }
    }

    /// <summary>The inside of a line's string, as a further element of the array that <paramref name="destination"/> ends in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WriteLine(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> destination)
    {
        ExecutionDocument.Separate(destination);
        var room = destination.GetSpan(line.Length + 2);
        room[0] = (byte)'"';
        line.CopyTo(room[1..]);
        room[line.Length + 1] = (byte)'"';
        destination.Advance(line.Length + 2);
    }

    private int LineBytes(LogSegment segment)
    {
        var bytes = 0;
        foreach (var line in Lines(segment, segment.Committed.Length))
        {
            bytes += line.Text.Length + 3;
        }

        return bytes;
    }

    // Lines of a segment are seen oldest first, but the newest are wanted: add all up, then take off from the front.
    private long OldestThatFits(LogSegment segment, long from, ref int maxBytes)
    {
        var (length, frames) = segment.Committed;
        var total = LineBytes(segment);
        if (total <= maxBytes)
        {
            maxBytes -= total;
            return frames > 0 ? segment.FirstSequence : from;
        }

        var oldest = segment.FirstSequence + frames;
        foreach (var line in Lines(segment, length))
        {
            if (total <= maxBytes)
            {
                oldest = line.Sequence;
                break;
            }

            total -= line.Text.Length + 3;
        }

        maxBytes = 0;
        return oldest;
    }

    private bool CopyLines(LogSegment segment, long from, ArrayBufferWriter<byte> destination)
    {
        var leftOut = false;
        foreach (var line in Lines(segment, segment.Committed.Length))
        {
            if (line.Sequence < from)
            {
                leftOut = true;
                continue;
            }

            WriteLine(line.Text, destination);
        }

        return leftOut;
    }

    private LineEnumerator Lines(LogSegment segment, int length) => new(_encoder, segment.Bytes.AsSpan(0, length), segment.FirstSequence);

    /// <summary>Finds the lines in frames: for <c>foreach</c>, without an object for each.</summary>
    private ref struct LineEnumerator(FrameEncoder encoder, ReadOnlySpan<byte> frames, long first)
    {
        private readonly FrameEncoder _encoder = encoder;
        private ReadOnlySpan<byte> _frames = frames;
        private long _sequence = first - 1;

        public FoundLine Current { get; private set; }

        public readonly LineEnumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            while (!_frames.IsEmpty)
            {
                var (start, size) = WebSocketFrame.Measure(_frames);
                var json = _frames.Slice(start, size);
                _frames = _frames[(start + size)..];
                _sequence++;
                if (_encoder.TryGetLine(json, _sequence, out var inside, out var length))
                {
                    Current = new FoundLine(json.Slice(inside, length), _sequence);
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The inside of a line's string, and its sequence.</summary>
    private readonly ref struct FoundLine(ReadOnlySpan<byte> text, long sequence)
    {
        public ReadOnlySpan<byte> Text { get; } = text;

        public long Sequence { get; } = sequence;
    }
}
