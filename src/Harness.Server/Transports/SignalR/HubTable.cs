using System.Collections.Concurrent;
using Microsoft.AspNetCore.SignalR;

namespace Harness.Server.Transports.SignalR;

/// <summary>All connections of the hub, and their end when the server stops. Thread-safe.</summary>
internal sealed class HubTable(ConnectionLimit limit)
{
    private static readonly TimeSpan DrainTimeLimit = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<HubPeer, Task> _peers = new();
    private volatile bool _closed;

    /// <summary>Whether the server takes no new connections, because it stops.</summary>
    public bool IsClosed => _closed;

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
        if (_closed)
        {
            peer.Close();
        }
    }

    /// <summary>
    /// Lets connections send what is left and closes them, five seconds at most; what is open then is cut with the web server. Call it when all
    /// executions have ended.
    /// </summary>
    public async Task CloseAllAsync(CancellationToken cancellationToken)
    {
        _closed = true;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        enough.CancelAfter(DrainTimeLimit);
        await Task.WhenAll(_peers.Select(peer => CloseAsync(peer.Key, peer.Value, enough.Token)));
    }

    // What guarantees that a watcher gets the last event: a stream's next item is asked for when the one before is in the connection's
    // buffer, and its completion is written after the last. When all completions are written the hub is asked to end; SignalR then writes
    // its close message behind them, and its transport sends all of the buffer before it closes. Only its end is the end.
    private static async Task CloseAsync(HubPeer peer, Task ended, CancellationToken cancellationToken)
    {
        Task answered = Task.WhenAny(peer.AnsweredAsync(), ended);
        await answered.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        peer.Close();
        await ended.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Leave(HubPeer peer, TaskCompletionSource ended)
    {
        _peers.TryRemove(peer, out _);
        limit.Leave();
        ended.SetResult();
    }
}
