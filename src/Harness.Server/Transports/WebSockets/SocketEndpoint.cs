using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Harness.Server.Safety;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;

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

    private static async Task HandleAsync(
        HttpContext context, SocketCommands commands, PumpQueue queue, SocketTable table, OriginPolicy origins, IOptions<ServerOptions> options)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade || !IsHandshake(context.Request, out var key))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            context.Response.Headers.SecWebSocketVersion = "13";
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync("Bad Request\n", context.RequestAborted);
            return;
        }

        var isAllowed = origins.IsAllowed(context.Request);
        var isToBeRefused = ApiKeyGate.IsToBeRefused(context);
        using var connection = new SocketConnection(
            new SocketStream(await UpgradeAsync(context, upgrade, key), PlainSocketOf(context)), commands, queue, options.Value, context);
        if (!isAllowed)
        {
            // A page cannot see the status of a refused handshake, but it sees a close code: this one says not to come again.
            await connection.CloseAsync((WebSocketCloseStatus)4505, "pages of this origin may not use this server; --cors-origin allows them");
        }
        else if (isToBeRefused)
        {
            await connection.CloseAsync((WebSocketCloseStatus)4503, "this server asks for an API key: send it as ?access_token=KEY");
        }

        await table.RunAsync(connection);
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
