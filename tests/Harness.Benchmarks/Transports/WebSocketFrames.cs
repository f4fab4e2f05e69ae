using System.Buffers.Binary;
using System.Text;

namespace Harness.Benchmarks.Transports;

/// <summary>The client's side of RFC 6455, as far as a load needs it.</summary>
internal sealed class WebSocketFrames(string path)
{
    private const int Close = 8;
    private const int Ping = 9;
    private const int Pong = 10;

    /// <summary>Gets the payload of a text or binary frame.</summary>
    public delegate void PayloadHandler(ReadOnlySpan<byte> payload);

    /// <summary>Whether the handshake is over.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>A frame to a server. A mask of zeros is a mask.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> payload, bool isText = true, int control = 0)
    {
        var opcode = (byte)(0x80 | (control != 0 ? control : isText ? 1 : 2));
        return payload.Length < 126
            ? [opcode, (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload]
            : [opcode, 0x80 | 126, (byte)(payload.Length >> 8), (byte)payload.Length, 0, 0, 0, 0, .. payload];
    }

    /// <inheritdoc cref="Frame(ReadOnlySpan{byte}, bool, int)" />
    public static byte[] Frame(string text) => Frame(Encoding.UTF8.GetBytes(text));

    /// <summary>The request that opens the socket.</summary>
    public byte[] Upgrade(int port) => Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");

    /// <summary>Passes whole frames on and answers pings.</summary>
    /// <returns>The bytes taken from the front.</returns>
    public int Take(ReadOnlySpan<byte> bytes, PayloadHandler handler, Action<byte[]> answer)
    {
        var taken = IsOpen ? 0 : TakeHead(bytes);
        while (IsOpen && TryMeasure(bytes[taken..], out var start, out var length))
        {
            var payload = bytes.Slice(taken + start, length);
            switch (bytes[taken] & 15)
            {
                case Close:
                    throw new IOException($"The server closed: {Encoding.UTF8.GetString(payload[Math.Min(2, length)..])}");
                case Ping:
                    answer(Frame(payload, control: Pong));
                    break;
                case Pong:
                    break;
                default:
                    handler(payload);
                    break;
            }

            taken += start + length;
        }

        return taken;
    }

    private static bool TryMeasure(ReadOnlySpan<byte> bytes, out int start, out int length)
    {
        (start, length) = (2, 0);
        if (bytes.Length < 2)
        {
            return false;
        }

        length = bytes[1];
        if (length >= 126)
        {
            start = length == 126 ? 4 : 10;
            if (bytes.Length < start)
            {
                return false;
            }

            length = length == 126
                ? BinaryPrimitives.ReadUInt16BigEndian(bytes[2..])
                : (int)BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]);
        }

        return bytes.Length >= start + length;
    }

    private int TakeHead(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return 0;
        }

        IsOpen = bytes[..end].StartsWith("HTTP/1.1 101"u8)
            ? true
            : throw new IOException($"No handshake: {Encoding.ASCII.GetString(bytes[..end])}");
        return end + 4;
    }
}
