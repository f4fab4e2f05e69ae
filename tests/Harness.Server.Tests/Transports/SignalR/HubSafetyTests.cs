using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Harness.Server.Transports;
using Harness.Server.Transports.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Harness.Server.Tests.Transports.SignalR;

public sealed class HubSafetyTests
{
    private const string Key = "k-1234567890";
    private const string Negotiate = "/hub/negotiate?negotiateVersion=1";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KeyIsAskedForByNegotiateAndByTheSocket()
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", Key));

        using var refused = await app.SendAsync(HttpMethod.Post, Negotiate);
        var socket = await Assert.ThrowsAsync<WebSocketException>(() => HubClient.ConnectAsync(app, "json"));

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains("401", socket.Message);
    }

    [Theory]
    [InlineData("json")]
    [InlineData("messagepack")]
    public async Task KeyOpensNegotiateAndTheSocketInTheQueryOrAHeader(string protocol)
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", Key));
        using var negotiated = await app.SendAsync(HttpMethod.Post, $"{Negotiate}&access_token={Key}");
        var token = JsonElement.Parse(await negotiated.Content.ReadAsStringAsync(Stop)).Text("connectionToken");

        await using var byQuery = await HubClient.ConnectAsync(app, protocol, new Uri($"{HubClient.HubUri(app)}?id={token}&access_token={Key}"));
        await using var byHeader = await HubClient.ConnectAsync(
            app, protocol, configure: options => options.SetRequestHeader("Authorization", $"Bearer {Key}"));

        Assert.Equal(0, (await byQuery.AskAsync("List", new { })).GetProperty("items").GetArrayLength());
        Assert.Equal(HubConnectionState.Connected, byHeader.State);
    }

    [Fact]
    public async Task PageOfAForeignOriginGetsNeitherNegotiateNorASocket()
    {
        await using var app = await HarnessApp.StartAsync();

        using var refused = await app.SendAsync(HttpMethod.Post, Negotiate, ("Origin", "https://evil.example"));
        var socket = await Assert.ThrowsAsync<WebSocketException>(() => HubClient.ConnectAsync(
            app, "json", configure: options => options.SetRequestHeader("Origin", "https://evil.example")));

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("403", socket.Message);
    }

    [Fact]
    public async Task PageOfAnAllowedOriginGetsWhatTheJavaScriptClientNeeds()
    {
        await using var app = await HarnessApp.StartAsync();

        using var preflight = await app.SendAsync(
            HttpMethod.Options,
            Negotiate,
            ("Origin", "http://localhost:3000"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "x-requested-with,x-signalr-user-agent"));
        using var answer = await app.SendAsync(HttpMethod.Post, Negotiate, ("Origin", "http://localhost:3000"));

        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.EndsWith(",X-Requested-With,X-SignalR-User-Agent", Assert.Single(preflight.Headers.GetValues("Access-Control-Allow-Headers")));
        foreach (var response in new[] { preflight, answer })
        {
            Assert.Equal(["http://localhost:3000"], response.Headers.GetValues("Access-Control-Allow-Origin"));
            Assert.Equal(["true"], response.Headers.GetValues("Access-Control-Allow-Credentials"));
            Assert.Equal(["Origin"], response.Headers.GetValues("Vary"));
        }
    }

    [Theory]
    [InlineData("json")]
    [InlineData("messagepack")]
    public async Task MessageOverTheLimitEndsItsConnectionAndNoOther(string protocol)
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"), ("MaxMessageBytes", "2048"));
        await using var other = await HubClient.ConnectAsync(app, "json");
        await using var hub = await HubClient.ConnectAsync(app, protocol);
        var closed = hub.ClosedAsync();
        var command = new { kind = "synthetic", data = new { lines = 1, pad = new string('x', 2_048) } };

        await Assert.ThrowsAnyAsync<Exception>(() => hub.AskAsync("Execute", command));

        await closed.WaitAsync(Stop);
        Assert.Empty(app.Executions.List());
        Assert.Equal(0, (await other.AskAsync("List", new { })).GetProperty("items").GetArrayLength());
    }

    [Theory]
    [InlineData("json")]
    [InlineData("messagepack")]
    public async Task CommandOfSeveralMegabytesIsTaken(string protocol)
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        await using var hub = await HubClient.ConnectAsync(app, protocol);

        var id = await hub.ExecuteAsync(new { lines = 1, pad = new string('x', 3 * 1024 * 1024) });

        Assert.Equal(3, (await hub.WatchAsync(id)).Count);
    }

    [Theory]
    [InlineData("json")]
    [InlineData("messagepack")]
    public async Task StopOfTheServerEndsConnectionsAfterTheResultsOfTheirStreams(string protocol)
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        await using var hub = await HubClient.ConnectAsync(app, protocol);
        await using var idle = await HubClient.ConnectAsync(app, protocol);
        var (closed, idleClosed) = (hub.ClosedAsync(), idle.ClosedAsync());
        var id = await hub.ExecuteAsync(new { lines = 1_000_000_000, rate = 10 });
        var watches = Enumerable.Range(0, 20).Select(_ => hub.WatchAsync(id)).ToList();
        var tail = hub.StreamAsync<JsonElement>("Tail", id, 0L, Stop).ToListAsync(Stop).AsTask();
        Assert.True(app.Executions.TryFind(id, out var execution));
        await execution.Log.WaitForReadersAsync(21, Stop);

        await app.StopAsync();

        foreach (var events in await Task.WhenAll([tail, .. watches]))
        {
            Assert.Equal("result", events[^1].Type());
            Assert.Equal("cancelled", events[^1].GetProperty("data").Text("status"));
            Assert.Equal(Enumerable.Range(1, events.Count).Select(seq => (long)seq), events.Sequences());
        }

        Assert.Equal([null, null], await Task.WhenAll(closed, idleClosed));
        Assert.Equal(0, execution.Log.ReaderCount);
    }

    [Fact]
    public async Task FloodOfMessagesIsClosed()
    {
        await using var app = await HarnessApp.StartAsync(("MaxMessagesPerSecond", "1"));
        await using var bystander = await HubClient.ConnectAsync(app, "messagepack");
        var pings = string.Concat(Enumerable.Repeat("{\"type\":6}\u001e", 1_000));

        var answer = await HubClient.ReadAsync(app, "{\"protocol\":\"json\",\"version\":1}\u001e" + pings, until: "\"type\":7");

        Assert.Contains("too many messages: more than 1 a second; reconnect and send less", answer, StringComparison.Ordinal);
        Assert.Contains("\"allowReconnect\":true", answer, StringComparison.Ordinal);
        await bystander.AskAsync("List", new { });
    }

    [Fact]
    public async Task ClosedConnectionIsToldToComeBack()
    {
        await using var app = await HarnessApp.StartAsync();
        var reading = HubClient.ReadAsync(app, "{\"protocol\":\"json\",\"version\":1}\u001e", until: "\"type\":7");
        var limit = app.Services.GetRequiredService<ConnectionLimit>();
        while (limit.Count == 0)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await app.StopAsync();

        Assert.EndsWith("{\"type\":7,\"allowReconnect\":true}\u001e", await reading);
    }

    [Fact]
    public async Task StoppingServerRefusesNewConnectionsForNow()
    {
        await using var app = await HarnessApp.StartAsync();
        await app.Services.GetRequiredService<HubTable>().CloseAllAsync(Stop);

        using var answer = await app.SendAsync(HttpMethod.Post, Negotiate);
        var socket = await Assert.ThrowsAsync<WebSocketException>(() => HubClient.ConnectAsync(app, "json"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("""{"error":"overloaded","message":"The server is stopping"}""", await answer.Content.ReadAsStringAsync(Stop));
        Assert.Contains("503", socket.Message);
    }
}
