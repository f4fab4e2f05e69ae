using System.Buffers;
using System.Runtime.InteropServices;

namespace Harness.Server.Transports.WebSockets;

/// <summary>Gathers frames into one write of the stream: small ones are copied together, large ones stay where they are. For one thread at a time.</summary>
internal sealed class FrameWriter(SocketStream stream)
{
    /// <summary>When there are as many, everything is written: what a write costs besides its bytes does not count any more.</summary>
    public const int WriteBytes = 64 * 1024;

    // Fewer bytes are sooner copied than told to the system as a place of their own.
    private const int SmallBytes = 8 * 1024;

    // Room for what is copied. When it is full everything is written.
    private const int CopiedBytes = 32 * 1024;

    private byte[]? _copied;
    private int _copiedLength;

    // Where in the copied ones those begin that are behind the last large ones.
    private int _tailStart;

    // What comes before that tail; null without large ones, which are seldom gathered. With WriteBytes of them, eight at most, all is written.
    private List<ArraySegment<byte>>? _pieces;
    private int _length;

    /// <summary>True when nothing waits to be written.</summary>
    public bool IsEmpty => _length == 0;

    /// <summary>True when something that waits to be written is not copied.</summary>
    public bool HasBorrowed => _pieces is not null;

    /// <summary>Writes frames, at once or with the next ones. Their memory may change after <see cref="FlushBorrowedAsync"/>.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> frames)
    {
        if (frames.Length > SmallBytes)
        {
            return _length == 0 && frames.Length >= WriteBytes ? stream.WriteAsync(frames) : BorrowAsync(frames);
        }

        if (_copiedLength + frames.Length > CopiedBytes)
        {
            return FlushAndCopyAsync(frames);
        }

        Copy(frames);
        return ValueTask.CompletedTask;
    }

    /// <summary>Writes what is gathered, if some of it is not copied.</summary>
    public ValueTask FlushBorrowedAsync() => HasBorrowed ? FlushAsync() : ValueTask.CompletedTask;

    /// <summary>Writes what is gathered.</summary>
    public async ValueTask FlushAsync()
    {
        if (_length == 0)
        {
            return;
        }

        var (pieces, copied, copiedLength) = (EndTail(), _copied, _copiedLength);
        (_pieces, _copied, _copiedLength, _tailStart, _length) = (null, null, 0, 0, 0);
        try
        {
            await (pieces is null ? stream.WriteAsync(copied.AsMemory(0, copiedLength)) : stream.WriteAsync(pieces));
        }
        finally
        {
            if (copied is not null)
            {
                ArrayPool<byte>.Shared.Return(copied);
            }
        }
    }

    private ValueTask BorrowAsync(ReadOnlyMemory<byte> frames)
    {
        _pieces ??= [];
        EndTail();
        _pieces.Add(MemoryMarshal.TryGetArray(frames, out var piece) ? piece : frames.ToArray());
        _length += frames.Length;
        return _length >= WriteBytes ? FlushAsync() : ValueTask.CompletedTask;
    }

    private List<ArraySegment<byte>>? EndTail()
    {
        if (_copied is not null && _copiedLength > _tailStart)
        {
            _pieces?.Add(new ArraySegment<byte>(_copied, _tailStart, _copiedLength - _tailStart));
            _tailStart = _copiedLength;
        }

        return _pieces;
    }

    private async ValueTask FlushAndCopyAsync(ReadOnlyMemory<byte> frames)
    {
        await FlushAsync();
        Copy(frames);
    }

    private void Copy(ReadOnlyMemory<byte> frames)
    {
        _copied ??= ArrayPool<byte>.Shared.Rent(CopiedBytes);
        frames.CopyTo(_copied.AsMemory(_copiedLength));
        _copiedLength += frames.Length;
        _length += frames.Length;
    }
}
