using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <summary>What an entry of a batch becomes in the log.</summary>
internal enum EntryKind : byte
{
    /// <summary>The message of a <c>log</c> frame, as UTF-8.</summary>
    Line,

    /// <summary>The <c>data</c> of a <c>status</c> frame, as JSON.</summary>
    Status,

    /// <summary>The name of an <c>event</c> frame behind its length in one byte, then its <c>data</c> as JSON.</summary>
    Event,
}

/// <summary>
/// Lines on their way from a body to the log writer: handing them over one by one would cost more than encoding them.
/// Filled by bodies under the log's lock while it is open; read by the writer alone once it has taken it.
/// </summary>
internal sealed class LineBatch
{
    private const int HeaderBytes = 9;
    private const int FirstBytes = 4 * 1024;

    /// <summary>A batch takes no further line past this many bytes; with <see cref="MaxQueued"/> it bounds what a body may be ahead of the store.</summary>
    public const int FullBytes = 64 * 1024;

    /// <summary>Full batches that may wait for the writer. When there are as many, the body waits: that is the back-pressure.</summary>
    public const int MaxQueued = 8;

    private readonly SegmentPool _pool;
    private byte[] _bytes;
    private int _length;
    private int _read;

    /// <param name="pool">Where its memory comes from: a thousand bodies that begin together fill a thousand batches before the first is read.</param>
    /// <param name="openedAt">See <see cref="OpenedAt"/>.</param>
    /// <param name="openedTick">See <see cref="OpenedTick"/>.</param>
    public LineBatch(SegmentPool pool, DateTimeOffset openedAt, long openedTick)
    {
        (_pool, OpenedAt, OpenedTick) = (pool, openedAt, openedTick);
        _bytes = pool.RentUncounted(FirstBytes);
    }

    /// <summary>When its first line came.</summary>
    public DateTimeOffset OpenedAt { get; }

    /// <summary>The cheap clock at that moment, in milliseconds.</summary>
    public long OpenedTick { get; }

    /// <summary>Entries that have not been read.</summary>
    public int Unread { get; private set; }

    /// <summary>Bytes of what has not been read.</summary>
    public int UnreadBytes => _length - _read - Unread * HeaderBytes;

    /// <summary>Adds an entry; false when the batch is full.</summary>
    public bool TryAdd(EntryKind kind, int millisecondsAfterOpening, ReadOnlySpan<byte> utf8)
    {
        if (!TryReserve(utf8.Length, out var destination))
        {
            return false;
        }

        utf8.CopyTo(destination);
        Close(kind, millisecondsAfterOpening, utf8.Length);
        return true;
    }

    /// <summary>Adds a line of at most <paramref name="maxBytes"/> bytes of UTF-8, transcoded in place; false when the batch is full.</summary>
    public bool TryAdd(int millisecondsAfterOpening, ReadOnlySpan<char> line, int maxBytes)
    {
        if (!TryReserve(maxBytes, out var destination))
        {
            return false;
        }

        Close(EntryKind.Line, millisecondsAfterOpening, System.Text.Encoding.UTF8.GetBytes(line, destination));
        return true;
    }

    /// <summary>Reads the next entry; false at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryRead(out EntryKind kind, out int millisecondsAfterOpening, out ReadOnlySpan<byte> utf8)
    {
        if (_read == _length)
        {
            kind = default;
            millisecondsAfterOpening = 0;
            utf8 = default;
            return false;
        }

        var header = _bytes.AsSpan(_read, HeaderBytes);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        millisecondsAfterOpening = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
        kind = (EntryKind)header[8];
        utf8 = _bytes.AsSpan(_read + HeaderBytes, length);
        _read += HeaderBytes + length;
        Unread--;
        return true;
    }

    /// <summary>Gives the memory back. The batch is not used again.</summary>
    public void Return()
    {
        _pool.ReturnUncounted(_bytes);
        _bytes = [];
        (_length, _read, Unread) = (0, 0, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryReserve(int bytes, out Span<byte> destination)
    {
        var needed = _length + HeaderBytes + bytes;
        if (needed > FullBytes && _length > 0)
        {
            destination = default;
            return false;
        }

        if (needed > _bytes.Length)
        {
            var larger = _pool.RentUncounted(Math.Max(needed, 2 * _bytes.Length));
            _bytes.AsSpan(0, _length).CopyTo(larger);
            _pool.ReturnUncounted(_bytes);
            _bytes = larger;
        }

        destination = _bytes.AsSpan(_length + HeaderBytes, bytes);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Close(EntryKind kind, int millisecondsAfterOpening, int length)
    {
        var header = _bytes.AsSpan(_length, HeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header, length);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], millisecondsAfterOpening);
        header[8] = (byte)kind;
        _length += HeaderBytes + length;
        Unread++;
    }
}
