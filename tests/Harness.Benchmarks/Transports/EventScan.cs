using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace Harness.Benchmarks.Transports;

/// <summary>
/// Counts events without parsing them: a line's text cannot have the words looked for, because quotes in it are escaped. The result is
/// looked into: its sequence says whether any event was lost.
/// </summary>
internal static class EventScan
{
    // A line's type and stamp are within its first bytes; the rest is not searched.
    private const int BeginningLength = 256;

    private static ReadOnlySpan<byte> PackedLog => [0xa4, (byte)'t', (byte)'y', (byte)'p', (byte)'e', 0xa3, (byte)'l', (byte)'o', (byte)'g'];

    private static ReadOnlySpan<byte> PackedResult => [0xa4, (byte)'t', (byte)'y', (byte)'p', (byte)'e', 0xa6, (byte)'r', (byte)'e', (byte)'s', (byte)'u', (byte)'l', (byte)'t'];

    private static ReadOnlySpan<byte> PackedSequence => [0xa3, (byte)'s', (byte)'e', (byte)'q'];

    private static ReadOnlySpan<byte> PackedId => [0xa2, (byte)'i', (byte)'d', 0xd9, 36];

    /// <summary>A message of JSON that is one event, maybe in an envelope.</summary>
    public static void Json(ReadOnlySpan<byte> message, Arrivals arrivals)
    {
        var beginning = BeginningOf(message);
        if (beginning.IndexOf("\"type\":\"log\""u8) >= 0)
        {
            arrivals.AddLines(1, beginning);
        }
        else
        {
            RareJson(message, arrivals);
        }
    }

    /// <summary>A message of JSON with any number of events.</summary>
    public static void JsonBatch(ReadOnlySpan<byte> message, Arrivals arrivals)
    {
        var lines = message.Count("\"type\":\"log\""u8);
        if (lines > 0)
        {
            arrivals.AddLines(lines, BeginningOf(message));
        }

        RareJson(message, arrivals);
    }

    /// <summary>A message of MessagePack with any number of events.</summary>
    public static void MessagePack(ReadOnlySpan<byte> message, Arrivals arrivals)
    {
        var lines = message.Count(PackedLog);
        if (lines > 0)
        {
            arrivals.AddLines(lines, BeginningOf(message));
        }

        if (message.IndexOf(PackedResult) >= 0)
        {
            arrivals.AddResult(PackedInteger(message[(message.LastIndexOf(PackedSequence) + PackedSequence.Length)..]));
        }
        else if (lines == 0)
        {
            arrivals.AddAnswer(message, PackedId);
        }
    }

    private static ReadOnlySpan<byte> BeginningOf(ReadOnlySpan<byte> message) => message[..Math.Min(message.Length, BeginningLength)];

    private static void RareJson(ReadOnlySpan<byte> message, Arrivals arrivals)
    {
        if (message.IndexOf("\"type\":\"result\""u8) >= 0)
        {
            var sequence = message[(message.LastIndexOf("\"seq\":"u8) + "\"seq\":"u8.Length)..];
            arrivals.AddResult(Utf8Parser.TryParse(sequence, out long last, out _) ? last : -1);
        }
        else if (message.IndexOf("\"type\":\"error\""u8) >= 0 || message.IndexOf("\"error\":\""u8) >= 0
            || message.IndexOf("\"type\":\"truncated\""u8) >= 0)
        {
            throw new InvalidDataException($"The server refuses, or has lost events: {Encoding.UTF8.GetString(BeginningOf(message))}");
        }
        else
        {
            arrivals.AddAnswer(message, "\"id\":\""u8);
        }
    }

    private static long PackedInteger(ReadOnlySpan<byte> value) => value[0] switch
    {
        < 0x80 => value[0],
        0xcc or 0xd0 => value[1],
        0xcd or 0xd1 => BinaryPrimitives.ReadUInt16BigEndian(value[1..]),
        0xce or 0xd2 => BinaryPrimitives.ReadUInt32BigEndian(value[1..]),
        0xcf or 0xd3 => BinaryPrimitives.ReadInt64BigEndian(value[1..]),
        _ => -1,
    };
}
