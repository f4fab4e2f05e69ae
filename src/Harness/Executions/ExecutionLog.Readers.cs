using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;

namespace Harness.Executions;

/// <content>The segments, and those who read them.</content>
public sealed partial class ExecutionLog
{
    // A log gives no more than this back when all logs together are over their limit.
    private const int SmallestWindow = 2 * SegmentPool.LargestSegment;

    private readonly Lock _readers = new();
    private readonly List<(LogSegment Segment, int From)> _uncommitted = [];
    private LogSegment? _head;
    private LogSegment _published;
    private LogSegment _tail;
    private int _uncommittedBytes;
    private int _windowBytes;
    private long _sequence;
    private long _lastSequence;
    private volatile bool _isSealed;
    private LogCursor[] _cursors = [];
    private (int Count, TaskCompletionSource Reached)? _awaitedReaders;

    /// <summary>Sequence of the newest event readers can see.</summary>
    public long LastSequence => Volatile.Read(ref _lastSequence);

    /// <summary>Sequence of the oldest event still kept; one past <see cref="LastSequence"/> when all are gone.</summary>
    public long FirstSequence
    {
        get
        {
            lock (_readers)
            {
                return _head?.FirstSequence ?? LastSequence + 1;
            }
        }
    }

    /// <summary>True when the last event is there: nothing will be appended any more.</summary>
    public bool IsSealed
    {
        get => _isSealed;
        private set => _isSealed = value;
    }

    /// <summary>Readers at this moment.</summary>
    public int ReaderCount => Volatile.Read(ref _cursors).Length;

    /// <summary>A new reader at <paramref name="from"/>; 1 or less: everything that is kept.</summary>
    /// <param name="from">First sequence wanted; one that has not come yet is waited for.</param>
    /// <param name="watcher">Told after a successful <see cref="LogCursor.TryPark"/>.</param>
    public LogCursor OpenCursor(long from, ILogWatcher watcher)
    {
        lock (_readers)
        {
            var segment = _head;
            while (segment?.Next is { } next && next.FirstSequence <= from)
            {
                segment = next;
            }

            // Under this lock the log's own hold is on all of its segments.
            Debug.Assert(segment is null || segment.FirstSequence > 0);
            segment?.TryHold();
            var cursor = new LogCursor(this, watcher, Math.Max(1, from), segment);
            Volatile.Write(ref _cursors, [.. _cursors, cursor]);
            if (_awaitedReaders is { } awaited && _cursors.Length >= awaited.Count)
            {
                awaited.Reached.TrySetResult();
            }

            return cursor;
        }
    }

    /// <summary>Waits until so many readers are there at once. For one caller at a time.</summary>
    public async Task WaitForReadersAsync(int count, CancellationToken cancellationToken)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_readers)
        {
            if (_cursors.Length >= count)
            {
                return;
            }

            _awaitedReaders = (count, reached);
        }

        await reached.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Every event from <paramref name="from"/> on as one JSON document each: what is there, then live, until the <c>result</c>. Events
    /// that are gone are told by one <c>truncated</c> document. Each document is valid until the next is asked for.
    /// </summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadEventsAsync(
        long from = 1, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var bell = new Bell();
        using var cursor = OpenCursor(from, bell);
        while (true)
        {
            while (cursor.TryTake(out var range))
            {
                if (range.IsTruncated)
                {
                    yield return DescribeTruncation(range);
                }

                var frames = range.Frames;
                while (!frames.IsEmpty)
                {
                    var (start, length) = WebSocketFrame.Measure(frames.Span);
                    yield return frames.Slice(start, length);
                    frames = frames[(start + length)..];
                }
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

    /// <summary>The <c>truncated</c> event for a range that is gone.</summary>
    public ReadOnlyMemory<byte> DescribeTruncation(LogRange range) => Encoding.UTF8.GetBytes(
        $"{{\"type\":\"truncated\",\"id\":\"{_id}\",\"from\":{range.First},\"to\":{range.Last},\"reason\":\"retention\"}}");

    /// <summary>Gives the memory back. Readers that have not come to the end are told what they miss.</summary>
    internal void Release()
    {
        LogSegment? segment;
        lock (_readers)
        {
            segment = _head;
            _head = null;
        }

        while (segment is not null)
        {
            var next = segment.Next;
            segment.Release();
            segment = next;
        }

        Ring();
    }

    internal LogSegment? HoldFirst()
    {
        lock (_readers)
        {
            _head?.TryHold();
            return _head;
        }
    }

    internal void Close(LogCursor cursor)
    {
        lock (_readers)
        {
            Volatile.Write(ref _cursors, [.. _cursors.Where(other => !ReferenceEquals(other, cursor))]);
        }
    }

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

            foreach (var segment in segments)
            {
                truncated |= CopyLines(segment, from, destination);
            }

            return (from, truncated);
        }
        finally
        {
            segments.ForEach(segment => segment.Release());
        }
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

            ExecutionDocument.Separate(destination);
            destination.Write("\""u8);
            destination.Write(line.Span);
            destination.Write("\""u8);
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

    private LogSegment RentSegment(int capacity)
    {
        _windowBytes += capacity;
        return _pool.Rent(capacity, _sequence + 1);
    }

    // Room for one frame in the tail, counted as written. Frames never straddle segments, so a range is whole frames.
    private Span<byte> Reserve(int size)
    {
        if (_tail.Capacity - _tail.Written < size)
        {
            var capacity = Math.Min(2 * _tail.Capacity, SegmentPool.LargestSegment);
            _tail = RentSegment(Math.Max(capacity, size));
        }

        if (_uncommitted.Count == 0 || !ReferenceEquals(_uncommitted[^1].Segment, _tail))
        {
            _uncommitted.Add((_tail, _tail.Written));
        }

        _uncommittedBytes += size;
        _sequence++;
        return _tail.Reserve(size);
    }

    private async ValueTask CommitAsync(bool isLast)
    {
        if (_uncommitted.Count == 0)
        {
            return;
        }

        if (_store is not MemoryOnlyLogStore)
        {
            await _store.AppendAsync(_id, _lastSequence + 1, _sequence, UncommittedFrames(), CancellationToken.None);
        }

        foreach (var (segment, _) in _uncommitted)
        {
            segment.Commit();
            if (!ReferenceEquals(segment, _published))
            {
                _published.Link(segment);
                _published = segment;
            }
        }

        _uncommitted.Clear();
        _uncommittedBytes = 0;
        Volatile.Write(ref _lastSequence, _sequence);
        if (isLast)
        {
            IsSealed = true;
        }

        Trim();
        Ring();
    }

    private List<ReadOnlyMemory<byte>> UncommittedFrames() =>
        [.. _uncommitted.Select(part => (ReadOnlyMemory<byte>)part.Segment.Bytes.AsMemory(part.From, part.Segment.Written - part.From))];

    private void Trim()
    {
        while (!ReferenceEquals(_head, _published)
            && (_windowBytes > _limits.WindowBytes || (_windowBytes > SmallestWindow && _pool.IsOverLimit)))
        {
            LogSegment oldest;
            lock (_readers)
            {
                if (_head is null)
                {
                    return;
                }

                oldest = _head;
                _head = oldest.Next;
            }

            _windowBytes -= oldest.Capacity;
            oldest.Release();
        }
    }

    private void Ring()
    {
        // What was published must be visible before a cursor is found not parked: TryPark has the other half of this fence.
        Interlocked.MemoryBarrier();
        foreach (var cursor in Volatile.Read(ref _cursors))
        {
            cursor.Ring();
        }
    }

    /// <summary>A bell, not a queue: one slot, and ringing it twice is ringing it once.</summary>
    private sealed class Bell : ILogWatcher
    {
        private readonly Channel<bool> _slot = Channel.CreateBounded<bool>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

        public void OnAppended() => _slot.Writer.TryWrite(true);

        public async ValueTask WaitAsync(CancellationToken cancellationToken) => await _slot.Reader.ReadAsync(cancellationToken);
    }
}
