using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;

namespace Harness.Server.Transports.SignalR;

/// <summary>Counts the hub's connections. Thread-safe.</summary>
internal sealed class HubTable(IOptions<ServerOptions> options)
{
    private readonly int _max = options.Value.MaxConnections;
    private int _count;

    /// <summary>Lets a connection in.</summary>
    /// <param name="others">Connections of other transports, which share the limit.</param>
    /// <exception cref="HubException">There are too many; SignalR closes this one with the text.</exception>
    public void Enter(int others)
    {
        if (Interlocked.Increment(ref _count) + others > _max)
        {
            Leave();
            throw new HubException($"{_max} connections are open, which is the limit");
        }
    }

    /// <summary>Counts one less: every connection that was let in leaves once.</summary>
    public void Leave() => Interlocked.Decrement(ref _count);
}
