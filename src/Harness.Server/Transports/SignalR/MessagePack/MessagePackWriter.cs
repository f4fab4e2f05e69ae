using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>
/// Writes MessagePack, each value in its shortest form, into one piece of memory: what it is given, and where that is too small, pooled memory that
/// grows with what is written. Events, lines and documents have limits of their own. Dispose gives pooled memory back.
/// </summary>
internal sealed class MessagePackWriter : IDisposable
{
    private const int LongestHeader = 5;
    private const int LargeArrayHeader = 3;
    private const int LongestInteger = 1 + sizeof(ulong);

    private byte[] _buffer;
    private int _start;
    private int _capacity;
    private int _length;

    /// <summary>Starts empty, in pooled memory.</summary>
    /// <param name="capacity">Bytes expected.</param>
    public MessagePackWriter(int capacity)
    {
        _buffer = ArrayPool<byte>.Shared.Rent(capacity);
        _capacity = _buffer.Length;
    }

    /// <summary>Starts empty, in memory of somebody else.</summary>
    /// <param name="room">Where it writes as long as there is room; it stays the caller's.</param>
    public MessagePackWriter(ArraySegment<byte> room)
    {
        (_buffer, _start, _capacity) = (room.Array!, room.Offset, room.Count);
        IsInPlace = true;
    }

    /// <summary>True while everything is in the memory it was given.</summary>
    public bool IsInPlace { get; private set; }

    /// <summary>What has been written; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(_start, _length);

    /// <inheritdoc />
    public void Dispose()
    {
        if (!IsInPlace)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }

    public void WriteNil() => WriteByte(MessagePackCode.Nil);

    public void WriteBoolean(bool value) => WriteByte(value ? MessagePackCode.True : MessagePackCode.False);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteInteger(long value)
    {
        switch (value)
        {
            case >= 0:
                WriteInteger((ulong)value);
                break;
            case >= -32:
                WriteByte((byte)value);
                break;
            case >= sbyte.MinValue:
                Write(MessagePackCode.Int8, (byte)value, 1);
                break;
            case >= short.MinValue:
                Write(MessagePackCode.Int16, (ushort)value, 2);
                break;
            case >= int.MinValue:
                Write(MessagePackCode.Int32, (uint)value, 4);
                break;
            default:
                Write(MessagePackCode.Int64, (ulong)value, 8);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteInteger(ulong value) => _length += WriteInteger(value, Reserve(LongestInteger));

    public void WriteDouble(double value) => Write(MessagePackCode.Float64, BitConverter.DoubleToUInt64Bits(value), 8);

    /// <summary>Writes text, or nil for null. What UTF-8 cannot carry (lone surrogates) becomes U+FFFD.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteString(string? value)
    {
        if (value is null)
        {
            WriteNil();
            return;
        }

        CommitString(Encoding.UTF8.GetBytes(value, ReserveString(Encoding.UTF8.GetMaxByteCount(value.Length))));
    }

    /// <summary>Writes text that is UTF-8 already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteString(ReadOnlySpan<byte> utf8) => _length += WriteString(utf8, Reserve(LongestHeader + utf8.Length));

    /// <summary>Room for text whose length is not known yet; <see cref="CommitString"/> says how much of it was used.</summary>
    public Span<byte> ReserveString(int maxLength) => Reserve(LongestHeader + maxLength)[LongestHeader..];

    /// <summary>Ends what <see cref="ReserveString"/> began.</summary>
    public void CommitString(int length)
    {
        var room = _buffer.AsSpan(_start + _length);
        var header = WriteStringHeader(room, length);
        room.Slice(LongestHeader, length).CopyTo(room[header..]);
        _length += header + length;
    }

    public void WriteBinary(ReadOnlySpan<byte> value)
    {
        switch (value.Length)
        {
            case <= byte.MaxValue:
                Write(MessagePackCode.Binary8, (ulong)value.Length, 1);
                break;
            case <= ushort.MaxValue:
                Write(MessagePackCode.Binary16, (ulong)value.Length, 2);
                break;
            default:
                Write(MessagePackCode.Binary32, (ulong)value.Length, 4);
                break;
        }

        WriteRaw(value);
    }

    public void WriteArrayHeader(int count) => EndArray(BeginContainer(), count);

    public void WriteMapHeader(int count) => EndMap(BeginContainer(), count);

    /// <summary>Begins an array or map whose size is known only at its end.</summary>
    /// <returns>What <see cref="EndArray"/> or <see cref="EndMap"/> asks for.</returns>
    public int BeginContainer()
    {
        WriteByte(0);
        return _length - 1;
    }

    public void EndArray(int start, int count) =>
        EndContainer(start, count, MessagePackCode.FixArray, MessagePackCode.Array16, MessagePackCode.Array32);

    public void EndMap(int start, int count) =>
        EndContainer(start, count, MessagePackCode.FixMap, MessagePackCode.Map16, MessagePackCode.Map32);

    /// <summary>Begins an array of probably many elements, whose number is known only at its end: what is in it need not move then.</summary>
    /// <returns>What <see cref="EndLargeArray"/> asks for.</returns>
    public int BeginLargeArray()
    {
        Reserve(LargeArrayHeader);
        _length += LargeArrayHeader;
        return _length;
    }

    /// <summary>Ends it, with the shortest header nevertheless.</summary>
    /// <param name="start">What <see cref="BeginLargeArray"/> gave.</param>
    /// <param name="count">Elements: 65,535 at most.</param>
    public void EndLargeArray(int start, int count)
    {
        var elements = _buffer.AsSpan(_start + start, _length - start);
        _length = start - LargeArrayHeader;
        WriteArrayHeader(count);
        if (_length < start)
        {
            elements.CopyTo(_buffer.AsSpan(_start + _length));
        }

        _length += elements.Length;
    }

    /// <summary>Writes bytes that are MessagePack already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteRaw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        _length += bytes.Length;
    }

    /// <summary>Writes a number that is not negative.</summary>
    /// <param name="value">The number.</param>
    /// <param name="room">Nine bytes or more: those behind the number's may change.</param>
    /// <returns>Bytes written.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WriteInteger(ulong value, Span<byte> room)
    {
        switch (value)
        {
            case <= MessagePackCode.MaxFixInt:
                room[0] = (byte)value;
                return 1;
            case <= byte.MaxValue:
                return Write(MessagePackCode.UInt8, value, 1, room);
            case <= ushort.MaxValue:
                return Write(MessagePackCode.UInt16, value, 2, room);
            case <= uint.MaxValue:
                return Write(MessagePackCode.UInt32, value, 4, room);
            default:
                return Write(MessagePackCode.UInt64, value, 8, room);
        }
    }

    /// <summary>Writes text that is UTF-8 already.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="room">Five bytes more than the text has, or what its header takes.</param>
    /// <returns>Bytes written.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WriteString(ReadOnlySpan<byte> utf8, Span<byte> room)
    {
        var header = WriteStringHeader(room, utf8.Length);
        utf8.CopyTo(room[header..]);
        return header + utf8.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int WriteStringHeader(Span<byte> destination, int length)
    {
        switch (length)
        {
            case <= MessagePackCode.MaxFixString:
                destination[0] = (byte)(MessagePackCode.FixString | length);
                return 1;
            case <= byte.MaxValue:
                destination[0] = MessagePackCode.String8;
                destination[1] = (byte)length;
                return 2;
            case <= ushort.MaxValue:
                destination[0] = MessagePackCode.String16;
                BinaryPrimitives.WriteUInt16BigEndian(destination[1..], (ushort)length);
                return 3;
            default:
                destination[0] = MessagePackCode.String32;
                BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)length);
                return LongestHeader;
        }
    }

    // Nearly every object has at most 15 members and needs no more than the byte kept for it; the content of others moves.
    private void EndContainer(int start, int count, byte small, byte medium, byte large)
    {
        if (count <= MessagePackCode.MaxFixContainer)
        {
            _buffer[_start + start] = (byte)(small | count);
            return;
        }

        var more = count <= ushort.MaxValue ? 2 : 4;
        Reserve(more);
        var container = _buffer.AsSpan(_start + start, _length - start + more);
        container[1..^more].CopyTo(container[(1 + more)..]);
        _length += more;
        if (more == 2)
        {
            container[0] = medium;
            BinaryPrimitives.WriteUInt16BigEndian(container[1..], (ushort)count);
        }
        else
        {
            container[0] = large;
            BinaryPrimitives.WriteUInt32BigEndian(container[1..], (uint)count);
        }
    }

    private void WriteByte(byte value)
    {
        Reserve(1)[0] = value;
        _length++;
    }

    private void Write(byte code, ulong value, int size) => _length += Write(code, value, size, Reserve(LongestInteger));

    private static int Write(byte code, ulong value, int size, Span<byte> room)
    {
        room[0] = code;
        BinaryPrimitives.WriteUInt64BigEndian(room[1..], value << (8 * (sizeof(ulong) - size)));
        return 1 + size;
    }

    /// <summary>Room for what the caller writes itself; <see cref="Advance"/> says how much that was.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public Span<byte> Reserve(int size)
    {
        if (_capacity - _length < size)
        {
            Grow(size);
        }

        return _buffer.AsSpan(_start + _length);
    }

    /// <summary>Ends what <see cref="Reserve"/> began.</summary>
    public void Advance(int length) => _length += length;

    private void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(2L * _capacity, (long)_length + size)));
        Written.CopyTo(larger);
        Dispose();
        (_buffer, _start, _capacity, IsInPlace) = (larger, 0, larger.Length, false);
    }
}
