using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Harness.Server.Safety;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// <c>GET /ws</c>. The handshake is done here and not by the framework's middleware, because that one keeps the stream to itself, and the
/// stream is where our ready frames go.
/// </summary>
internal static class SocketEndpoint
{
    private const string KeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Adds the transport.</summary>
    public static IServiceCollection AddSockets(this IServiceCollection services) => services
        .AddSingleton<SocketCommands>()
        .AddSingleton<PumpQueue>()
        .AddSingleton<SocketTable>();

    /// <summary>Maps the route.</summary>
    public static void MapSockets(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/ws", HandleAsync).WithMetadata(new ChecksOrigin(), new ClosesPagesWithoutKey()).ExcludeFromDescription();

    private static async Task HandleAsync(HttpContext context, SocketTable table, OriginPolicy origins)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade || !IsHandshake(context.Request, out var key))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            context.Response.Headers.SecWebSocketVersion = "13";
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync("Bad Request\n", context.RequestAborted);
            return;
        }

        var (refusal, socket) = (Refuse(context, origins), PlainSocketOf(context));
        var stream = await UpgradeAsync(context, upgrade, key);
        if (ConnectionHandover.Of(context) is { } handover)
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

    private static bool IsHandshake(HttpRequest request, out string key)
    {
        key = request.Headers.SecWebSocketKey.ToString();
        Span<byte> nonce = stackalloc byte[18];
        return request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase)
            && request.Headers.SecWebSocketVersion == "13"
            && key.Length == 24
            && Convert.TryFromBase64String(key, nonce, out var length)
            && length == 16;
    }

    private static async Task<Stream> UpgradeAsync(HttpContext context, IHttpUpgradeFeature upgrade, string key)
    {
        // How slow a reader may be is ours to say (ServerOptions.SlowClientTimeLimit), not Kestrel's.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        var headers = context.Response.Headers;
        headers.Upgrade = "websocket";
        headers.Connection = "Upgrade";
        headers.SecWebSocketAccept = Accept(key);
        return await upgrade.UpgradeAsync();
    }

    // Null where what goes over the wire is not what is written: with TLS.
    private static Socket? PlainSocketOf(HttpContext context) =>
        context.Features.Get<ITlsHandshakeFeature>() is null ? context.Features.Get<IConnectionSocketFeature>()?.Socket : null;

    // RFC 6455, 4.2.2: the algorithm is given, and nothing secret hangs on it.
#pragma warning disable CA5350
    private static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + KeySuffix)));
#pragma warning restore CA5350
}

/// <summary>Why a socket is closed as soon as it is open.</summary>
/// <param name="Code">The close frame's code.</param>
/// <param name="Reason">Its text, of 123 bytes at most.</param>
internal sealed record SocketRefusal(int Code, string Reason);
