using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Harness.Server.Tests.Transports.Rest;
using Harness.Server.Tests.Transports.SignalR;
using Harness.Server.Transports;

namespace Harness.Server.Tests.Transports;

/// <summary>One limit for everything that stays open.</summary>
public sealed class ConnectionLimitTests : IAsyncLifetime
{
    private const string Handshake = "{\"protocol\":\"json\",\"version\":1}\u001e";
    private const string Refusal = "4 connections are open, which is the limit";

    private HarnessApp _app = null!;
    private string _events = "";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var (app, kind) = await ManualKind.StartAppAsync(("MaxConnections", "4"));
        _app = app;
        _events = $"/api/v1/executions/{(await kind.StartAsync(app)).Id}/events";
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task AllKindsOfConnectionsShareThePlacesAndAFreedOneIsUsableAgain()
    {
        await using var first = await HubClient.ConnectAsync(_app, "json");
        var second = await HubClient.ConnectAsync(_app, "messagepack");
        using var socket = await SocketClient.ConnectAsync(_app);
        var stream = await EventReader.OpenAsync(_app.Client, _events);
        await PlacesTakenAsync(4);

        await AssertNobodyGetsInAsync();
        await second.DisposeAsync();
        await PlacesTakenAsync(3);
        using var other = await SocketClient.ConnectAsync(_app);
        Assert.Equal("pong", (await other.AskJsonAsync("""{"action":"ping"}""")).Type());
        await AssertNobodyGetsInAsync();
        stream.Dispose();
        await PlacesTakenAsync(3);
        await using var third = await HubClient.ConnectAsync(_app, "json");

        Assert.Equal(1, (await third.AskAsync("List", new { })).GetProperty("items").GetArrayLength());
        await AssertNobodyGetsInAsync();
    }

    private async Task AssertNobodyGetsInAsync()
    {
        using var socket = await SocketClient.ConnectAsync(_app);
        Assert.Null(await socket.ReceiveTextAsync());
        Assert.Equal(((WebSocketCloseStatus)4504, Refusal), (socket.Socket.CloseStatus, socket.Socket.CloseStatusDescription));

        Assert.Contains($"HubException: {Refusal}", await HubClient.ReadAsync(_app, Handshake, until: "\"type\":7"));

        using var answer = await _app.SendAsync(HttpMethod.Get, _events);
        var error = JsonElement.Parse(await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(("overloaded", $"{Refusal}; come back later"), (error.Text("error"), error.Text("message")));
    }

    // There is no event for what the server has let in or go of: ask, and let others run in between. The test's own time limit ends it.
    private async Task PlacesTakenAsync(int count)
    {
        var limit = _app.Services.GetRequiredService<ConnectionLimit>();
        while (limit.Count != count)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
