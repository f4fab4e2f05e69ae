using Harness.Server.Transports.Rest;
using Harness.Server.Transports.SignalR;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Transports;

/// <summary>Everything that stays open between server and clients, ended together when the server stops.</summary>
internal sealed class OpenConnections(SocketTable sockets, EventStreams streams, HubTable hubs)
{
    /// <summary>Sends what is left to send and ends all: about ten seconds at most. Call it when all executions have ended.</summary>
    public Task CloseAllAsync(CancellationToken cancellationToken) => Task.WhenAll(
        sockets.CloseAllAsync(cancellationToken), streams.CloseAllAsync(cancellationToken), hubs.CloseAllAsync(cancellationToken));
}
