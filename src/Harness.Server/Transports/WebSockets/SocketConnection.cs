using System.Net.WebSockets;

namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// One open <c>/ws</c> connection: reads commands one after the other, and ends when the peer closes, when the server closes it, or when
/// the connection breaks. Executions it started go on, unless it asked for the contrary.
/// </summary>
internal sealed class SocketConnection : IDisposable
{
    // How long a peer may take to answer a close frame before the connection is cut.
    private static readonly TimeSpan CloseTimeLimit = TimeSpan.FromSeconds(5);
    private static readonly byte[] Ping = [0x89, 0x00];

    private readonly SocketCommands _commands;
    private readonly Action _abort;
    private readonly SocketStream _stream;
    private readonly WebSocket _socket;
    private readonly CancellationTokenSource _cut;
    private readonly int _maxMessageBytes;
    private readonly MessageBudget _budget;
    private readonly long _openedAt = Environment.TickCount64;
    private PeerPulse _pulse = new(Environment.TickCount64);
    private volatile int _closing;
    private volatile bool _isHandling;

    /// <param name="stream">What it reads and writes.</param>
    /// <param name="commands">What a client can ask.</param>
    /// <param name="queue">Where it waits to send.</param>
    /// <param name="options">The limits.</param>
    /// <param name="abort">Cuts what is under it: reads and writes then end.</param>
    /// <param name="closed">Ends with what is under it.</param>
    public SocketConnection(
        SocketStream stream, SocketCommands commands, PumpQueue queue, ServerOptions options, Action abort, CancellationToken closed)
    {
        _commands = commands;
        _abort = abort;
        _maxMessageBytes = options.MaxMessageBytes;
        _stream = stream;
        _cut = CancellationTokenSource.CreateLinkedTokenSource(closed);

        // A write that waits for the peer ends only when the connection under it does.
        _cut.Token.UnsafeRegister(static abort => ((Action)abort!)(), abort);

        // The heartbeat is one for all connections: no timer here.
        _socket = WebSocket.CreateFromStream(
            _stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = TimeSpan.Zero });
        Session = new SocketSession(new SocketPump(_stream, queue, _ => _cut.Cancel()));
        _budget = new MessageBudget(options.MaxMessagesPerSecond);
        _stream.OnPong = () => _ = TryTakeMessage();
    }

    /// <summary>What it has said of itself.</summary>
    public SocketSession Session { get; }

    /// <summary>What goes out.</summary>
    public SocketPump Pump => Session.Pump;

    /// <summary>How long it has been open.</summary>
    public TimeSpan Age => TimeSpan.FromMilliseconds(Environment.TickCount64 - _openedAt);

    /// <summary>Reads and answers until the end. Never throws for what a peer or the network does.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (await ReceiveAsync() is { } message)
            {
                try
                {
                    // What comes after our close frame is not acted on: a page of a foreign origin may send before it hears of it.
                    if (_closing == 0)
                    {
                        await HandleAsync(message.AsMemory());
                    }
                }
                finally
                {
                    message.Return();
                }
            }

            // The reference server gives the peer's own close code back.
            await CloseAsync(_socket.CloseStatus ?? WebSocketCloseStatus.NormalClosure, _socket.CloseStatusDescription);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The peer or the network ended it: nobody is left to tell.
        }
        finally
        {
            _commands.End(Session);
            Pump.Stop();

            // The logs' memory is in the pump's hands until its last write has ended. A close frame that .NET's socket has sent for a
            // broken rule gets out meanwhile: cutting at once would take it back.
            await Pump.Stopped.WaitAsync(CloseTimeLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!Pump.Stopped.IsCompleted)
            {
                _abort();
                await Pump.Stopped;
            }
        }
    }

    /// <summary>
    /// Sends a close frame once, and cuts the connection when the peer does not answer it in time. Safe to call from anywhere, any number
    /// of times.
    /// </summary>
    public async Task CloseAsync(WebSocketCloseStatus code, string? reason)
    {
        if (Interlocked.Exchange(ref _closing, 1) != 0)
        {
            return;
        }

        try
        {
            _cut.CancelAfter(CloseTimeLimit);
            await _socket.CloseOutputAsync(code, reason, _cut.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            await _cut.CancelAsync();
        }
    }

    /// <summary>Pings when it is time, and closes a peer that is gone or takes nothing.</summary>
    /// <param name="now"><see cref="Environment.TickCount64"/>.</param>
    /// <param name="options">The limits.</param>
    public void Beat(long now, ServerOptions options)
    {
        switch (_pulse.Beat(now, _stream.WritingSince, _stream.HeardAt, _stream.Written, !_isHandling, options))
        {
            case PulseFinding.Slow:
                Pump.Stop();
                CloseSoon(4008, $"slow: no byte was taken for {options.SlowClientTimeLimit.TotalSeconds:0} s; reconnect and go on after your last seq");
                break;
            case PulseFinding.Silent:
                CloseSoon(4012, $"no pong within {options.PongTimeLimit.TotalSeconds:0} s; reconnect and go on after your last seq");
                break;
            case PulseFinding.PingIsDue:
                _ = PingAsync();
                break;
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _cut.Dispose();
    }

    private async Task PingAsync()
    {
        try
        {
            await _stream.WriteAsync(Ping, _cut.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The read side sees the same end.
        }
    }

    // CloseAsync never faults, and RunAsync ends with it.
    private void CloseSoon(int code, string reason) => _ = CloseAsync((WebSocketCloseStatus)code, reason);

    private async ValueTask HandleAsync(ReadOnlyMemory<byte> message)
    {
        if (!TryTakeMessage())
        {
            return;
        }

        _isHandling = true;
        try
        {
            await Pump.WaitForRoomAsync(_cut.Token);
            await _commands.HandleAsync(message, Session, _cut.Token);
        }
        finally
        {
            _isHandling = false;
        }
    }

    // A ping and a piece with nothing in it count as messages: they cost as much. All of them are read by one reader, one after the other.
    private bool TryTakeMessage()
    {
        if (_budget.TryTake(Environment.TickCount64))
        {
            return true;
        }

        CloseSoon(4029, _budget.Refusal);
        return false;
    }

    /// <summary>The next whole message, or null when the peer has closed. After our own close frame everything is read and thrown away.</summary>
    private async ValueTask<IncomingMessage?> ReceiveAsync()
    {
        // An idle connection waits without a buffer, and without a token, which costs memory at each layer: cutting the connection ends it.
        var message = new IncomingMessage();
        try
        {
            var result = await _socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
            while (result.MessageType != WebSocketMessageType.Close)
            {
                if (message.Length > _maxMessageBytes)
                {
                    await CloseAsync(WebSocketCloseStatus.MessageTooBig, $"the message has more than {_maxMessageBytes} bytes, which is the limit");
                    message.Clear();
                }
                else if (result.EndOfMessage)
                {
                    return message;
                }

                result = await _socket.ReceiveAsync(message.Room(), CancellationToken.None);
                message.Advance(result.Count);
                if (result is { Count: 0, EndOfMessage: false, MessageType: not WebSocketMessageType.Close })
                {
                    TryTakeMessage();
                }
            }
        }
        catch
        {
            message.Return();
            throw;
        }

        message.Return();
        return null;
    }
}
