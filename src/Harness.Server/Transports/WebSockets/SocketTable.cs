using System.Collections.Concurrent;
using System.Net.WebSockets;
using Microsoft.Extensions.Options;

namespace Harness.Server.Transports.WebSockets;

/// <summary>All open connections, their common heartbeat, and their end when the server stops. Thread-safe.</summary>
internal sealed partial class SocketTable : IDisposable
{
    // When clients that said hello are told to come back: spread out, so that they do not come all at once.
    private const int LeastRetryMilliseconds = 1000;
    private const int MostRetryMilliseconds = 2000;

    // Ten thousand pings are 30 milliseconds of writes, and a buffer of the web server for each until it is sent.
    private const int BeatsAtOnce = 64;

    private static readonly TimeSpan DrainTimeLimit = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<SocketConnection, Task> _connections = new();
    private readonly SocketCommands _commands;
    private readonly PumpQueue _queue;
    private readonly ServerOptions _options;
    private readonly ConnectionLimit _limit;
    private readonly ILogger _logger;
    private readonly ITimer _heartbeat;
    private int _isBeating;
    private volatile bool _closed;

    public SocketTable(
        SocketCommands commands,
        PumpQueue queue,
        IOptions<ServerOptions> options,
        ConnectionLimit limit,
        TimeProvider time,
        ILogger<SocketTable> logger)
    {
        (_commands, _queue, _logger) = (commands, queue, logger);
        _options = options.Value;
        _limit = limit;
        var period = TimeSpan.FromTicks(Math.Clamp(
            Math.Min(_options.PingInterval.Ticks, Math.Min(_options.PongTimeLimit.Ticks, _options.SlowClientTimeLimit.Ticks)) / 4,
            TimeSpan.TicksPerMillisecond * 5,
            TimeSpan.TicksPerSecond * 5));
        _heartbeat = time.CreateTimer(_ => _ = BeatAsync(), null, period, period);
    }

    /// <summary>Open connections.</summary>
    public int Count => _connections.Count;

    /// <summary>Runs a connection to its end; closes it at once when it is refused, when there are too many, or when the server is stopping.</summary>
    /// <param name="stream">What it reads and writes.</param>
    /// <param name="refusal">Why it is to be closed; null: it is welcome.</param>
    /// <param name="abort">Cuts what is under it.</param>
    /// <param name="closed">Ends with what is under it.</param>
    public async Task ServeAsync(SocketStream stream, SocketRefusal? refusal, Action abort, CancellationToken closed)
    {
        using var connection = new SocketConnection(stream, _commands, _queue, _options, abort, closed);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[connection] = ended.Task;
        var hasPlace = _limit.TryEnter();
        try
        {
            if (refusal is not null)
            {
                await connection.CloseAsync((WebSocketCloseStatus)refusal.Code, refusal.Reason);
            }
            else if (_closed)
            {
                await connection.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "the server is stopping");
            }
            else if (!hasPlace)
            {
                await connection.CloseAsync((WebSocketCloseStatus)4504, _limit.Refusal);
            }

            await connection.RunAsync();
        }
        finally
        {
            if (hasPlace)
            {
                _limit.Leave();
            }

            _connections.TryRemove(connection, out _);
            LogClosed(connection.Age.TotalSeconds);
            ended.SetResult();
        }
    }

    /// <summary>Sends what is left to send, closes every connection with 1001, and waits for their ends: about ten seconds at most.</summary>
    public async Task CloseAllAsync(CancellationToken cancellationToken)
    {
        _closed = true;
        await Task.WhenAll(_connections.Keys.Select(connection => CloseAsync(connection, cancellationToken)));
        await Task.WhenAll(_connections.Values).WaitAsync(cancellationToken);
    }

    public void Dispose() => _heartbeat.Dispose();

    private static async Task CloseAsync(SocketConnection connection, CancellationToken cancellationToken)
    {
        var lastWord = connection.Session.SaidHello ? SocketReply.Closing(Random.Shared.Next(LeastRetryMilliseconds, MostRetryMilliseconds)) : null;
        await connection.Pump.DrainAsync(lastWord, DrainTimeLimit, cancellationToken);
        await connection.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "the server is stopping");
    }

    // A beat that takes longer than the time to the next one is that one, too.
    private async Task BeatAsync()
    {
        if (Interlocked.Exchange(ref _isBeating, 1) != 0)
        {
            return;
        }

        try
        {
            var beaten = 0;
            foreach (var (connection, _) in _connections)
            {
                connection.Beat(Environment.TickCount64, _options);
                if (++beaten % BeatsAtOnce == 0)
                {
                    await Task.Yield();
                }
            }
        }
        finally
        {
            Volatile.Write(ref _isBeating, 0);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "A socket of /ws is closed after {Seconds:0.0} s")]
    private partial void LogClosed(double seconds);
}
