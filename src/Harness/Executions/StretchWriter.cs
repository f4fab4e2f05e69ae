using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <summary>
/// Packs the frames of a log one after another, as <see cref="FramePacker"/> says: the log writer does it while it has their lines at hand. Its
/// memory is the pool's until <see cref="Return"/>; it doubles when it is full, to twice the frames at most, which are those of one
/// segment or of a log that is small enough to be packed. For one thread at a time.
/// </summary>
internal sealed class StretchWriter
{
    // Five numbers at most, behind the prefix.
    private const int HeaderRoom = FramePacker.PrefixBytes + 5 * FramePacker.MaxVarint;

    // Fewer bytes are not worth reading the lines for.
    private const int SmallestQuote = 256;

    private readonly long _first;
    private readonly SegmentPool _pool;
    private byte[] _bytes;
    private int _at = HeaderRoom;
    private int _count;
    private int _frameBytes;
    private long _milliseconds;
    private LineQuote _quote;

    /// <param name="first">Sequence of the first frame.</param>
    /// <param name="expected">Bytes it will have, about; it grows when there are more.</param>
    /// <param name="pool">Where its memory comes from: as many stretches as there are logs may wait for the store.</param>
    public StretchWriter(long first, int expected, SegmentPool pool) =>
        (_first, _bytes, _pool) = (first, pool.RentUncounted(HeaderRoom + expected), pool);

    /// <summary>True when typed events may be among the frames.</summary>
    public bool HasEvents { get; set; }

    /// <summary>Bytes so far.</summary>
    public int Length => _at;

    /// <summary>Packs a <c>log</c> frame.</summary>
    /// <param name="escaped">Its line, as it stands in the frame.</param>
    /// <param name="milliseconds">Its time, since 1970.</param>
    /// <param name="frameBytes">How long the frame is.</param>
    public void AddLine(ReadOnlySpan<byte> escaped, long milliseconds, int frameBytes)
    {
        var room = Room(escaped.Length);
        var at = 0;
        FramePacker.WriteVarint(room, ref at, (ulong)escaped.Length << 1);
        FramePacker.WriteVarint(room, ref at, FramePacker.Zigzag(milliseconds - _milliseconds));
        _milliseconds = milliseconds;
        Add(escaped, room, at, frameBytes);
    }

    /// <summary>Packs any other frame.</summary>
    /// <param name="json">What is in it.</param>
    /// <param name="frameBytes">How long the frame is.</param>
    /// <param name="quote">Which part of it repeats lines that are stored already. Only of the last frame of all.</param>
    public void AddWhole(ReadOnlySpan<byte> json, int frameBytes, LineQuote quote = default)
    {
        _quote = quote.Length < SmallestQuote ? default : quote;
        var before = json[.._quote.At];
        var after = json[(_quote.At + _quote.Length)..];
        var room = Room(before.Length + after.Length);
        var at = 0;
        FramePacker.WriteVarint(room, ref at, ((ulong)(before.Length + after.Length) << 1) | 1);
        before.CopyTo(room[at..]);
        Add(after, room, at + before.Length, frameBytes);
    }

    /// <summary>The stretch; nothing is added any more. It is good until <see cref="Return"/>.</summary>
    /// <param name="staysInMemory">It needs no checksum then.</param>
    public StoredFrames Close(bool staysInMemory = false)
    {
        Span<byte> numbers = stackalloc byte[5 * FramePacker.MaxVarint];
        var length = 0;
        FramePacker.WriteVarint(numbers, ref length, (ulong)_count);
        FramePacker.WriteVarint(numbers, ref length, (ulong)_frameBytes);
        if (_quote.Length > 0)
        {
            FramePacker.WriteVarint(numbers, ref length, (ulong)_quote.From);
            FramePacker.WriteVarint(numbers, ref length, (ulong)_quote.At);
            FramePacker.WriteVarint(numbers, ref length, (ulong)_quote.Length);
        }

        var start = HeaderRoom - length - FramePacker.PrefixBytes;
        numbers[..length].CopyTo(_bytes.AsSpan(HeaderRoom - length));

        var stretch = _bytes.AsMemory(start, _at - start);
        stretch.Span[0] = _quote.Length > 0 ? FramePacker.QuotingVersion : FramePacker.Version;
        stretch.Span[5] = (byte)(HasEvents ? 1 : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(stretch.Span[1..], staysInMemory ? 0 : FramePacker.Checksum(stretch.Span[5..]));
        return new StoredFrames(_first, _first + _count - 1, stretch);
    }

    /// <summary>Gives the memory back. It is not used again.</summary>
    public void Return()
    {
        _pool.ReturnUncounted(_bytes);
        _bytes = [];
    }

    private void Add(ReadOnlySpan<byte> bytes, Span<byte> room, int at, int frameBytes)
    {
        bytes.CopyTo(room[at..]);
        _at += at + bytes.Length;
        _frameBytes += frameBytes;
        _count++;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Span<byte> Room(int bytes)
    {
        var needed = _at + bytes + 2 * FramePacker.MaxVarint;
        if (needed > _bytes.Length)
        {
            var larger = _pool.RentUncounted(Math.Max(needed, 2 * _bytes.Length));
            _bytes.AsSpan(0, _at).CopyTo(larger);
            _pool.ReturnUncounted(_bytes);
            _bytes = larger;
        }

        return _bytes.AsSpan(_at);
    }
}
