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
    private readonly List<HeldFrames> _held;

    private LogRecord(ExecutionLog log, string id, List<HeldFrames> held) => (_log, _encoder, _held) = (log, new FrameEncoder(id), held);

    /// <summary>Bytes of the frames it holds.</summary>
    public long FrameBytes => _held.Sum(frames => (long)frames.Length);

    /// <summary>Bytes that the lines in it take at most, each as a JSON string with a comma.</summary>
    public long LineBytesAtMost => _held.Sum(frames => frames.Length - (long)frames.Frames * (_encoder.SizeOfLog(0, 1) - "\"\",".Length));

    // Where memory begins; after the last event when it has none.
    private long FirstHeld => _held.Count == 0 ? _log.LastSequence + 1 : _held[0].First;

    /// <summary>What memory has.</summary>
    public static LogRecord InMemory(ExecutionLog log, string id) => new(log, id, log.HoldAll());

    /// <summary>As <see cref="InMemory"/>, with what readers do not see yet. For the log writer only.</summary>
    public static LogRecord Written(ExecutionLog log, string id) => new(log, id, log.HoldWritten());

    /// <summary>Loads from the store what is wanted beyond what memory has.</summary>
    /// <param name="lines">Which lines will be copied.</param>
    /// <param name="maxBytes">How many bytes of them.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    /// <exception cref="StoreException">The store cannot be read now. Nothing was loaded that the record does not have; it can be used as it is.</exception>
    public async ValueTask LoadAsync(RecordLines lines, int maxBytes, CancellationToken cancellationToken)
    {
        if (_log.Archive is { } archive && !lines.IsNone)
        {
            await (lines.From > 0
                ? LoadForwardAsync(archive, lines, maxBytes, cancellationToken)
                : LoadBackwardAsync(archive, maxBytes, cancellationToken));
        }
    }

    /// <summary>
    /// The newest lines whose escaped text takes at most <paramref name="maxBytes"/>, each as a JSON string, as further elements of the array
    /// that <paramref name="destination"/> ends in.
    /// </summary>
    /// <returns>The sequence of the oldest line given, and whether older lines exist that are not given.</returns>
    public (long From, bool Truncated) CopyNewestLines(int maxBytes, ArrayBufferWriter<byte> destination)
    {
        var from = _held.Count == 0 ? _log.LastSequence + 1 : _held[^1].Next;
        var truncated = FirstHeld > 1;
        if (FrameBytes <= maxBytes)
        {
            // A line is less than its frame: all of them fit.
            from = FirstHeld;
            maxBytes = 0;
        }

        for (var i = _held.Count - 1; i >= 0 && maxBytes > 0; i--)
        {
            from = OldestThatFits(_held[i], from, ref maxBytes);
        }

        foreach (var (index, frames) in _held.Index())
        {
            // A status of a long run looks at its newest segments only.
            var isOlder = index + 1 < _held.Count && _held[index + 1].First <= from;
            truncated |= isOlder || CopyLines(frames, from, destination);
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
        var first = Math.Max(from, FirstHeld);
        var next = first;
        var end = destination.WrittenCount + maxBytes;
        foreach (var (index, frames) in _held.Index())
        {
            if (index + 1 < _held.Count && _held[index + 1].First <= first)
            {
                continue;
            }

            if (frames.First > Math.Max(next, first))
            {
                // The store was asked for no more than a page; what memory has begins later.
                return (first, next);
            }

            foreach (var line in Lines(frames))
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

            next = Math.Max(next, frames.Next);
        }

        return (first, next);
    }

    /// <inheritdoc/>
    public void Dispose() => _held.ForEach(frames => frames.Segment.Release());

    private async ValueTask LoadBackwardAsync(LogArchive archive, int maxBytes, CancellationToken cancellationToken)
    {
        var bytes = _held.Sum(LineBytes);
        while (bytes <= maxBytes && FirstHeld > archive.FirstSequence
            && await archive.LoadBackwardAsync(FirstHeld, cancellationToken) is { } segment)
        {
            _held.Insert(0, HeldFrames.Of(segment));
            bytes += LineBytes(_held[0]);
        }
    }

    private async ValueTask LoadForwardAsync(LogArchive archive, RecordLines lines, int maxBytes, CancellationToken cancellationToken)
    {
        var inMemory = FirstHeld;
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

                var frames = HeldFrames.Of(segment);
                _held.Insert(at++, frames);
                next = frames.Next;
                (count, bytes) = (next - Math.Max(lines.From, frames.First) + count, bytes + frames.Length);
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

    private int LineBytes(HeldFrames frames)
    {
        var bytes = 0;
        foreach (var line in Lines(frames))
        {
            bytes += line.Text.Length + 3;
        }

        return bytes;
    }

    // Lines of a segment are seen oldest first, but the newest are wanted: add all up, then take off from the front.
    private long OldestThatFits(HeldFrames frames, long from, ref int maxBytes)
    {
        var total = LineBytes(frames);
        if (total <= maxBytes)
        {
            maxBytes -= total;
            return frames.Frames > 0 ? frames.First : from;
        }

        var oldest = frames.Next;
        foreach (var line in Lines(frames))
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

    private bool CopyLines(HeldFrames frames, long from, ArrayBufferWriter<byte> destination)
    {
        var leftOut = false;
        foreach (var line in Lines(frames))
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

    private LineEnumerator Lines(HeldFrames frames) => new(_encoder, frames.Segment.Bytes.AsSpan(0, frames.Length), frames.First);

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
