using System.Buffers;
using System.Numerics;

namespace Harness.Executions;

/// <summary>
/// The frames of one segment in another format, made once by whichever reader comes first. Reading what is made takes no lock. Its memory
/// goes back to the pool when the log and the last reader have let go.
/// </summary>
internal sealed class FrameText : IBufferWriter<byte>
{
    // No text of ours is longer than this many times its frame; if one is, readers make the rest for themselves.
    private const int RoomForEachByte = 2;

    // No frame is shorter: type, id, sequence and time have their names in it.
    private const int ShortestFrame = 64;

    private readonly IFrameFormat _format;
    private readonly LogSegment _memory;
    private readonly int[] _ends;
    private readonly Lock _making = new();
    private int _read;
    private int _written;
    private int _count;
    private bool _isFull;

    /// <summary>Text from one frame of a segment on.</summary>
    /// <param name="pool">Where its memory comes from; it counts as that of the log.</param>
    /// <param name="source">The segment.</param>
    /// <param name="format">The format.</param>
    /// <param name="first">Sequence of the first frame.</param>
    /// <param name="offset">Where that frame begins in the segment.</param>
    public FrameText(SegmentPool pool, LogSegment source, IFrameFormat format, long first, int offset)
    {
        (Source, First, _format, _read) = (source, first, format, offset);
        var bytes = source.Capacity - offset;
        _memory = pool.RentQuietly(RoomFor(bytes), first);
        _ends = new int[IsOneFrame(bytes) ? 1 : bytes / ShortestFrame + 1];
    }

    /// <summary>The segment whose frames these are.</summary>
    public LogSegment Source { get; }

    /// <summary>Sequence of the first frame it has.</summary>
    public long First { get; }

    /// <summary>True for the text of a segment in a format.</summary>
    public bool Is(LogSegment source, IFrameFormat format) => ReferenceEquals(Source, source) && _format.Key!.Equals(format.Key);

    /// <summary>Keeps the memory until <see cref="Release"/>. False when it has gone already.</summary>
    public bool TryHold() => _memory.TryHold();

    /// <summary>Lets go.</summary>
    public void Release() => _memory.Release();

    /// <summary>The text of some committed frames; false when it has none of them and will not have.</summary>
    public bool TryGet(long first, long last, out ReadOnlyMemory<byte> text)
    {
        text = default;
        var (from, to) = ((int)(first - First), (int)(last - First) + 1);
        if (from < 0 || (Volatile.Read(ref _count) < to && !TryMake(to)))
        {
            return false;
        }

        var start = from == 0 ? 0 : _ends[from - 1];
        text = _memory.Bytes.AsMemory(start, _ends[to - 1] - start);
        return true;
    }

    void IBufferWriter<byte>.Advance(int count) => _written += _isFull ? 0 : count;

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint) => Room(sizeHint);

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => Room(sizeHint).Span;

    // A segment is larger than others for a frame that fits no other, such as a long result; its text is hardly longer.
    private static bool IsOneFrame(int bytes) => bytes > SegmentPool.LargestSegment;

    private static int RoomFor(int bytes) => IsOneFrame(bytes)
        ? bytes + bytes / 8
        : (int)BitOperations.RoundUpToPowerOf2((uint)(RoomForEachByte * bytes));

    // What does not fit is written for nothing, once: the frame is not counted.
    private Memory<byte> Room(int size)
    {
        size = Math.Max(1, size);
        _isFull |= _memory.Capacity - _written < size;
        return _isFull ? new byte[size] : _memory.Bytes.AsMemory(_written);
    }

    private bool TryMake(int count)
    {
        lock (_making)
        {
            for (var made = _count; made < count && !_isFull && made < _ends.Length; made++)
            {
                var (start, length) = WebSocketFrame.Measure(Source.Bytes.AsSpan(_read));
                _format.Write(Source.Bytes.AsSpan(_read + start, length), First + made, this);
                if (!_isFull)
                {
                    _ends[made] = _written;
                    _read += start + length;
                    Volatile.Write(ref _count, made + 1);
                }
            }

            return _count >= count;
        }
    }
}
