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
/// </remarks>
public static class FramePacker
{
    internal const byte Version = 1;
    internal const int PrefixBytes = 6;
    internal const int MaxVarint = 10;

    /// <summary>Packs whole frames.</summary>
    /// <param name="executionId">Whose frames.</param>
    /// <param name="frames">Ready WebSocket frames as the log has them.</param>
    /// <param name="first">Sequence of the first one.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="hasEvents">Whether typed events may be among them.</param>
    public static byte[] Pack(string executionId, ReadOnlySpan<byte> frames, long first, int count, bool hasEvents)
    {
        var stretch = new StretchWriter(first, frames.Length / 2) { HasEvents = hasEvents };
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
        if (packed.Length < PrefixBytes || packed[0] != Version || Checksum(packed[5..]) != BinaryPrimitives.ReadUInt32LittleEndian(packed[1..]))
        {
            return false;
        }

        var rest = packed[PrefixBytes..];
        var count = (int)ReadVarint(ref rest);
        header = new PackedHeader(count, (int)ReadVarint(ref rest), (packed[5] & 1) != 0, packed.Length - rest.Length);
        return count == stretch.Last - stretch.First + 1;
    }

    /// <summary>Unpacks a stretch.</summary>
    /// <param name="executionId">Whose frames.</param>
    /// <param name="stretch">What <see cref="Pack(string, ReadOnlySpan{byte}, long, int, bool)"/> gave.</param>
    /// <param name="destination">Gets the frames; <see cref="PackedHeader.FrameBytes"/> long.</param>
    /// <exception cref="InvalidDataException"><see cref="TryReadHeader"/> is false for it.</exception>
    public static void Unpack(string executionId, StoredFrames stretch, Span<byte> destination)
    {
        if (!TryReadHeader(stretch, out var header))
        {
            throw new InvalidDataException($"The frames {stretch.First} to {stretch.Last} are damaged");
        }

        var encoder = new FrameEncoder(executionId);
        var rest = stretch.Packed.Span[header.Start..];
        var time = 0L;
        for (var sequence = stretch.First; sequence <= stretch.Last; sequence++)
        {
            var mark = ReadVarint(ref rest);
            var isWhole = (mark & 1) != 0;
            time += isWhole ? 0 : Unzigzag(ReadVarint(ref rest));
            var bytes = rest[..(int)(mark >> 1)];
            rest = rest[bytes.Length..];
            var size = isWhole ? WebSocketFrame.SizeOf(bytes.Length) : encoder.SizeOfLog(bytes.Length, sequence);
            var frame = destination[..size];
            destination = destination[size..];
            if (isWhole)
            {
                bytes.CopyTo(frame[WebSocketFrame.WriteHeader(frame)..]);
            }
            else
            {
                encoder.WriteEscapedLog(frame, bytes, sequence, DateTimeOffset.FromUnixTimeMilliseconds(time));
            }
        }
    }

    /// <summary>Packs whole frames behind those that a stretch has.</summary>
    internal static void Pack(FrameEncoder encoder, ReadOnlySpan<byte> frames, long first, int count, StretchWriter stretch)
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
                stretch.AddWhole(json, start + length);
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
public readonly record struct PackedHeader(int Count, int FrameBytes, bool HasEvents, int Start);
