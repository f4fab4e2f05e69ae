using System.Net.WebSockets;
using Harness.Server.Transports.WebSockets;
using Microsoft.AspNetCore.Http.Features;

namespace Harness.Server.Transports.SignalR;

/// <summary>Accepts the WebSocket of a request as a <see cref="HubSocket"/>, in place of the framework's own.</summary>
internal sealed class HubSocketFeature(HttpContext context, SocketHandshake handshake) : IHttpWebSocketFeature
{
    public bool IsWebSocketRequest => true;

    public async Task<WebSocket> AcceptAsync(WebSocketAcceptContext accept)
    {
        var socket = handshake.PlainSocket;
        var stream = await handshake.AcceptAsync(accept.SubProtocol);
        return new HubSocket(new SocketStream(stream, stream, socket), accept.SubProtocol, context.Abort);
    }
}
