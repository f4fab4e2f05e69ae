using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <summary>Unmasked WebSocket text frames (RFC 6455, 5.2), as logs keep them and sockets get them: header and payload in one piece.</summary>
public static class WebSocketFrame
{
    private const byte FinalText = 0x81;
    private const int LargestShort = 125;

    /// <summary>Bytes of a frame with this payload.</summary>
    public static int SizeOf(int payload) => payload + (payload <= LargestShort ? 2 : payload <= ushort.MaxValue ? 4 : 10);

    /// <summary>Writes the header of a frame that fills the memory exactly: see <see cref="SizeOf"/>.</summary>
    /// <returns>Where the payload begins.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int WriteHeader(Span<byte> frame) =>
        WriteHeader(frame, frame.Length - (frame.Length <= LargestShort + 2 ? 2 : frame.Length <= ushort.MaxValue + 4 ? 4 : 10));

    /// <summary>Writes the header of a frame whose payload is elsewhere.</summary>
    /// <param name="header">Ten bytes are room enough.</param>
    /// <param name="payload">Bytes of the payload.</param>
    /// <returns>Bytes written.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WriteHeader(Span<byte> header, int payload)
    {
        header[0] = FinalText;
        switch (payload)
        {
            case <= LargestShort:
                header[1] = (byte)payload;
                return 2;
            case <= ushort.MaxValue:
                header[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)payload);
                return 4;
            default:
                header[1] = 127;
                BinaryPrimitives.WriteUInt64BigEndian(header[2..], (ulong)payload);
                return 10;
        }
    }

    /// <summary>Where the payload of the first of several frames begins, and how long it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (int Start, int Length) Measure(ReadOnlySpan<byte> frames) => frames[1] switch
    {
        126 => (4, BinaryPrimitives.ReadUInt16BigEndian(frames[2..])),
        127 => (10, (int)BinaryPrimitives.ReadUInt64BigEndian(frames[2..])),
        var length => (2, length),
    };

    /// <summary>A frame with this payload.</summary>
    public static byte[] Of(ReadOnlySpan<byte> payload)
    {
        var frame = new byte[SizeOf(payload.Length)];
        payload.CopyTo(frame.AsSpan(WriteHeader(frame)));
        return frame;
    }
}
