using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Harness.Executions;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;

namespace Harness.Server.Transports.SignalR;

/// <summary>What the server keeps for one connection of the hub. Thread-safe.</summary>
internal sealed class HubPeer(ExecutionCommands commands, HubConnectionContext connection, int maxStreams)
{
    // Bounded by what runs in the whole server: those that have ended are taken out when another comes in.
    private readonly ConcurrentDictionary<Execution, byte> _owned = new();
    private int _streams;

    /// <summary>Cancelled when the transport under the connection has ended: all is sent then, or cannot be.</summary>
    public CancellationToken Closed { get; } = connection.Features.GetRequiredFeature<IConnectionLifetimeFeature>().ConnectionClosed;

    /// <summary>Completes when every invocation has its completion, and every item before it, in the connection's buffer.</summary>
    public Task AnsweredAsync() => ((ConnectionProtocol)connection.Protocol).AnsweredAsync();

    /// <summary>Asks the hub to end the connection: the client is told, and told that it may come back.</summary>
    public void Close() => connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().RequestClose();

    /// <summary>Cancels an execution when the connection ends.</summary>
    public void Own(Execution execution, CancellationToken disconnected)
    {
        foreach (var ended in _owned.Keys.Where(owned => owned.Completion.IsCompleted))
        {
            _owned.TryRemove(ended, out _);
        }

        _owned.TryAdd(execution, 0);
        if (disconnected.IsCancellationRequested)
        {
            CancelOwned();
        }
    }

    /// <summary>Cancels what would have nobody left: call it when the connection has ended.</summary>
    public void CancelOwned() => commands.CancelAll([.. _owned.Keys], "The connection that started it ended");

    /// <summary>Passes a stream on while it counts as one of this connection's. One too many is refused.</summary>
    public async IAsyncEnumerable<T> CountAsync<T>(IAsyncEnumerable<T> stream, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            if (Interlocked.Increment(ref _streams) > maxStreams)
            {
                throw new HubException(
                    $"Too many streams: this connection has {maxStreams}, which is the limit; cancel one or open another connection");
            }

            await foreach (var item in stream.WithCancellation(cancellationToken))
            {
                yield return item;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _streams);
        }
    }
}
