using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// A client's opening handshake (RFC 6455, 4.2). It is answered here and not by the framework's middleware, because that one keeps the stream to
/// itself, and the stream is where whole frames go.
/// </summary>
internal sealed class SocketHandshake
{
    private const string KeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private readonly HttpContext _context;
    private readonly IHttpUpgradeFeature _upgrade;
    private readonly string _key;

    private SocketHandshake(HttpContext context, IHttpUpgradeFeature upgrade, string key) =>
        (_context, _upgrade, _key) = (context, upgrade, key);

    /// <summary>The connection itself; null where what goes over the wire is not what is written: with TLS.</summary>
    public Socket? PlainSocket =>
        _context.Features.Get<ITlsHandshakeFeature>() is null ? _context.Features.Get<IConnectionSocketFeature>()?.Socket : null;

    /// <summary>That of a request; null when it has none, or not a valid one.</summary>
    public static SocketHandshake? Of(HttpContext context)
    {
        var request = context.Request;
        var key = request.Headers.SecWebSocketKey.ToString();
        Span<byte> nonce = stackalloc byte[18];
        return context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade
            && request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase)
            && request.Headers.SecWebSocketVersion == "13"
            && key.Length == 24
            && Convert.TryFromBase64String(key, nonce, out var length)
            && length == 16
                ? new SocketHandshake(context, upgrade, key)
                : null;
    }

    /// <summary>Answers it.</summary>
    /// <param name="subProtocol">The one that was chosen of those the client speaks; null for none.</param>
    /// <returns>The web server's stream.</returns>
    public async Task<Stream> AcceptAsync(string? subProtocol = null)
    {
        // How slow a reader may be is ours to say (ServerOptions.SlowClientTimeLimit), not Kestrel's.
        if (_context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        if (_context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        var headers = _context.Response.Headers;
        headers.Upgrade = "websocket";
        headers.Connection = "Upgrade";
        headers.SecWebSocketAccept = Accept(_key);
        if (subProtocol is not null)
        {
            headers.SecWebSocketProtocol = subProtocol;
        }

        return await _upgrade.UpgradeAsync();
    }

#pragma warning disable CA5350 // RFC 6455, 4.2.2: the algorithm is given, and nothing secret hangs on it.
    private static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + KeySuffix)));
#pragma warning restore CA5350
}
