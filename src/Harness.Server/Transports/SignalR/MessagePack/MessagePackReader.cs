using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>
/// Reads MessagePack from one piece of memory. Whatever the bytes are, it never reads past their end and throws nothing but
/// <see cref="InvalidDataException"/>.
/// </summary>
internal ref struct MessagePackReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private int _position;

    public MessagePackReader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>What the next value is.</summary>
    public readonly MessagePackKind Kind => Peek() switch
    {
        <= MessagePackCode.MaxFixInt or >= MessagePackCode.NegativeFixInt => MessagePackKind.Integer,
        < MessagePackCode.FixArray or MessagePackCode.Map16 or MessagePackCode.Map32 => MessagePackKind.Map,
        < MessagePackCode.FixString or MessagePackCode.Array16 or MessagePackCode.Array32 => MessagePackKind.Array,
        < MessagePackCode.Nil or MessagePackCode.String8 or MessagePackCode.String16 or MessagePackCode.String32 => MessagePackKind.String,
        MessagePackCode.Nil => MessagePackKind.Nil,
        MessagePackCode.False or MessagePackCode.True => MessagePackKind.Boolean,
        MessagePackCode.Binary8 or MessagePackCode.Binary16 or MessagePackCode.Binary32 => MessagePackKind.Binary,
        MessagePackCode.Float32 or MessagePackCode.Float64 => MessagePackKind.Float,
        >= MessagePackCode.UInt8 and <= MessagePackCode.Int64 => MessagePackKind.Integer,
        MessagePackCode.NeverUsed => throw new InvalidDataException("0xC1 is no MessagePack value"),
        _ => MessagePackKind.Extension,
    };

    private readonly int Left => _bytes.Length - _position;

    /// <summary>Reads a nil if that is what comes next.</summary>
    public bool TryReadNil()
    {
        if (Peek() != MessagePackCode.Nil)
        {
            return false;
        }

        _position++;
        return true;
    }

    public bool ReadBoolean()
    {
        Expect(MessagePackKind.Boolean);
        return _bytes[_position++] == MessagePackCode.True;
    }

    /// <summary>Reads an integer of any width.</summary>
    public Int128 ReadInteger()
    {
        Expect(MessagePackKind.Integer);
        var code = _bytes[_position++];
        return code switch
        {
            <= MessagePackCode.MaxFixInt => code,
            >= MessagePackCode.NegativeFixInt => (sbyte)code,
            MessagePackCode.UInt8 => Take(1)[0],
            MessagePackCode.UInt16 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            MessagePackCode.UInt32 => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            MessagePackCode.UInt64 => BinaryPrimitives.ReadUInt64BigEndian(Take(8)),
            MessagePackCode.Int8 => (sbyte)Take(1)[0],
            MessagePackCode.Int16 => BinaryPrimitives.ReadInt16BigEndian(Take(2)),
            MessagePackCode.Int32 => BinaryPrimitives.ReadInt32BigEndian(Take(4)),
            _ => BinaryPrimitives.ReadInt64BigEndian(Take(8)),
        };
    }

    /// <summary>Reads an integer that has to fit.</summary>
    public long ReadInt64()
    {
        var value = ReadInteger();
        return value <= long.MaxValue ? (long)value : throw new InvalidDataException($"{value} is too large for a 64-bit integer");
    }

    public double ReadDouble()
    {
        if (Kind == MessagePackKind.Integer)
        {
            return (double)ReadInteger();
        }

        Expect(MessagePackKind.Float);
        return _bytes[_position++] == MessagePackCode.Float32
            ? BinaryPrimitives.ReadSingleBigEndian(Take(4))
            : BinaryPrimitives.ReadDoubleBigEndian(Take(8));
    }

    /// <summary>Reads text that has to be UTF-8: what the protocol itself is written in.</summary>
    public string ReadString() => ReadBytes() is var utf8 && Utf8.IsValid(utf8)
        ? Encoding.UTF8.GetString(utf8)
        : throw new InvalidDataException("A string is not UTF-8");

    /// <summary>
    /// Reads text as valid UTF-8. What is not becomes U+FFFD, as in JSON: clients in JavaScript write half a surrogate pair, where an emoji was
    /// cut, as three bytes.
    /// </summary>
    public ReadOnlySpan<byte> ReadText() => ReadBytes() is var utf8 && Utf8.IsValid(utf8) ? utf8 : Repair(utf8);

    private ReadOnlySpan<byte> ReadBytes()
    {
        Expect(MessagePackKind.String);
        var code = _bytes[_position++];
        return Take(code switch
        {
            MessagePackCode.String8 => ReadLength(1),
            MessagePackCode.String16 => ReadLength(2),
            MessagePackCode.String32 => ReadLength(4),
            _ => code & MessagePackCode.MaxFixString,
        });
    }

    public ReadOnlySpan<byte> ReadBinary()
    {
        Expect(MessagePackKind.Binary);
        return Take(ReadLength(1 << (_bytes[_position++] - MessagePackCode.Binary8)));
    }

    /// <summary>Reads how many elements follow: never more than there is memory for.</summary>
    public int ReadArrayHeader()
    {
        Expect(MessagePackKind.Array);
        return ReadCount(MessagePackCode.Array16, MessagePackCode.Array32, bytesEach: 1);
    }

    /// <summary>Reads how many pairs follow: never more than there is memory for.</summary>
    public int ReadMapHeader()
    {
        Expect(MessagePackKind.Map);
        return ReadCount(MessagePackCode.Map16, MessagePackCode.Map32, bytesEach: 2);
    }

    public ReadOnlySpan<byte> ReadExtension(out sbyte type)
    {
        Expect(MessagePackKind.Extension);
        var code = _bytes[_position++];
        var length = code is >= MessagePackCode.FixExtension1 and <= MessagePackCode.FixExtension16
            ? 1 << (code - MessagePackCode.FixExtension1)
            : ReadLength(1 << (code - MessagePackCode.Extension8));
        type = (sbyte)Take(1)[0];
        return Take(length);
    }

    /// <summary>Reads past so many values, however deep they are, and gives their bytes.</summary>
    public ReadOnlySpan<byte> Skip(long values = 1)
    {
        var start = _position;
        for (; values > 0; values--)
        {
            switch (Kind)
            {
                case MessagePackKind.Nil or MessagePackKind.Boolean:
                    _position++;
                    break;
                case MessagePackKind.Integer:
                    ReadInteger();
                    break;
                case MessagePackKind.Float:
                    ReadDouble();
                    break;
                case MessagePackKind.String:
                    ReadBytes();
                    break;
                case MessagePackKind.Binary:
                    ReadBinary();
                    break;
                case MessagePackKind.Array:
                    values += ReadArrayHeader();
                    break;
                case MessagePackKind.Map:
                    values += 2L * ReadMapHeader();
                    break;
                default:
                    ReadExtension(out _);
                    break;
            }
        }

        return _bytes[start.._position];
    }

    private static ReadOnlySpan<byte> Repair(ReadOnlySpan<byte> text)
    {
        var repaired = new ArrayBufferWriter<byte>(text.Length + 16);
        while (!text.IsEmpty)
        {
            var isValid = Rune.DecodeFromUtf8(text, out _, out var length) == OperationStatus.Done;
            repaired.Write(isValid ? text[..length] : "\uFFFD"u8);
            text = text[(isValid ? length : IsHalfAPair(text) ? 3 : 1)..];
        }

        return repaired.WrittenSpan;
    }

    private static bool IsHalfAPair(ReadOnlySpan<byte> text) => text is [0xED, >= 0xA0 and <= 0xBF, >= 0x80 and <= 0xBF, ..];

    private static InvalidDataException CutShort() => new("A MessagePack value is cut short");

    private readonly byte Peek() => _position < _bytes.Length ? _bytes[_position] : throw CutShort();

    private readonly void Expect(MessagePackKind kind)
    {
        if (Kind != kind)
        {
            throw new InvalidDataException($"Expected a MessagePack value of kind {kind}, found {Kind}");
        }
    }

    private int ReadCount(byte medium, byte large, int bytesEach)
    {
        var code = _bytes[_position++];
        var count = code == medium ? ReadLength(2) : code == large ? ReadLength(4) : code & MessagePackCode.MaxFixContainer;
        return count <= Left / bytesEach ? count : throw CutShort();
    }

    private int ReadLength(int size)
    {
        var bytes = Take(size);
        var length = size switch
        {
            1 => bytes[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes),
            _ => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        };
        return length <= Left ? (int)length : throw CutShort();
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > Left)
        {
            throw CutShort();
        }

        var taken = _bytes.Slice(_position, length);
        _position += length;
        return taken;
    }
}
