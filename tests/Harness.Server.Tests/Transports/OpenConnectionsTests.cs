using System.Net.WebSockets;
using System.Text.Json;
using Harness.Executions;
using Harness.Server.Tests.Dialects.VoltAgent.Workflows;
using Harness.Server.Tests.Transports.SignalR;
using Harness.Storage;
using Harness.Storage.Tests;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Harness.Server.Tests.Transports;

/// <summary>What watchers of an execution that outlives the process are told when the server stops: it waits for a person, and has no end yet.</summary>
public sealed class OpenConnectionsTests : IAsyncLifetime
{
    private readonly DataFolder _folder = new();
    private WorkflowApp _server = null!;
    private Execution _execution = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private HarnessApp App => _server.App;

    public async ValueTask InitializeAsync()
    {
        _server = await WorkflowApp.StartAsync(
            ($"{StoreOptions.Section}:{nameof(StoreOptions.MemoryOnly)}", "false"),
            ($"{StoreOptions.Section}:{nameof(StoreOptions.Data)}", _folder.NewOptions().Data));
        var order = await _server.OrderAsync(15_000);
        Assert.True(App.Executions.TryFind(order.Text("executionId"), out var execution));
        _execution = execution;
    }

    [Fact]
    public async Task SocketIsToldToComeBackAfterTheLastEventThereIs()
    {
        using var socket = await SocketClient.ConnectAsync(App);
        await socket.AskAsync("""{"action":"hello"}""");
        await socket.SendAsync($$"""{"action":"subscribe","id":"{{_execution.Id}}"}""");
        await socket.ReceiveUntilAsync(frame => frame.Type() == "status" && frame.Number("seq") == _execution.Log.LastSequence);

        var stopping = App.StopAsync();
        var last = (await socket.ReceiveUntilAsync("closing"))[^1];

        Assert.Equal("shutdown", last.Text("reason"));
        Assert.Null(await socket.ReceiveTextAsync());
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, socket.Socket.CloseStatus);
        await socket.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
        await stopping;
    }

    [Theory]
    [InlineData("json")]
    [InlineData("messagepack")]
    public async Task StreamsOfTheHubEndWithAnErrorAndTheConnectionInOrder(string protocol)
    {
        await using var hub = await HubClient.ConnectAsync(App, protocol);
        var closed = hub.ClosedAsync();
        var watch = hub.WatchAsync(_execution.Id);
        var tail = hub.StreamAsync<JsonElement>("Tail", _execution.Id, 0L, Stop).ToListAsync(Stop).AsTask();
        await _execution.Log.WaitForReadersAsync(2, Stop);

        await App.StopAsync();

        Assert.Null(await closed);
        foreach (var stream in (Task[])[watch, tail])
        {
            var error = await Assert.ThrowsAsync<HubException>(() => stream);
            Assert.Contains("The server is stopping before this execution ends", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ServerSentEventsEndWithoutAWordThatThisWasAll()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/executions/{_execution.Id}/events");
        using var response = await App.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);

        var stopping = App.StopAsync();
        var text = await response.Content.ReadAsStringAsync(Stop);

        Assert.Contains($"-{_execution.Log.LastSequence}\nevent: status\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("event: end", text, StringComparison.Ordinal);
        await stopping;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }
}
