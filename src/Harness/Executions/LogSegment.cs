using System.Diagnostics;

namespace Harness.Executions;

/// <summary>
/// A stretch of a log: whole ready WebSocket frames, one after the other. One writer appends; readers are lock-free on the committed
/// length. The bytes go back to the pool when the log and the last reader in it have let go; the object itself is never used again.
/// </summary>
internal sealed class LogSegment
{
    private readonly SegmentPool _pool;
    private byte[] _bytes;
    private int _holders = 1;
    private int _frames;

    // Committed bytes in the low half, committed frames in the high half: published together, so they always agree.
    private long _committed;
    private volatile LogSegment? _next;

    public LogSegment(SegmentPool pool, byte[] bytes, int capacity, long firstSequence, bool isLoaded = false)
    {
        _pool = pool;
        _bytes = bytes;
        Capacity = capacity;
        FirstSequence = firstSequence;
        IsLoaded = isLoaded;
    }

    /// <summary>True when it came from the store: it stands for itself, and nothing is linked to it.</summary>
    public bool IsLoaded { get; }

    /// <summary>Bytes it may hold.</summary>
    public int Capacity { get; }

    /// <summary>Sequence of its first frame.</summary>
    public long FirstSequence { get; }

    /// <summary>
    /// True when typed events are among the frames. Set before the commit that shows the first of them, so a reader of what is committed
    /// never misses it.
    /// </summary>
    public bool HasEvents { get; set; }

    /// <summary>The segment after this one, once something in it is committed.</summary>
    public LogSegment? Next => _next;

    /// <summary>Length and frames that readers may see.</summary>
    public (int Length, int Frames) Committed
    {
        get
        {
            var committed = Volatile.Read(ref _committed);
            return ((int)(committed & uint.MaxValue), (int)(committed >> 32));
        }
    }

    /// <summary>The memory itself. Readers look only at what is committed, and only while they hold the segment.</summary>
    public byte[] Bytes => _bytes;

    /// <summary>Bytes written, committed or not. For the log writer only.</summary>
    public int Written { get; private set; }

    /// <summary>Frames written, committed or not. For the log writer only.</summary>
    public int WrittenFrames => _frames;

    /// <summary>True when a committed frame has this sequence.</summary>
    public bool Contains(long sequence) => sequence >= FirstSequence && sequence < FirstSequence + Committed.Frames;

    /// <summary>Room for frames, counted as written. Only who writes the segment calls it, and sees to it that there is room.</summary>
    public Span<byte> Reserve(int size, int frames = 1)
    {
        var room = _bytes.AsSpan(Written, size);
        Written += size;
        _frames += frames;
        return room;
    }

    /// <summary>Forgets what was written and not committed. Only the log writer calls it.</summary>
    public void Rewind() => (Written, _frames) = Committed;

    /// <summary>Shows readers everything written. Only the log writer calls it, after the store has it.</summary>
    public void Commit() => Volatile.Write(ref _committed, ((long)_frames << 32) | (uint)Written);

    /// <summary>Shows readers the segment that follows. Only the log writer calls it, after its last <see cref="Commit"/> here.</summary>
    public void Link(LogSegment next) => _next = next;

    /// <summary>True while it is held more than once.</summary>
    public bool IsShared => Volatile.Read(ref _holders) > 1;

    /// <summary>Keeps the bytes from the pool until <see cref="Release"/>. False when they have gone already.</summary>
    public bool TryHold()
    {
        var holders = Volatile.Read(ref _holders);
        while (holders > 0)
        {
            var seen = Interlocked.CompareExchange(ref _holders, holders + 1, holders);
            if (seen == holders)
            {
                return true;
            }

            holders = seen;
        }

        return false;
    }

    /// <summary>Lets go. The last one gives the bytes back and cuts the chain, so that a stopped reader keeps no more than its own segment.</summary>
    public void Release()
    {
        var holders = Interlocked.Decrement(ref _holders);
        Debug.Assert(holders >= 0, "A segment was released more often than held");
        if (holders == 0)
        {
            var bytes = _bytes;
            _bytes = [];
            _next = null;
            _pool.Return(bytes);
        }
    }
}

/// <summary>A segment somebody holds, and how much of it is looked at.</summary>
/// <param name="Segment">Held until it is released.</param>
/// <param name="Length">Bytes from its beginning.</param>
/// <param name="Frames">Frames in them.</param>
internal readonly record struct HeldFrames(LogSegment Segment, int Length, int Frames)
{
    /// <summary>Sequence of the first frame.</summary>
    public long First => Segment.FirstSequence;

    /// <summary>Sequence after the last frame.</summary>
    public long Next => Segment.FirstSequence + Frames;

    /// <summary>What readers may see.</summary>
    public static HeldFrames Of(LogSegment segment)
    {
        var (length, frames) = segment.Committed;
        return new HeldFrames(segment, length, frames);
    }

    /// <summary>Everything there is. For the log writer only.</summary>
    public static HeldFrames Written(LogSegment segment) => new(segment, segment.Written, segment.WrittenFrames);
}
