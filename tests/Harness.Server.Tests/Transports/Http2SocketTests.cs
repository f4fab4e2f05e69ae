using System.Net;
using System.Net.WebSockets;
using System.Text;

namespace Harness.Server.Tests.Transports;

/// <summary>Sockets that are streams of one HTTP/2 connection (RFC 8441).</summary>
public sealed class Http2SocketTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("websocket", "8")]
    [InlineData("connect-udp", "13")]
    public async Task HandshakeThatIsNotRightIsAnsweredWithTheVersionThatIs(string protocol, string version)
    {
        await using var app = await WirePath.PlainHttp2.StartAsync();
        using var connect = RawSocket.Connect(new Uri(app.Address, "/ws"), protocol, version);

        using var answer = await app.Client.SendAsync(connect, Stop);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(["13"], answer.Headers.GetValues("Sec-WebSocket-Version"));
        Assert.Equal("Bad Request\n", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task PageOfAForeignOriginIsClosedWith4505()
    {
        await using var app = await WirePath.PlainHttp2.StartAsync();
        using var connection = Connection();
        using var page = await ConnectAsync(app, connection, origin: "https://elsewhere.example");

        Assert.Equal(WebSocketMessageType.Close, (await page.ReceiveAsync(new byte[16], Stop)).MessageType);
        Assert.Equal((WebSocketCloseStatus)4505, page.CloseStatus);
    }

    [Fact]
    public async Task SocketThatIsCutLeavesTheOthersOfItsConnectionAlone()
    {
        await using var app = await WirePath.PlainHttp2.StartAsync();
        using var connection = Connection();
        using var first = await ConnectAsync(app, connection);
        using var second = await ConnectAsync(app, connection);
        Assert.Contains("\"ref\":\"1\"", await PingAsync(first, "1"), StringComparison.Ordinal);

        first.Abort();
        await app.Log.WaitForAsync(line => line.StartsWith("Debug CONNECT /ws answered 200", StringComparison.Ordinal));

        Assert.Contains("\"ref\":\"2\"", await PingAsync(second, "2"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SocketIsClosedWith1001WhenTheServerStops()
    {
        await using var app = await WirePath.PlainHttp2.StartAsync();
        using var connection = Connection();
        using var socket = await ConnectAsync(app, connection);

        var stopping = app.StopAsync();
        Assert.Equal(WebSocketMessageType.Close, (await socket.ReceiveAsync(new byte[16], Stop)).MessageType);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
        await stopping;

        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, socket.CloseStatus);
    }

    private static HttpMessageInvoker Connection() => new(new SocketsHttpHandler { UseProxy = false });

    private static async Task<ClientWebSocket> ConnectAsync(HarnessApp app, HttpMessageInvoker connection, string? origin = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        if (origin is not null)
        {
            socket.Options.SetRequestHeader("Origin", origin);
        }

        await socket.ConnectAsync(app.WebSocketUri, connection, Stop);
        return socket;
    }

    private static async Task<string> PingAsync(ClientWebSocket socket, string reference)
    {
        var ping = Encoding.UTF8.GetBytes($$"""{"action":"ping","ref":"{{reference}}"}""");
        await socket.SendAsync(ping, WebSocketMessageType.Text, endOfMessage: true, Stop);
        var answer = new byte[256];
        return Encoding.UTF8.GetString(answer, 0, (await socket.ReceiveAsync(answer, Stop)).Count);
    }
}
