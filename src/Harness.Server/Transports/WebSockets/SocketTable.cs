using System.Collections.Concurrent;
using System.Net.WebSockets;
using Microsoft.Extensions.Options;

namespace Harness.Server.Transports.WebSockets;

/// <summary>All open connections, their common heartbeat, and their end when the server stops. Thread-safe.</summary>
internal sealed class SocketTable : IDisposable
{
    // When clients that said hello are told to come back: spread out, so that they do not come all at once.
    private const int LeastRetryMilliseconds = 1000;
    private const int MostRetryMilliseconds = 2000;

    private static readonly TimeSpan DrainTimeLimit = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<SocketConnection, Task> _connections = new();
    private readonly ServerOptions _options;
    private readonly ConnectionLimit _limit;
    private readonly ITimer _heartbeat;
    private volatile bool _closed;

    public SocketTable(IOptions<ServerOptions> options, ConnectionLimit limit, TimeProvider time)
    {
        _options = options.Value;
        _limit = limit;
        var period = TimeSpan.FromTicks(Math.Clamp(
            Math.Min(_options.PingInterval.Ticks, Math.Min(_options.PongTimeLimit.Ticks, _options.SlowClientTimeLimit.Ticks)) / 4,
            TimeSpan.TicksPerMillisecond * 5,
            TimeSpan.TicksPerSecond * 5));
        _heartbeat = time.CreateTimer(_ => Beat(), null, period, period);
    }

    /// <summary>Open connections.</summary>
    public int Count => _connections.Count;

    /// <summary>Runs a connection to its end; closes it at once when there are too many, or when the server is stopping.</summary>
    public async Task RunAsync(SocketConnection connection)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[connection] = ended.Task;
        var hasPlace = _limit.TryEnter();
        try
        {
            if (_closed)
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
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(DrainTimeLimit);
        var lastWord = connection.Session.SaidHello ? SocketReply.Closing(Random.Shared.Next(LeastRetryMilliseconds, MostRetryMilliseconds)) : null;
        await connection.Pump.DrainAsync(lastWord, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await connection.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "the server is stopping");
    }

    private void Beat()
    {
        var now = Environment.TickCount64;
        foreach (var (connection, _) in _connections)
        {
            connection.Beat(now, _options);
        }
    }
}
