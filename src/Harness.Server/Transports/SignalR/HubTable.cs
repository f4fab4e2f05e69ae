using System.Collections.Concurrent;
using Microsoft.AspNetCore.SignalR;

namespace Harness.Server.Transports.SignalR;

/// <summary>All connections of the hub, and their end when the server stops. Thread-safe.</summary>
internal sealed class HubTable(ConnectionLimit limit) : IDisposable
{
    private static readonly TimeSpan DrainTimeLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CloseTimeLimit = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<HubPeer, Task> _peers = new();
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Whether the server takes no new connections, because it stops.</summary>
    public bool IsClosed => _stopping.IsCancellationRequested;

    /// <summary>Cancelled when it stops and all executions have ended: streams then end after what there is.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Lets a connection in, until its transport has ended.</summary>
    /// <exception cref="HubException">There are too many; SignalR closes this one with the text.</exception>
    public void Enter(HubPeer peer)
    {
        if (!limit.TryEnter())
        {
            throw new HubException(limit.Refusal);
        }

        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _peers[peer] = ended.Task;
        peer.Closed.UnsafeRegister(_ => Leave(peer, ended), null);
        if (IsClosed)
        {
            peer.Close();
        }
    }

    /// <summary>
    /// Lets connections send what is left, five seconds at most, and closes them; what is open a second later is cut with the web server. Call it
    /// when all executions have ended.
    /// </summary>
    public async Task CloseAllAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_peers.Select(peer => CloseAsync(peer.Key, peer.Value, cancellationToken)));
    }

    public void Dispose() => _stopping.Dispose();

    // What guarantees that a watcher gets the last event: a stream's next item is asked for when the one before is in the connection's
    // buffer, and its completion is written after the last. When all completions are written the hub is asked to end; SignalR then writes
    // its close message behind them, and its transport sends all of the buffer before it closes. Only its end is the end.
    private static async Task CloseAsync(HubPeer peer, Task ended, CancellationToken cancellationToken)
    {
        Task answered = Task.WhenAny(peer.AnsweredAsync(), ended);
        await answered.WaitAsync(DrainTimeLimit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        peer.Close();
        await ended.WaitAsync(CloseTimeLimit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Leave(HubPeer peer, TaskCompletionSource ended)
    {
        _peers.TryRemove(peer, out _);
        limit.Leave();
        ended.SetResult();
    }
}
