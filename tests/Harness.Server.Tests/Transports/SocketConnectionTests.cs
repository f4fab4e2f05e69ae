using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Tests.Transports;

/// <summary>The connection itself: handshake, framing, limits, heartbeat, closing.</summary>
public sealed class SocketConnectionTests
{
    private const string Unknown = """{"action":"status","id":"nope"}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", "", "")]
    [InlineData("websocket", "12", "dGhlIHNhbXBsZSBub25jZQ==")]
    [InlineData("websocket", "13", "too short")]
    [InlineData("websocket", "13", "b25lIGJ5dGUgdG9vIG1hbnk=")]
    [InlineData("h2c", "13", "dGhlIHNhbXBsZSBub25jZQ==")]
    public async Task WhatIsNoHandshakeIsABadRequest(string upgrade, string version, string key)
    {
        await using var app = await HarnessApp.StartAsync();
        (string, string)[] headers = upgrade.Length == 0
            ? []
            : [("Connection", "Upgrade"), ("Upgrade", upgrade), ("Sec-WebSocket-Version", version), ("Sec-WebSocket-Key", key)];

        using var answer = await app.SendAsync(HttpMethod.Get, "/ws", headers);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("Bad Request\n", await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(["13"], answer.Headers.GetValues("Sec-WebSocket-Version"));
    }

    [Fact]
    public async Task BinaryAndFragmentedMessagesAreUnderstood()
    {
        await using var app = await HarnessApp.StartAsync();
        using var raw = await RawSocket.ConnectAsync(app);

        await raw.SendAsync(RawSocket.Binary, Unknown);
        var binary = await raw.ReadAsync();
        await raw.SendAsync(RawSocket.Text, Unknown[..10], isFinal: false);
        await raw.SendAsync(RawSocket.Ping, "in between");
        await raw.SendAsync(RawSocket.Continuation, Unknown[10..20], isFinal: false);
        await raw.SendAsync(RawSocket.Continuation, Unknown[20..]);
        var pong = await raw.ReadAsync();
        var fragmented = await raw.ReadAsync();

        Assert.Equal(RawSocket.Text, binary?.Opcode);
        Assert.Equal("""{"type":"error","id":"nope","message":"Test execution not found: nope","code":"not_found"}""", Encoding.UTF8.GetString(binary!.Value.Payload));
        Assert.Equal((RawSocket.Pong, "in between"), (pong!.Value.Opcode, Encoding.UTF8.GetString(pong.Value.Payload)));
        Assert.Equal(binary.Value.Payload, fragmented!.Value.Payload);
    }

    [Fact]
    public async Task MessageOverTheLimitClosesWith1009AndOneAtTheLimitIsRead()
    {
        await using var app = await HarnessApp.StartAsync(("MaxMessageBytes", "2048"));
        using var client = await SocketClient.ConnectAsync(app);

        var atTheLimit = await client.AskAsync(Unknown.PadRight(2048));
        await client.SendAsync(Unknown.PadRight(2049));
        Assert.Null(await client.ReceiveTextAsync());

        Assert.Contains("Test execution not found", atTheLimit, StringComparison.Ordinal);
        Assert.Equal(WebSocketCloseStatus.MessageTooBig, client.Socket.CloseStatus);
        Assert.Equal("the message has more than 2048 bytes, which is the limit", client.Socket.CloseStatusDescription);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1001)]
    [InlineData(4001)]
    public async Task CloseCodeOfTheClientIsGivenBack(int code)
    {
        await using var app = await HarnessApp.StartAsync();
        using var client = await SocketClient.ConnectAsync(app);

        await client.Socket.CloseAsync((WebSocketCloseStatus)code, "bye", Stop);

        Assert.Equal((WebSocketCloseStatus)code, client.Socket.CloseStatus);
    }

    [Fact]
    public async Task InvalidUtf8InATextMessageClosesWith1007AndOthersGoOn()
    {
        await using var app = await HarnessApp.StartAsync();
        using var control = await SocketClient.ConnectAsync(app);
        using var raw = await RawSocket.ConnectAsync(app);

        await raw.SendAsync(RawSocket.Text, [(byte)'{', 0xff, 0xfe, (byte)'}']);

        Assert.Equal(1007, await raw.ReadCloseCodeAsync());
        Assert.Contains("not found", await control.AskAsync(Unknown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PeerIsPingedAndClosedWith4012WhenItDoesNotAnswer()
    {
        await using var app = await HarnessApp.StartAsync(("PingInterval", "00:00:00.050"), ("PongTimeLimit", "00:00:00.050"));
        using var raw = await RawSocket.ConnectAsync(app);

        var first = await raw.ReadAsync();
        var code = await raw.ReadCloseCodeAsync();

        Assert.Equal(RawSocket.Ping, first?.Opcode);
        Assert.Equal(4012, code);
    }

    [Fact]
    public async Task PeerThatAnswersPingsIsKept()
    {
        await using var app = await HarnessApp.StartAsync(("PingInterval", "00:00:00.020"), ("PongTimeLimit", "00:00:05"));
        using var raw = await RawSocket.ConnectAsync(app);

        for (var pings = 0; pings < 10; pings++)
        {
            Assert.Equal(RawSocket.Ping, (await raw.ReadAsync())?.Opcode);
            await raw.SendAsync(RawSocket.Pong, []);
        }

        await raw.SendAsync(RawSocket.Text, Unknown);
        while (await raw.ReadAsync() is { Opcode: RawSocket.Ping })
        {
            await raw.SendAsync(RawSocket.Pong, []);
        }
    }

    [Fact]
    public async Task HundredsArePingedAgainAndAgain()
    {
        await using var app = await HarnessApp.StartAsync(("PingInterval", "00:00:00.020"));
        var peers = await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => RawSocket.ConnectAsync(app)));

        foreach (var raw in peers)
        {
            Assert.Equal(RawSocket.Ping, (await raw.ReadAsync())?.Opcode);
            await raw.SendAsync(RawSocket.Pong, []);
            Assert.Equal(RawSocket.Ping, (await raw.ReadAsync())?.Opcode);
            raw.Dispose();
        }

        var sockets = app.Services.GetRequiredService<SocketTable>();
        await Eventually(() => sockets.Count == 0);
    }

    [Fact]
    public async Task PeerThatTakesNothingIsClosedAndItsExecutionEndsAllTheSame()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"), ("SlowClientTimeLimit", "00:00:00.200"));
        using var sleeper = await RawSocket.ConnectAsync(app, receiveBuffer: 4096);
        await sleeper.SendAsync(RawSocket.Text, """{"action":"execute","kind":"synthetic","data":{"lines":200000,"watchers":1}}""");
        Assert.Equal(RawSocket.Text, (await sleeper.ReadAsync())?.Opcode);

        var execution = Assert.Single(app.Executions.List());
        await execution.Completion.WaitAsync(Stop);
        var sockets = app.Services.GetRequiredService<SocketTable>();
        await Eventually(() => sockets.Count == 0);

        Assert.Equal("completed", Harness.Executions.ExecutionStatusWords.ToWire(execution.State.Status));
        Assert.Equal(0, execution.Log.ReaderCount);
    }

    [Fact]
    public async Task StoppedReaderHoldsUpNeitherTheRunNorOtherReadersOfTheServer()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        using var sleeper = await RawSocket.ConnectAsync(app, receiveBuffer: 4096);
        using var reader = await SocketClient.ConnectAsync(app);
        const string Run = """{"action":"execute","kind":"synthetic","data":{"lines":200000,"watchers":1}}""";
        await sleeper.SendAsync(RawSocket.Text, Run);
        await reader.SendAsync(Run);

        var lines = 0;
        var next = 1L;
        for (var frame = await reader.ReceiveAsync(); frame.Type() != "result"; frame = await reader.ReceiveAsync())
        {
            Assert.Equal(next++, frame.GetProperty("seq").GetInt64());
            lines += frame.Type() == "log" ? 1 : 0;
        }

        await Task.WhenAll(app.Executions.List().Select(execution => execution.Completion)).WaitAsync(Stop);
        Assert.Equal(200_000, lines);
    }

    [Fact]
    public async Task PageOfAForeignOriginIsClosedWith4505AndNothingItSendsIsDone()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        using var page = await SocketClient.ConnectAsync(app, options => options.SetRequestHeader("Origin", "https://evil.example"));

        await page.SendAsync("""{"action":"execute","kind":"synthetic","data":{"lines":1}}""");
        Assert.Null(await page.ReceiveTextAsync());

        Assert.Equal((WebSocketCloseStatus)4505, page.Socket.CloseStatus);
        Assert.Contains("--cors-origin", page.Socket.CloseStatusDescription, StringComparison.Ordinal);
        Assert.Empty(app.Executions.List());
    }

    [Theory]
    [InlineData("http://localhost:3000")]
    [InlineData("https://app.example.com")]
    public async Task PagesOfThisMachineAndOfConfiguredOriginsAreServed(string origin)
    {
        await using var app = await HarnessApp.StartAsync(("CorsOrigins:0", "https://app.example.com"));
        using var page = await SocketClient.ConnectAsync(app, options => options.SetRequestHeader("Origin", origin));

        Assert.Contains("not found", await page.AskAsync(Unknown), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithKeysASocketNeedsOneAsHeaderOrInTheQuery()
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "secret-key"));
        using var withHeader = await SocketClient.ConnectAsync(app, options => options.SetRequestHeader("Authorization", "Bearer secret-key"));
        using var withQuery = new ClientWebSocket();
        await withQuery.ConnectAsync(new Uri(app.WebSocketUri + "?access_token=secret-key"), Stop);

        var refusal = await Assert.ThrowsAsync<WebSocketException>(() => SocketClient.ConnectAsync(app));

        Assert.Contains("401", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(WebSocketState.Open, withQuery.State);
    }

    [Fact]
    public async Task PageWithoutAKeyIsClosedWith4503AndNothingItSendsIsDone()
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "secret-key"), ("Synthetic", "true"));
        using var page = await SocketClient.ConnectAsync(app, options => options.SetRequestHeader("Origin", "http://localhost:3000"));

        await page.SendAsync("""{"action":"execute","kind":"synthetic","data":{"lines":1}}""");
        Assert.Null(await page.ReceiveTextAsync());

        Assert.Equal((WebSocketCloseStatus)4503, page.Socket.CloseStatus);
        Assert.Contains("access_token", page.Socket.CloseStatusDescription, StringComparison.Ordinal);
        Assert.Empty(app.Executions.List());
    }

    [Fact]
    public async Task OneConnectionTooManyIsClosedWith4504()
    {
        await using var app = await HarnessApp.StartAsync(("MaxConnections", "1"));
        using var first = await SocketClient.ConnectAsync(app);
        Assert.Contains("not found", await first.AskAsync(Unknown), StringComparison.Ordinal);

        using var second = await SocketClient.ConnectAsync(app);

        Assert.Null(await second.ReceiveTextAsync());
        Assert.Equal((WebSocketCloseStatus)4504, second.Socket.CloseStatus);
    }

    [Fact]
    public async Task OneWatchTooManyIsRefusedByName()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"), ("MaxWatchesPerConnection", "1"));
        using var client = await SocketClient.ConnectAsync(app);
        const string Endless = """{"action":"execute","kind":"synthetic","data":{"lines":1,"watchers":2}}""";
        await client.SendAsync(Endless);
        Assert.Equal("status", (await client.ReceiveAsync()).Type());

        var refusal = JsonElement.Parse(await client.AskAsync(Endless));

        Assert.StartsWith("Too many executions: this connection watches 1", refusal.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task StopCancelsWhatRunsSendsTheResultAndClosesWith1001()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        using var client = await SocketClient.ConnectAsync(app);
        using var idle = await SocketClient.ConnectAsync(app);
        await client.SendAsync("""{"action":"execute","kind":"synthetic","data":{"lines":1,"watchers":2}}""");
        Assert.Equal("status", (await client.ReceiveAsync()).Type());
        var idleEnd = idle.ReceiveTextAsync();

        var stopping = app.StopAsync();
        var result = await client.ReceiveAsync();
        Assert.Null(await client.ReceiveTextAsync());
        await client.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
        Assert.Null(await idleEnd);
        await idle.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
        await stopping;

        Assert.Equal("cancelled", result.GetProperty("data").Text("status"));
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, client.Socket.CloseStatus);
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, idle.Socket.CloseStatus);
    }

    // There is no event for what the server has let go of: ask, and let others run in between. The test's own time limit ends it.
    private static async Task Eventually(Func<bool> isSo)
    {
        while (!isSo())
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
