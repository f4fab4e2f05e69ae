using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;

namespace Harness.Server.Transports.SignalR;

/// <summary>Gives each connection its <see cref="HubPeer"/> before its first method runs.</summary>
internal sealed class HubLifetime(
    ExecutionCommands commands, IOptions<ServerOptions> options, ILogger<DefaultHubLifetimeManager<ExecutionHub>> logger)
    : DefaultHubLifetimeManager<ExecutionHub>(logger)
{
    /// <inheritdoc />
    public override Task OnConnectedAsync(HubConnectionContext connection)
    {
        connection.Items[typeof(HubPeer)] = new HubPeer(commands, connection, options.Value.MaxWatchesPerConnection);
        return base.OnConnectedAsync(connection);
    }
}
