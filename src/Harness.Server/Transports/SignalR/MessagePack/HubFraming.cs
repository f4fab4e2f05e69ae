using System.Buffers;
using System.Numerics;

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>
/// How hub messages follow each other in a stream of bytes (HubProtocol.md, "Binary encoding"): before each its length as a VarInt, seven
/// bits a byte, the lowest first, five bytes at most.
/// </summary>
internal static class HubFraming
{
    /// <summary>Longest length prefix, in bytes.</summary>
    public const int MaxPrefix = 5;

    /// <summary>Takes the first message off when all of it is there.</summary>
    /// <param name="input">What has come; what is left of it after a success.</param>
    /// <param name="maxLength">Longest message accepted, in bytes.</param>
    /// <param name="message">The message without its prefix.</param>
    /// <exception cref="InvalidDataException">The prefix is none, or of a message too long.</exception>
    public static bool TryTake(ref ReadOnlySequence<byte> input, int maxLength, out ReadOnlySequence<byte> message)
    {
        message = default;
        if (!TryReadPrefix(input, out var prefix, out var length))
        {
            return false;
        }

        if (length > maxLength)
        {
            throw new InvalidDataException($"A message of {length} bytes is longer than {maxLength}, the limit");
        }

        if (input.Length < prefix + length)
        {
            return false;
        }

        message = input.Slice(prefix, length);
        input = input.Slice(message.End);
        return true;
    }

    /// <summary>Bytes of the prefix of a message: one to five.</summary>
    public static int PrefixOf(int length) => (BitOperations.Log2((uint)length) + 7) / 7;

    /// <summary>Writes the prefix of a message.</summary>
    /// <returns>Bytes written: <see cref="PrefixOf"/>.</returns>
    public static int WritePrefix(Span<byte> destination, int length)
    {
        var written = 0;
        var rest = (uint)length;
        for (; rest > 0x7F; rest >>= 7)
        {
            destination[written++] = (byte)(rest | 0x80);
        }

        destination[written++] = (byte)rest;
        return written;
    }

    private static bool TryReadPrefix(in ReadOnlySequence<byte> input, out int prefix, out long length)
    {
        length = 0;
        prefix = 0;
        var reader = new SequenceReader<byte>(input);
        while (reader.TryRead(out var part))
        {
            length |= (long)(part & 0x7F) << (7 * prefix++);
            if (part <= 0x7F)
            {
                return true;
            }

            if (prefix == MaxPrefix)
            {
                throw new InvalidDataException($"A length prefix is longer than {MaxPrefix} bytes");
            }
        }

        return false;
    }
}
