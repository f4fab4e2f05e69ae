using System.Net.Sockets;

namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// The upgraded connection under a <see cref="System.Net.WebSockets.WebSocket"/>. .NET's socket reads through it and writes its control
/// frames; our data frames go to the same stream. Every write is whole frames and atomic, so the two never interleave. It also knows when
/// the peer was last heard and since when a write has been waiting, which is all the heartbeat needs: no timer per connection.
/// </summary>
/// <remarks>
/// Over plain TCP all writes go to the socket itself, past Kestrel's pipe and the copy into it: 1.8 times the frames a second to a
/// hundred sockets (docs/performance.md). What Kestrel still has in its pipe must not be overtaken, and it does not say when that is empty; the peer does. One
/// that speaks has read the answer to its handshake, and before that nothing is written but a ping: then its first word has to be the pong.
/// Otherwise, and over TLS, everything goes through Kestrel's stream.
/// </remarks>
/// <param name="input">Kestrel's stream, to read from.</param>
/// <param name="output">The same or another one, to write to.</param>
/// <param name="socket">The connection itself; null when what is written to it would not be what the peer reads.</param>
internal sealed class SocketStream(Stream input, Stream output, Socket? socket) : Stream
{
    private const int OpcodeMask = 0x0F;
    private const int CloseOpcode = 0x08;
    private const int PongOpcode = 0x0A;

    // How much a slow peer must take before it counts as taking something.
    private const int SlowBytes = 16 * 1024;

    // The same through Kestrel's stream, which takes as much at once as it is given. No more than a segment of a log: those stay one write each.
    private const int SlowStreamBytes = 128 * 1024;

    private readonly SemaphoreSlim _turn = new(1);
    private int _path = (int)(socket is null ? WritePath.Stream : WritePath.NothingWritten);
    private long _heardAt = Environment.TickCount64;
    private long _writingSince;
    private long _written;
    private volatile bool _closeSent;

    /// <summary>When the peer last sent anything, in <see cref="Environment.TickCount64"/> milliseconds.</summary>
    public long HeardAt => Volatile.Read(ref _heardAt);

    /// <summary>Since when the write under way has been waiting for the peer, in the same milliseconds; 0 when none is.</summary>
    public long WritingSince => Volatile.Read(ref _writingSince);

    /// <summary>Called for every ping that .NET's socket answers, by who reads. Set it before the first read.</summary>
    public Action? OnPong { get; set; }

    /// <summary>Bytes of all writes so far, the one under way among them.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>True when writes go to the socket itself.</summary>
    public bool IsDirect => Volatile.Read(ref _path) == (int)WritePath.Direct;

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
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        WriteAsync(buffer, pieces: null, cancellationToken);

    /// <summary>Writes whole frames from several places, in their order; to the socket in one call. Dropped after the close frame, which is never among them.</summary>
    public ValueTask WriteAsync(List<ArraySegment<byte>> pieces, CancellationToken cancellationToken = default) =>
        WriteAsync(default, pieces, cancellationToken);

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, List<ArraySegment<byte>>? pieces, CancellationToken cancellationToken)
    {
        if (pieces is null && (buffer.Span[0] & OpcodeMask) == PongOpcode)
        {
            OnPong?.Invoke();
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_closeSent)
            {
                return;
            }

            Volatile.Write(ref _writingSince, Environment.TickCount64);
            Volatile.Write(ref _written, _written + (pieces is null ? buffer.Length : LengthOf(pieces)));
            if (pieces is null)
            {
                _closeSent = (buffer.Span[0] & OpcodeMask) == CloseOpcode;
                await (DecidesDirect() ? SendAsync(socket!, buffer) : WriteToStreamAsync(buffer, cancellationToken));
            }
            else if (DecidesDirect())
            {
                await SendAsync(socket!, pieces);
            }
            else
            {
                foreach (var piece in pieces)
                {
                    await WriteToStreamAsync(piece, cancellationToken);
                    Volatile.Write(ref _writingSince, Environment.TickCount64);
                }
            }
        }
        finally
        {
            Volatile.Write(ref _writingSince, 0);
            _turn.Release();
        }
    }

    private static int LengthOf(List<ArraySegment<byte>> pieces)
    {
        var length = 0;
        foreach (var piece in pieces)
        {
            length += piece.Count;
        }

        return length;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await input.ReadAsync(buffer, cancellationToken);
        Volatile.Write(ref _heardAt, Environment.TickCount64);
        if (read > 0 && Volatile.Read(ref _path) < (int)WritePath.Direct)
        {
            Choose(buffer.Span[0] & OpcodeMask);
        }

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

    // The peer's first byte is here, which is the first of a frame.
    private void Choose(int opcode)
    {
        socket!.Blocking = false;
        if (Interlocked.CompareExchange(ref _path, (int)WritePath.Direct, (int)WritePath.NothingWritten) != (int)WritePath.NothingWritten)
        {
            Volatile.Write(ref _path, (int)(opcode == PongOpcode ? WritePath.Direct : WritePath.Stream));
        }
    }

    // In its turn. The first write before the peer has spoken goes through the stream, and that is remembered.
    private bool DecidesDirect() =>
        Interlocked.CompareExchange(ref _path, (int)WritePath.Pinged, (int)WritePath.NothingWritten) == (int)WritePath.Direct;

    private async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte> frames)
    {
        try
        {
            var sent = socket.Send(frames.Span, SocketFlags.None, out var error);
            Check(error);
            await SendRestAsync(socket, frames[sent..]);
        }
        catch (SocketException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private async ValueTask SendAsync(Socket socket, List<ArraySegment<byte>> pieces)
    {
        try
        {
            var sent = socket.Send(pieces, SocketFlags.None, out var error);
            Check(error);
            foreach (var piece in pieces)
            {
                var gone = Math.Min(sent, piece.Count);
                sent -= gone;
                await SendRestAsync(socket, piece.AsMemory(gone));
            }
        }
        catch (SocketException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static void Check(SocketError error)
    {
        if (error is not (SocketError.Success or SocketError.WouldBlock))
        {
            throw new SocketException((int)error);
        }
    }

    // The system's buffer is full: it says when the peer has taken something. No token: a frame is written whole, or the connection is at its end.
    private async ValueTask SendRestAsync(Socket socket, ReadOnlyMemory<byte> frames)
    {
        while (frames.Length > 0)
        {
            var sent = await socket.SendAsync(frames[..Math.Min(frames.Length, SlowBytes)], SocketFlags.None, CancellationToken.None);
            Volatile.Write(ref _writingSince, Environment.TickCount64);
            frames = frames[sent..];
        }
    }

    private ValueTask WriteToStreamAsync(ReadOnlyMemory<byte> frames, CancellationToken cancellationToken) => frames.Length <= SlowStreamBytes
        ? output.WriteAsync(frames, cancellationToken)
        : WriteSlicesAsync(frames);

    // No token, as above.
    private async ValueTask WriteSlicesAsync(ReadOnlyMemory<byte> frames)
    {
        while (frames.Length > 0)
        {
            var length = Math.Min(frames.Length, SlowStreamBytes);
            await output.WriteAsync(frames[..length], CancellationToken.None);
            Volatile.Write(ref _writingSince, Environment.TickCount64);
            frames = frames[length..];
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            input.Dispose();
            output.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>Which way writes go.</summary>
internal enum WritePath
{
    /// <summary>Not decided: nothing was written, and nothing heard.</summary>
    NothingWritten,

    /// <summary>Not decided: a ping went through the stream, and nothing was heard.</summary>
    Pinged,

    /// <summary>To the socket.</summary>
    Direct,

    /// <summary>Through Kestrel's stream.</summary>
    Stream,
}
