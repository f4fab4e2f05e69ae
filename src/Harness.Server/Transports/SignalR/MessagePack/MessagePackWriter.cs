using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>
/// Writes MessagePack, each value in its shortest form, into one piece of pooled memory. It grows with what is written: events, lines and
/// documents have limits of their own. Dispose gives the memory back.
/// </summary>
internal sealed class MessagePackWriter : IDisposable
{
    private const int LongestHeader = 5;

    private byte[] _buffer;
    private int _length;

    /// <summary>Starts empty.</summary>
    /// <param name="capacity">Bytes expected.</param>
    public MessagePackWriter(int capacity) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>What has been written; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <inheritdoc />
    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

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
    public void WriteInteger(ulong value)
    {
        switch (value)
        {
            case <= MessagePackCode.MaxFixInt:
                WriteByte((byte)value);
                break;
            case <= byte.MaxValue:
                Write(MessagePackCode.UInt8, value, 1);
                break;
            case <= ushort.MaxValue:
                Write(MessagePackCode.UInt16, value, 2);
                break;
            case <= uint.MaxValue:
                Write(MessagePackCode.UInt32, value, 4);
                break;
            default:
                Write(MessagePackCode.UInt64, value, 8);
                break;
        }
    }

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
    public void WriteString(ReadOnlySpan<byte> utf8)
    {
        _length += WriteStringHeader(Reserve(LongestHeader), utf8.Length);
        WriteRaw(utf8);
    }

    /// <summary>Room for text whose length is not known yet; <see cref="CommitString"/> says how much of it was used.</summary>
    public Span<byte> ReserveString(int maxLength) => Reserve(LongestHeader + maxLength)[LongestHeader..];

    /// <summary>Ends what <see cref="ReserveString"/> began.</summary>
    public void CommitString(int length)
    {
        var room = _buffer.AsSpan(_length);
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

    /// <summary>Writes bytes that are MessagePack already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void WriteRaw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        _length += bytes.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
            _buffer[start] = (byte)(small | count);
            return;
        }

        var more = count <= ushort.MaxValue ? 2 : 4;
        Reserve(more);
        _buffer.AsSpan(start + 1, _length - start - 1).CopyTo(_buffer.AsSpan(start + 1 + more));
        _length += more;
        if (more == 2)
        {
            _buffer[start] = medium;
            BinaryPrimitives.WriteUInt16BigEndian(_buffer.AsSpan(start + 1), (ushort)count);
        }
        else
        {
            _buffer[start] = large;
            BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(start + 1), (uint)count);
        }
    }

    private void WriteByte(byte value)
    {
        Reserve(1)[0] = value;
        _length++;
    }

    private void Write(byte code, ulong value, int size)
    {
        var destination = Reserve(1 + sizeof(ulong));
        destination[0] = code;
        BinaryPrimitives.WriteUInt64BigEndian(destination[1..], value << (8 * (sizeof(ulong) - size)));
        _length += 1 + size;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Span<byte> Reserve(int size)
    {
        if (_buffer.Length - _length < size)
        {
            var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(2L * _buffer.Length, (long)_length + size)));
            Written.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsSpan(_length);
    }
}
