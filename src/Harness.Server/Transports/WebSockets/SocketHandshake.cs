using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// A client's opening handshake: an upgrade of HTTP/1.1 (RFC 6455, 4.2) or the extended CONNECT of HTTP/2 and later (RFC 8441), as browsers make
/// it to a server they speak HTTP/2 with already. It is answered here and not by the framework's middleware, because that one keeps the stream to
/// itself, and the stream is where whole frames go.
/// </summary>
internal sealed class SocketHandshake
{
    private const string KeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private readonly HttpContext _context;
    private readonly Func<Task<Stream>> _accept;

    private SocketHandshake(HttpContext context, Func<Task<Stream>> accept) => (_context, _accept) = (context, accept);

    /// <summary>True when the whole connection becomes the socket; false when others share it.</summary>
    public bool IsUpgrade { get; private init; }

    /// <summary>The connection itself; null where what goes over the wire is not what is written: with TLS, and within HTTP/2.</summary>
    public Socket? PlainSocket => IsUpgrade && _context.Features.Get<ITlsHandshakeFeature>() is null
        ? _context.Features.Get<IConnectionSocketFeature>()?.Socket
        : null;

    /// <summary>That of a request; null when it has none, or not a valid one.</summary>
    public static SocketHandshake? Of(HttpContext context)
    {
        if (context.Request.Headers.SecWebSocketVersion != "13")
        {
            return null;
        }

        return context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect
            ? OfConnect(context, connect)
            : OfUpgrade(context);
    }

    /// <summary>Answers it.</summary>
    /// <param name="subProtocol">The one that was chosen of those the client speaks; null for none.</param>
    /// <returns>The web server's stream.</returns>
    public async Task<Stream> AcceptAsync(string? subProtocol = null)
    {
        // How slow a reader may be is ours to say (ServerOptions.SlowClientTimeLimit), not Kestrel's, and a client may say nothing for long.
        if (_context.Features.Get<IHttpMinResponseDataRateFeature>() is { } responses)
        {
            responses.MinDataRate = null;
        }

        if (_context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } requests)
        {
            requests.MinDataRate = null;
        }

        if (_context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (subProtocol is not null)
        {
            _context.Response.Headers.SecWebSocketProtocol = subProtocol;
        }

        return await _accept();
    }

    private static SocketHandshake? OfConnect(HttpContext context, IHttpExtendedConnectFeature connect) =>
        connect.Protocol == "websocket" ? new SocketHandshake(context, () => connect.AcceptAsync().AsTask()) : null;

    private static SocketHandshake? OfUpgrade(HttpContext context)
    {
        var request = context.Request;
        var key = request.Headers.SecWebSocketKey.ToString();
        Span<byte> nonce = stackalloc byte[18];
        return context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade
            && request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase)
            && key.Length == 24
            && Convert.TryFromBase64String(key, nonce, out var length)
            && length == 16
                ? new SocketHandshake(context, () => UpgradeAsync(context, upgrade, key)) { IsUpgrade = true }
                : null;
    }

    private static Task<Stream> UpgradeAsync(HttpContext context, IHttpUpgradeFeature upgrade, string key)
    {
        var headers = context.Response.Headers;
        headers.Upgrade = "websocket";
        headers.Connection = "Upgrade";
        headers.SecWebSocketAccept = Accept(key);
        return upgrade.UpgradeAsync();
    }

#pragma warning disable CA5350 // RFC 6455, 4.2.2: the algorithm is given, and nothing secret hangs on it.
    private static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + KeySuffix)));
#pragma warning restore CA5350
}
