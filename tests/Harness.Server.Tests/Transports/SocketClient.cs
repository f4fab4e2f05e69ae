using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Harness.Server.Tests.Transports;

/// <summary>A client of <c>/ws</c>: sends text, receives JSON frames.</summary>
internal sealed class SocketClient : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];

    private SocketClient(ClientWebSocket socket) => Socket = socket;

    public ClientWebSocket Socket { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<SocketClient> ConnectAsync(HarnessApp app, Action<ClientWebSocketOptions>? configure = null)
    {
        var socket = new ClientWebSocket();
        configure?.Invoke(socket.Options);
        await socket.ConnectAsync(app.WebSocketUri, Stop);
        return new SocketClient(socket);
    }

    public Task SendAsync(string message) => Socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, Stop);

    /// <summary>The next frame's text; null when the server has closed.</summary>
    public async Task<string?> ReceiveTextAsync()
    {
        using var message = new MemoryStream();
        while (true)
        {
            var result = await Socket.ReceiveAsync(_buffer.AsMemory(), Stop);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            Assert.Equal(WebSocketMessageType.Text, result.MessageType);
            message.Write(_buffer.AsSpan(0, result.Count));
            if (result.EndOfMessage)
            {
                return Encoding.UTF8.GetString(message.ToArray());
            }
        }
    }

    public async Task<JsonElement> ReceiveAsync() =>
        JsonElement.Parse(await ReceiveTextAsync() ?? throw new InvalidOperationException($"Closed: {Socket.CloseStatus} {Socket.CloseStatusDescription}"));

    /// <summary>Frames up to and with the first that matches.</summary>
    public async Task<List<JsonElement>> ReceiveUntilAsync(Func<JsonElement, bool> isLast)
    {
        var frames = new List<JsonElement>();
        do
        {
            frames.Add(await ReceiveAsync());
        }
        while (!isLast(frames[^1]));
        return frames;
    }

    public Task<List<JsonElement>> ReceiveUntilAsync(string type) => ReceiveUntilAsync(frame => frame.Type() == type);

    /// <summary>Sends one message and reads the one answer.</summary>
    public async Task<string> AskAsync(string message)
    {
        await SendAsync(message);
        return await ReceiveTextAsync() ?? throw new InvalidOperationException("Closed");
    }

    public async Task<JsonElement> AskJsonAsync(string message) => JsonElement.Parse(await AskAsync(message));

    public void Dispose() => Socket.Dispose();
}

internal static class Frames
{
    public static string Type(JsonElement frame) => FrameReading.Type(frame);

    public static List<string> Lines(this IEnumerable<JsonElement> frames) =>
        [.. frames.Where(frame => frame.Type() == "log").Select(frame => frame.Text("message"))];
}
