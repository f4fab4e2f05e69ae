using System.Net.Sockets;
using Harness.Server.Safety;
using Microsoft.AspNetCore.Connections;

namespace Harness.Server.Transports.WebSockets;

/// <summary><c>/ws</c>.</summary>
internal static class SocketEndpoint
{
    // The handshake of HTTP/1.1 is a GET, that of HTTP/2 and later a CONNECT.
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Connect];

    /// <summary>Adds the transport.</summary>
    public static IServiceCollection AddSockets(this IServiceCollection services) => services
        .AddSingleton<SocketCommands>()
        .AddSingleton<PumpQueue>()
        .AddSingleton<SocketTable>();

    /// <summary>Maps the route.</summary>
    public static void MapSockets(this IEndpointRouteBuilder routes) =>
        routes.MapMethods("/ws", Methods, HandleAsync).WithMetadata(new ChecksOrigin(), new ClosesPagesWithoutKey()).ExcludeFromDescription();

    private static async Task HandleAsync(HttpContext context, SocketTable table, OriginPolicy origins)
    {
        if (SocketHandshake.Of(context) is not { } handshake)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            context.Response.Headers.SecWebSocketVersion = "13";
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync("Bad Request\n", context.RequestAborted);
            return;
        }

        var (refusal, socket) = (Refuse(context, origins), handshake.PlainSocket);
        var stream = await handshake.AcceptAsync(SocketProtocols.Choose(context.Request));
        if (handshake.IsUpgrade && ConnectionHandover.Of(context) is { } handover)
        {
            handover.Take(Serve(table, socket, refusal));
        }
        else
        {
            await table.ServeAsync(new SocketStream(stream, stream, socket), refusal, context.Abort, context.RequestAborted);
        }
    }

    // Of its own, so that it holds nothing of the request.
    private static Func<ConnectionContext, Task> Serve(SocketTable table, Socket? socket, SocketRefusal? refusal) => connection => table.ServeAsync(
        new SocketStream(connection.Transport.Input.AsStream(), connection.Transport.Output.AsStream(), socket),
        refusal,
        connection.Abort,
        connection.ConnectionClosed);

    // A page cannot see the status of a refused handshake, but it sees a close code: these say not to come again.
    private static SocketRefusal? Refuse(HttpContext context, OriginPolicy origins)
    {
        if (!origins.IsAllowed(context.Request))
        {
            return new SocketRefusal(4505, "pages of this origin may not use this server; --cors-origin allows them");
        }

        return ApiKeyGate.IsToBeRefused(context)
            ? new SocketRefusal(4503, "this server asks for an API key: send it as ?access_token=KEY")
            : null;
    }
}
