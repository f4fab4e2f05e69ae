using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Harness.Server.Tests.Storage;

/// <summary>A socket of a server that may be gone in the next moment.</summary>
internal sealed class RawTextSocket : IAsyncDisposable
{
    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[64 * 1024];

    private RawTextSocket()
    {
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Connects, unless the server is gone: then nothing can be received.</summary>
    public static async Task<RawTextSocket> ConnectAsync(Uri server)
    {
        var socket = new RawTextSocket();
        try
        {
            await socket._socket.ConnectAsync(new UriBuilder(server) { Scheme = "ws", Path = "/ws" }.Uri, Stop);
        }
        catch (WebSocketException)
        {
            socket._socket.Abort();
        }

        return socket;
    }

    public async Task SendAsync(string text)
    {
        try
        {
            await _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, Stop);
        }
        catch (Exception e) when (e is WebSocketException or InvalidOperationException)
        {
            _socket.Abort();
        }
    }

    /// <summary>The next whole message; null when the server is gone.</summary>
    public async Task<byte[]?> TryReceiveAsync()
    {
        using var message = new MemoryStream();
        try
        {
            while (_socket.State == WebSocketState.Open)
            {
                var part = await _socket.ReceiveAsync(_buffer.AsMemory(), Stop);
                message.Write(_buffer.AsSpan(0, part.Count));
                if (part.EndOfMessage)
                {
                    return part.MessageType == WebSocketMessageType.Close ? null : message.ToArray();
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or InvalidOperationException)
        {
            // What it had sent in part is not a message anybody has seen.
        }

        return null;
    }

    public async Task<JsonElement> ReceiveJsonAsync() =>
        JsonElement.Parse(await TryReceiveAsync() ?? throw new InvalidOperationException("The server is gone"));

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
