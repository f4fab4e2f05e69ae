using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <content>The segments, and those who read them.</content>
public sealed partial class ExecutionLog
{
    // A log gives no more than this back when all logs together are over their limit.
    private const int SmallestWindow = 2 * SegmentPool.LargestSegment;

    private readonly Lock _readers = new();

    // Null when memory has nothing of the log (it was given up, or the log was read back from the store), or has it packed.
    private LogSegment? _head;

    // Only the log writer uses these; a log that is over has none.
    private List<LogPart> _uncommitted = [];
    private StretchWriter? _stretch;
    private LogSegment _published = null!;
    private LogSegment _tail = null!;
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
    public long FirstSequence => Archive?.FirstSequence ?? FirstInMemory ?? LastSequence + 1;

    /// <summary>Sequence of the oldest event in memory; null: memory has none.</summary>
    internal long? FirstInMemory
    {
        get
        {
            lock (_readers)
            {
                return _head?.FirstSequence ?? _packed?.First;
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
            var cursor = new LogCursor(this, watcher, Math.Max(1, from), HoldAt(Math.Max(1, from)));
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
    /// Every event from <paramref name="from"/> on, typed ones too, as one JSON document each: what is there, then live, until the
    /// <c>result</c>. Events that are gone are told by one <c>truncated</c> document. Each document is valid until the next is asked for.
    /// </summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadEventsAsync(
        long from = 1, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var bell = new LogBell();
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
                    cancellationToken.ThrowIfCancellationRequested();
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

    /// <summary>As <see cref="ReadEventsAsync"/>, of what is there now; nothing is waited for but the store.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadPresentAsync(
        long from = 1, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var last = LastSequence;
        if (from > last)
        {
            yield break;
        }

        var next = Math.Max(1, from);
        await foreach (var json in ReadEventsAsync(next, cancellationToken))
        {
            yield return json;
            next = json.Span.StartsWith("{\"type\":\"truncated\""u8) ? Math.Max(next, FirstSequence) : next + 1;
            if (next > last)
            {
                yield break;
            }
        }
    }

    /// <summary>The <c>truncated</c> event for a range that is gone.</summary>
    public ReadOnlyMemory<byte> DescribeTruncation(LogRange range) => StoredEvents.Truncated(_id, range.First, range.Last);

    /// <summary>
    /// The segment in memory where a reader at this sequence goes on, held for it: the oldest one when what it wants is gone. Null when it
    /// has to come from the store, or when memory has nothing.
    /// </summary>
    internal LogSegment? HoldAt(long sequence)
    {
        lock (_readers)
        {
            Grow();
            var segment = _head;
            if (segment is null || (segment.FirstSequence > sequence && Archive is not null))
            {
                return null;
            }

            while (segment.Next is { } next && next.FirstSequence <= sequence)
            {
                segment = next;
            }

            // Under this lock the log's own hold is on all of its segments.
            segment.TryHold();
            return segment;
        }
    }

    /// <summary>Every segment in memory, held: a copy of what is packed.</summary>
    internal List<HeldFrames> HoldAll()
    {
        var held = new List<HeldFrames>();
        lock (_readers)
        {
            if (_head is null && _packed is not null)
            {
                held.Add(HeldFrames.Of(UnpackedCopy(_packed)));
            }

            for (var segment = _head; segment is not null; segment = segment.Next)
            {
                if (segment.TryHold())
                {
                    held.Add(HeldFrames.Of(segment));
                }
            }
        }

        return held;
    }

    /// <summary>As <see cref="HoldAll"/>, with what readers do not see yet. For the log writer only.</summary>
    internal List<HeldFrames> HoldWritten()
    {
        var held = HoldAll();
        foreach (var (segment, _) in _uncommitted)
        {
            if (ReferenceEquals(segment, _published))
            {
                held[^1] = HeldFrames.Written(segment);
            }
            else
            {
                segment.TryHold();
                held.Add(HeldFrames.Written(segment));
            }
        }

        return held;
    }

    internal void Close(LogCursor cursor)
    {
        lock (_readers)
        {
            Volatile.Write(ref _cursors, [.. _cursors.Where(other => !ReferenceEquals(other, cursor))]);
            DropTexts();
            Shrink();
        }
    }
}
