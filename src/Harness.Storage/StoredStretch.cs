using Snappier;

namespace Harness.Storage;

/// <summary>
/// Stretches of frames as they lie in the database: compressed (Snappy) where that saves at least an eighth, else as they were given. A stretch that
/// is not as it was given begins with <see cref="Mark"/> and one byte more, which says how it is to be read; so does one that was given with
/// that mark at its front. Stateless.
/// </summary>
internal static class StoredStretch
{
    /// <summary>The first byte of what is not as it was given. Packed frames begin with their version, a low number.</summary>
    public const byte Mark = 0xF5;

    private const byte AsGiven = 0;
    private const byte Compressed = 1;
    private const int PrefixBytes = 2;

    // Less is a line or two, which say nothing twice.
    private const int Smallest = 512;

    // 64 bytes from 3 are the most that Snappy gives.
    private const int MaxRatio = 22;

    /// <summary>Most bytes that <see cref="Write"/> needs for a stretch.</summary>
    public static int MaxLength(int given) => PrefixBytes + Snappy.GetMaxCompressedLength(given);

    /// <summary>Writes a stretch as the database is to have it.</summary>
    /// <param name="given">The stretch.</param>
    /// <param name="destination">At least <see cref="MaxLength"/> long.</param>
    /// <returns>How much of <paramref name="destination"/> it takes; 0: it is to be kept as it was given, and nothing is in there.</returns>
    public static int Write(ReadOnlySpan<byte> given, Span<byte> destination)
    {
        if (given.Length >= Smallest)
        {
            var length = PrefixBytes + Snappy.Compress(given, destination[PrefixBytes..]);
            if (length <= given.Length - given.Length / 8)
            {
                (destination[0], destination[1]) = (Mark, Compressed);
                return length;
            }
        }

        if (given.IsEmpty || given[0] != Mark)
        {
            return 0;
        }

        (destination[0], destination[1]) = (Mark, AsGiven);
        given.CopyTo(destination[PrefixBytes..]);
        return PrefixBytes + given.Length;
    }

    /// <summary>A stretch as it was given. One that is damaged stays as it is: what comes of it is no stretch, as its reader finds.</summary>
    /// <param name="stored">What the database has; it is not changed, and may be what is returned.</param>
    public static ReadOnlyMemory<byte> Read(byte[] stored)
    {
        if (stored is [Mark, AsGiven, ..])
        {
            return stored.AsMemory(PrefixBytes);
        }

        if (stored is not [Mark, Compressed, ..])
        {
            return stored;
        }

        var block = stored.AsSpan(PrefixBytes);
        try
        {
            var length = Snappy.GetUncompressedLength(block);
            if (length < 0 || length > (long)MaxRatio * block.Length)
            {
                return stored;
            }

            var given = new byte[length];
            return Snappy.Decompress(block, given) == length ? given : stored;
        }
        catch (Exception error) when (error is InvalidDataException or ArgumentException)
        {
            return stored;
        }
    }
}
