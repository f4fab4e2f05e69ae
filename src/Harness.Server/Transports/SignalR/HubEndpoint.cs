using Harness.Server.Safety;
using Harness.Server.Transports.SignalR.MessagePack;
using Harness.Server.Transports.WebSockets;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;

namespace Harness.Server.Transports.SignalR;

/// <summary><c>/hub</c>: SignalR in JSON and MessagePack.</summary>
internal static class HubEndpoint
{
    /// <summary>Adds the transport.</summary>
    public static IServiceCollection AddExecutionHub(this IServiceCollection services)
    {
        services.AddSignalR(hub => hub.AddFilter<HubErrors>()).AddHarnessMessagePack();
        services.AddOptions<JsonHubProtocolOptions>().Configure(json => json.PayloadSerializerOptions.MaxDepth = JsonSyntax.MaxDepth);
        services.AddOptions<HubOptions>().Configure<IOptions<ServerOptions>>((hub, server) => Configure(hub, server.Value));
        return services
            .AddSingleton<HubErrors>()
            .AddSingleton<HubTable>()
            .AddSingleton<IHubProtocolResolver, ConnectionProtocols>()
            .AddSingleton<HubLifetimeManager<ExecutionHub>, HubLifetime>();
    }

    /// <summary>Maps the routes. Which pages may use them and with which key is decided before, as for every route.</summary>
    public static void MapExecutionHub(this IEndpointRouteBuilder routes)
    {
        var options = routes.ServiceProvider.GetRequiredService<IOptions<ServerOptions>>().Value;
        var table = routes.ServiceProvider.GetRequiredService<HubTable>();
        routes.MapHub<ExecutionHub>("/hub", connection =>
        {
            // A client that reads nothing makes its streams wait, at 64 KiB each way (the buffers' default); after this long it is closed.
            connection.TransportSendTimeout = options.SlowClientTimeLimit;
        }).WithMetadata(new SignalRClients()).Add(endpoint => Prepare(endpoint, table));
    }

    private static void Prepare(EndpointBuilder endpoint, HubTable table)
    {
        var next = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = context =>
        {
            // Here and not in the hub: a connection that a hub refuses is told not to come back, and this one should, when the server does.
            // Connections there are have an id, and some go on by further requests.
            if (table.IsClosed && !context.Request.Query.ContainsKey("id"))
            {
                return ErrorResponse.Result(StatusCodes.Status503ServiceUnavailable, "overloaded", "The server is stopping").ExecuteAsync(context);
            }

            // SignalR accepts by what is there already.
            if (SocketHandshake.Of(context) is { } handshake)
            {
                context.Features.Set<IHttpWebSocketFeature>(new HubSocketFeature(context, handshake));
            }

            return next(context);
        };
    }

    private static void Configure(HubOptions hub, ServerOptions server)
    {
        // With the default of 1, Cancel waits until Execute has ended. Streams do not count. When all are taken, further invocations wait
        // in the connection's 64 KiB buffer, and then in the client's.
        hub.MaximumParallelInvocationsPerClient = 16;

        // The same suites are pasted whole as over /ws. A longer message ends the connection.
        hub.MaximumReceiveMessageSize = server.MaxMessageBytes;

        // Items of streams that clients send. No method takes one.
        hub.StreamBufferCapacity = 1;

        // Clients give up after 30 s of silence unless told otherwise, so the default of 20 s keeps them.
        hub.KeepAliveInterval = server.PingInterval;

        // SignalR has no pong: clients send pings of their own, every 15 s unless told otherwise, however often the server does.
        hub.ClientTimeoutInterval = TimeSpan.FromTicks(Math.Max(
            TimeSpan.FromSeconds(30).Ticks, server.PingInterval.Ticks + server.PongTimeLimit.Ticks));

        // Only what a HubException says goes to clients. Resuming is by seq: stateful reconnect stays off.
        hub.EnableDetailedErrors = false;
    }
}
