namespace Harness.Storage.Writing;

/// <summary>
/// Where a writer compresses stretches, just before the database takes them: so it is memory that is still in the caches. For one thread. It grows to what one
/// transaction needs, and keeps no more than <see cref="MaxKept"/> for the next.
/// </summary>
internal sealed class StretchBuffer
{
    private const int Least = 256 * 1024;
    private const int MaxKept = 2 * WriteQueue.MaxGroupBytes;

    private byte[] _bytes = [];
    private int _used;

    /// <summary>Bytes that were saved by all so far.</summary>
    public long Saved { get; private set; }

    /// <summary>A stretch as the database is to have it: good until <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Compress(ReadOnlyMemory<byte> given)
    {
        var most = StoredStretch.MaxLength(given.Length);
        if (_bytes.Length - _used < most)
        {
            // Those before stay where they are.
            _bytes = new byte[Math.Max(Math.Max(Least, 2 * Math.Min(_bytes.Length, MaxKept / 2)), most)];
            _used = 0;
        }

        var length = StoredStretch.Write(given.Span, _bytes.AsSpan(_used));
        if (length == 0)
        {
            return given;
        }

        Saved += given.Length - length;
        var written = _bytes.AsMemory(_used, length);
        _used += length;
        return written;
    }

    /// <summary>The database has them all: their memory is used again.</summary>
    public void Clear()
    {
        _used = 0;
        _bytes = _bytes.Length > MaxKept ? [] : _bytes;
    }
}
