using System.Buffers;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using Harness.Executions;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Transports.SignalR;

/// <summary>
/// The WebSocket under a connection of the hub. SignalR sends what is in its buffer piece by piece; here the pieces of a message become one frame
/// and one write, which over plain TCP goes straight to the socket as those of <c>/ws</c> do. Reading, pings and the closing handshake are .NET's.
/// </summary>
/// <param name="stream">The connection; the socket's from now on.</param>
/// <param name="subProtocol">What was agreed on.</param>
/// <param name="abort">Cuts the connection under it: writes then end.</param>
internal sealed class HubSocket(SocketStream stream, string? subProtocol, Action abort) : WebSocket
{
    private const int LongestHeader = 10;
    private const int UsualBytes = 4096;

    // From here on, two places in one call are cheaper than a copy.
    private const int WorthNoCopy = 8 * 1024;
    private const byte FinalBinary = 0x82;

    // SignalR has pings of its own.
    private readonly WebSocket _inner = CreateFromStream(
        stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = TimeSpan.Zero, SubProtocol = subProtocol });

    // What comes in several pieces. Bounded by what SignalR has in its buffer: 64 KiB, or one message that is longer.
    private byte[] _message = [];
    private int _length = LongestHeader;

    // A header and what it is of.
    private List<ArraySegment<byte>>? _pieces;

    public override WebSocketCloseStatus? CloseStatus => _inner.CloseStatus;

    public override string? CloseStatusDescription => _inner.CloseStatusDescription;

    public override WebSocketState State => _inner.State;

    public override string? SubProtocol => _inner.SubProtocol;

    public override async ValueTask SendAsync(
        ReadOnlyMemory<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
    {
        if (State is not (WebSocketState.Open or WebSocketState.CloseReceived))
        {
            throw new WebSocketException(WebSocketError.InvalidState, $"The socket is {State}: nothing more can be sent.");
        }

        if (endOfMessage && _length == LongestHeader && TryFrame(buffer, messageType))
        {
            try
            {
                await CompleteAsync(stream.WriteAsync(_pieces!, CancellationToken.None), cancellationToken);
            }
            finally
            {
                // It can be large, and this socket idle for long.
                _pieces![1] = default;
            }

            return;
        }

        Add(buffer.Span);
        if (!endOfMessage)
        {
            return;
        }

        var (message, length) = (_message, _length);
        (_message, _length) = ([], LongestHeader);
        try
        {
            await CompleteAsync(stream.WriteAsync(Frame(message, length, messageType), CancellationToken.None), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(message);
        }
    }

    public override Task SendAsync(
        ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken) =>
        SendAsync(buffer.AsMemory(), messageType, endOfMessage, cancellationToken).AsTask();

    public override ValueTask<ValueWebSocketReceiveResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        _inner.ReceiveAsync(buffer, cancellationToken);

    public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) =>
        _inner.ReceiveAsync(buffer, cancellationToken);

    public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
        _inner.CloseAsync(closeStatus, statusDescription, cancellationToken);

    public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
        _inner.CloseOutputAsync(closeStatus, statusDescription, cancellationToken);

    public override void Abort()
    {
        // First of all: SignalR gives the memory of a write on its way to others now, and .NET's socket would let that write go on.
        abort();
        _inner.Abort();
    }

    // SignalR's last write has ended or was aborted by now.
    public override void Dispose() => _inner.Dispose();

    private static ReadOnlyMemory<byte> Frame(byte[] message, int length, WebSocketMessageType type)
    {
        var payload = length - LongestHeader;
        var size = WebSocketFrame.SizeOf(payload);
        var frame = message.AsMemory(length - size, size);
        WriteHeader(frame.Span, payload, type);
        return frame;
    }

    private static int WriteHeader(Span<byte> header, int payload, WebSocketMessageType type)
    {
        var length = WebSocketFrame.WriteHeader(header, payload);
        if (type == WebSocketMessageType.Binary)
        {
            header[0] = FinalBinary;
        }

        return length;
    }

    // A whole message can be written from where it is: the socket takes several places.
    private bool TryFrame(ReadOnlyMemory<byte> message, WebSocketMessageType type)
    {
        if (message.Length < WorthNoCopy || !stream.IsDirect || !MemoryMarshal.TryGetArray(message, out var payload))
        {
            return false;
        }

        _pieces ??= [new byte[LongestHeader], default];
        var header = _pieces[0].Array!;
        _pieces[0] = new ArraySegment<byte>(header, 0, WriteHeader(header, payload.Count, type));
        _pieces[1] = payload;
        return true;
    }

    private void Add(ReadOnlySpan<byte> piece)
    {
        if (_length + piece.Length > _message.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(UsualBytes, Math.Max(_length + piece.Length, 2 * _message.Length)));
            _message.AsSpan(0, Math.Min(_length, _message.Length)).CopyTo(larger);
            if (_message.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_message);
            }

            _message = larger;
        }

        piece.CopyTo(_message.AsSpan(_length));
        _length += piece.Length;
    }

    // A frame is written whole, or the connection is at its end.
    private async ValueTask CompleteAsync(ValueTask write, CancellationToken cancellationToken)
    {
        if (write.IsCompletedSuccessfully)
        {
            return;
        }

        await using var registration = cancellationToken.UnsafeRegister(static abort => ((Action)abort!)(), abort);
        try
        {
            await write;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }
}
