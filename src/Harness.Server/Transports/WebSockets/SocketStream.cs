namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// The upgraded connection under a <see cref="System.Net.WebSockets.WebSocket"/>. .NET's socket reads through it and writes its control
/// frames; our data frames go to the same stream. Every write is whole frames and atomic, so the two never interleave. It also knows when
/// the peer was last heard and since when a write has been waiting, which is all the heartbeat needs: no timer per connection.
/// </summary>
internal sealed class SocketStream(Stream inner) : Stream
{
    private const int OpcodeMask = 0x0F;
    private const int CloseOpcode = 0x08;

    private readonly SemaphoreSlim _turn = new(1);
    private long _heardAt = Environment.TickCount64;
    private long _writingSince;
    private volatile bool _closeSent;

    /// <summary>When the peer last sent anything, in <see cref="Environment.TickCount64"/> milliseconds.</summary>
    public long HeardAt => Volatile.Read(ref _heardAt);

    /// <summary>Since when the write under way has been waiting for the peer, in the same milliseconds; 0 when none is.</summary>
    public long WritingSince => Volatile.Read(ref _writingSince);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Writes whole frames. Dropped after the close frame, as the protocol demands.</summary>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_closeSent)
            {
                return;
            }

            Volatile.Write(ref _writingSince, Environment.TickCount64);
            _closeSent = (buffer.Span[0] & OpcodeMask) == CloseOpcode;
            await inner.WriteAsync(buffer, cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _writingSince, 0);
            _turn.Release();
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Volatile.Write(ref _heardAt, Environment.TickCount64);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // Every write is flushed by Kestrel's upgraded stream itself.
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
