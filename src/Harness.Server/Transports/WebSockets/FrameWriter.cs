using System.Buffers;

namespace Harness.Server.Transports.WebSockets;

/// <summary>Gathers small frames into one write of the stream. For one thread at a time.</summary>
internal sealed class FrameWriter(SocketStream stream)
{
    // Ranges below this are gathered; larger ones go straight from the log's memory. When the gathering is full it is written.
    private const int SmallBytes = 8 * 1024;
    private const int GatherBytes = 32 * 1024;

    private byte[]? _gathered;
    private int _gatheredLength;

    /// <summary>Writes frames, at once or with the next ones. The memory may change when the call has returned.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> frames)
    {
        if (frames.Length > SmallBytes || _gatheredLength + frames.Length > GatherBytes)
        {
            return FlushAndWriteAsync(frames);
        }

        _gathered ??= ArrayPool<byte>.Shared.Rent(GatherBytes);
        frames.CopyTo(_gathered.AsMemory(_gatheredLength));
        _gatheredLength += frames.Length;
        return ValueTask.CompletedTask;
    }

    private async ValueTask FlushAndWriteAsync(ReadOnlyMemory<byte> frames)
    {
        await FlushAsync();
        await stream.WriteAsync(frames);
    }

    /// <summary>Writes what is gathered.</summary>
    public async ValueTask FlushAsync()
    {
        if (_gathered is not { } gathered)
        {
            return;
        }

        _gathered = null;
        var length = _gatheredLength;
        _gatheredLength = 0;
        try
        {
            await stream.WriteAsync(gathered.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(gathered);
        }
    }
}
