using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Harness.Executions;

/// <summary>
/// Frames as stores keep them: of a <c>log</c> frame only its line and its time, since the rest follows from the execution and the sequence;
/// other frames whole. Half the bytes, and unpacking gives the very bytes that were packed. Stateless.
/// </summary>
/// <remarks>
/// A stretch is: a version (1 byte), the CRC-32C of all that follows (4 bytes, little-endian), flags (1 byte; bit 0: typed events are among
/// the frames), the number of frames and the bytes they unpack to (varints), then the frames. Each begins with a varint: its length
/// times two, plus one for a whole JSON document; a line follows as it stands escaped in the frame, behind the milliseconds since the line
/// before (zigzag varint; for the first, since 1970).
/// In a stretch of version 2 the last frame is a document that repeats lines of the log: behind the two numbers stand the sequence of the first event
/// looked at, where in the document the lines are, and how many bytes they take there, and the document is without them. Lines that are gone when it is
/// unpacked have spaces in their place.
/// </remarks>
public static class FramePacker
{
    internal const byte Version = 1;
    internal const byte QuotingVersion = 2;
    internal const int PrefixBytes = 6;
    internal const int MaxVarint = 10;

    private static readonly SegmentPool NothingKept = new(limit: 0);

    /// <summary>Packs whole frames.</summary>
    /// <param name="executionId">Whose frames.</param>
    /// <param name="frames">Ready WebSocket frames as the log has them.</param>
    /// <param name="first">Sequence of the first one.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="hasEvents">Whether typed events may be among them.</param>
    public static byte[] Pack(string executionId, ReadOnlySpan<byte> frames, long first, int count, bool hasEvents)
    {
        var stretch = new StretchWriter(first, frames.Length / 2, NothingKept) { HasEvents = hasEvents };
        try
        {
            Pack(new FrameEncoder(executionId), frames, first, count, stretch);
            return stretch.Close().Packed.ToArray();
        }
        finally
        {
            stretch.Return();
        }
    }

    /// <summary>
    /// Looks at a packed stretch without unpacking it. False when it cannot be unpacked: it is damaged, or of a version this one does not know.
    /// </summary>
    public static bool TryReadHeader(StoredFrames stretch, out PackedHeader header)
    {
        var packed = stretch.Packed.Span;
        header = default;
        if (packed.Length < PrefixBytes || packed[0] is not (Version or QuotingVersion) || Checksum(packed[5..]) != BinaryPrimitives.ReadUInt32LittleEndian(packed[1..]))
        {
            return false;
        }

        header = ReadHeader(packed);
        return header.Count == stretch.Last - stretch.First + 1;
    }

    /// <summary>As <see cref="TryReadHeader"/>, of a stretch that is as it was written.</summary>
    internal static PackedHeader ReadHeader(ReadOnlySpan<byte> packed)
    {
        var rest = packed[PrefixBytes..];
        var count = (int)ReadVarint(ref rest);
        var frameBytes = (int)ReadVarint(ref rest);
        var quote = packed[0] == QuotingVersion
            ? new LineQuote((long)ReadVarint(ref rest), (int)ReadVarint(ref rest), (int)ReadVarint(ref rest))
            : default;
        return new PackedHeader(count, frameBytes, (packed[5] & 1) != 0, packed.Length - rest.Length) { Quote = quote };
    }

    /// <summary>Unpacks a stretch.</summary>
    /// <param name="executionId">Whose frames.</param>
    /// <param name="stretch">What <see cref="Pack(string, ReadOnlySpan{byte}, long, int, bool)"/> gave.</param>
    /// <param name="destination">Gets the frames; <see cref="PackedHeader.FrameBytes"/> long.</param>
    /// <param name="quoted">The lines that its last frame repeats (<see cref="QuotedLines"/>).</param>
    /// <exception cref="InvalidDataException"><see cref="TryReadHeader"/> is false for it.</exception>
    public static void Unpack(string executionId, StoredFrames stretch, Span<byte> destination, ReadOnlySpan<byte> quoted = default)
    {
        if (!TryReadHeader(stretch, out var header))
        {
            throw new InvalidDataException($"The frames {stretch.First} to {stretch.Last} are damaged");
        }

        Unpack(executionId, stretch, header, destination, quoted);
    }

    /// <summary>As the other one, of a stretch whose header was read.</summary>
    internal static void Unpack(string executionId, StoredFrames stretch, PackedHeader header, Span<byte> destination, ReadOnlySpan<byte> quoted)
    {
        var encoder = new FrameEncoder(executionId);
        var rest = stretch.Packed.Span[header.Start..];
        var time = 0L;
        for (var sequence = stretch.First; sequence <= stretch.Last; sequence++)
        {
            var bytes = ReadEntry(ref rest, ref time, out var isWhole);
            var quote = sequence == stretch.Last ? header.Quote : default;
            var size = isWhole ? WebSocketFrame.SizeOf(bytes.Length + quote.Length) : encoder.SizeOfLog(bytes.Length, sequence);
            var frame = destination[..size];
            destination = destination[size..];
            if (isWhole)
            {
                WriteWhole(frame[WebSocketFrame.WriteHeader(frame)..], bytes, quote, quoted);
            }
            else
            {
                encoder.WriteEscapedLog(frame, bytes, sequence, DateTimeOffset.FromUnixTimeMilliseconds(time));
            }
        }
    }

    /// <summary>
    /// The lines of a stretch from a sequence on, each as a JSON string, as further elements of the array that <paramref name="destination"/> ends
    /// in. None when the stretch is damaged.
    /// </summary>
    internal static void CopyLines(StoredFrames stretch, long from, ArrayBufferWriter<byte> destination)
    {
        if (TryReadHeader(stretch, out var header))
        {
            CopyLines(stretch, header, from, destination);
        }
    }

    /// <summary>As the other one, of a stretch whose header was read.</summary>
    internal static void CopyLines(StoredFrames stretch, PackedHeader header, long from, ArrayBufferWriter<byte> destination)
    {
        var rest = stretch.Packed.Span[header.Start..];
        var time = 0L;
        for (var sequence = stretch.First; sequence <= stretch.Last; sequence++)
        {
            var bytes = ReadEntry(ref rest, ref time, out var isWhole);
            if (!isWhole && sequence >= from)
            {
                LogRecord.WriteLine(bytes, destination);
            }
        }
    }

    // The line or the document at the front, which goes; a line also moves the time.
    private static ReadOnlySpan<byte> ReadEntry(ref ReadOnlySpan<byte> rest, ref long milliseconds, out bool isWhole)
    {
        var mark = ReadVarint(ref rest);
        isWhole = (mark & 1) != 0;
        milliseconds += isWhole ? 0 : Unzigzag(ReadVarint(ref rest));
        var bytes = rest[..(int)(mark >> 1)];
        rest = rest[bytes.Length..];
        return bytes;
    }

    // A document, with the lines it repeats, or spaces for those that are gone.
    private static void WriteWhole(Span<byte> destination, ReadOnlySpan<byte> document, LineQuote quote, ReadOnlySpan<byte> quoted)
    {
        if (quote.Length == 0)
        {
            document.CopyTo(destination);
            return;
        }

        document[..quote.At].CopyTo(destination);
        document[quote.At..].CopyTo(destination[(quote.At + quote.Length)..]);
        var room = destination.Slice(quote.At, quote.Length);
        room.Fill((byte)' ');

        // An array has a comma before each element but its first.
        var isFirst = document[quote.At - 1] == (byte)'[';
        var comma = isFirst ? 0 : 1;
        if (!quoted.IsEmpty && comma + quoted.Length <= room.Length)
        {
            room[0] = (byte)',';
            quoted.CopyTo(room[comma..]);
        }
        else if (isFirst && document[quote.At] == (byte)',')
        {
            destination[quote.At + quote.Length] = (byte)' ';
        }
    }

    /// <summary>Packs whole frames behind those that a stretch has.</summary>
    /// <param name="encoder">That of their execution.</param>
    /// <param name="frames">Ready WebSocket frames as the log has them.</param>
    /// <param name="first">Sequence of the first one.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="stretch">Gets them.</param>
    /// <param name="quote">What the last of these repeats of the lines before it.</param>
    internal static void Pack(FrameEncoder encoder, ReadOnlySpan<byte> frames, long first, int count, StretchWriter stretch, LineQuote quote = default)
    {
        ReadOnlySpan<byte> timestamp = default;
        var milliseconds = 0L;
        for (var sequence = first; sequence < first + count; sequence++)
        {
            var (start, length) = WebSocketFrame.Measure(frames);
            var json = frames.Slice(start, length);
            frames = frames[(start + length)..];
            if (!encoder.TryGetLine(json, sequence, out var inside, out var lineLength))
            {
                stretch.AddWhole(json, start + length, sequence == first + count - 1 ? quote : default);
                continue;
            }

            // Lines come in bursts: most share their millisecond with the one before.
            var written = FrameEncoder.TimestampOf(json);
            if (!written.SequenceEqual(timestamp))
            {
                timestamp = written;
                milliseconds = ReadMilliseconds(written);
            }

            stretch.AddLine(json.Slice(inside, lineLength), milliseconds, start + length);
        }
    }

    // 2026-11-21T17:00:00.123Z: always these 24 characters.
    private static long ReadMilliseconds(ReadOnlySpan<byte> timestamp)
    {
        var second = new DateTime(
            Number(timestamp[..4]),
            Number(timestamp[5..7]),
            Number(timestamp[8..10]),
            Number(timestamp[11..13]),
            Number(timestamp[14..16]),
            Number(timestamp[17..19]),
            DateTimeKind.Utc);
        return (second.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond + Number(timestamp[20..23]);
    }

    private static int Number(ReadOnlySpan<byte> digits)
    {
        var value = 0;
        foreach (var digit in digits)
        {
            value = 10 * value + digit - '0';
        }

        return value;
    }

    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var checksum = uint.MaxValue;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            checksum = BitOperations.Crc32C(checksum, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        }

        foreach (var value in bytes[(8 * words.Length)..])
        {
            checksum = BitOperations.Crc32C(checksum, value);
        }

        return ~checksum;
    }

    internal static ulong Zigzag(long value) => (ulong)((value << 1) ^ (value >> 63));

    private static long Unzigzag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    internal static void WriteVarint(Span<byte> destination, ref int at, ulong value)
    {
        while (value >= 0x80)
        {
            destination[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[at++] = (byte)value;
    }

    private static ulong ReadVarint(ref ReadOnlySpan<byte> bytes)
    {
        var (value, shift) = (0UL, 0);
        while (!bytes.IsEmpty && shift < 64)
        {
            var next = bytes[0];
            bytes = bytes[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }

            shift += 7;
        }

        throw new InvalidDataException("A stretch of frames is damaged: a number in it has no end");
    }
}

/// <summary>What a packed stretch says of itself.</summary>
/// <param name="Count">Frames in it.</param>
/// <param name="FrameBytes">Bytes they unpack to.</param>
/// <param name="HasEvents">Typed events may be among them.</param>
/// <param name="Start">Where the frames begin.</param>
public readonly record struct PackedHeader(int Count, int FrameBytes, bool HasEvents, int Start)
{
    /// <summary>What its last frame repeats.</summary>
    internal LineQuote Quote { get; init; }
}
