using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Harness.Cli;
using Harness.Cli.Hub;
using Microsoft.AspNetCore.Hosting.Server;

namespace Harness.Server.Tests.Cli.Hub;

/// <summary>The Voiceflow CLI's own server, as far as a client meets it: three actions, no numbers, no <c>ref</c>.</summary>
public sealed class OlderServerTests : IAsyncLifetime
{
    private readonly WebApplication _app = Create();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private HubClient Client => new(
        new Uri(StartBanner.AddressOf(_app.Services.GetRequiredService<IServer>())), apiKey: null, TimeProvider.System);

    public async ValueTask InitializeAsync() => await _app.StartAsync(Stop);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task RunIsShownAsItComes()
    {
        await using var watch = await Client.ExecuteAsync(kind: null, JsonElement.Parse("{}"u8), Stop);

        var events = await watch.ReadAsync(Stop).ToListAsync(Stop);

        Assert.Equal(["status", "log", "result"], events.Select(next => next.Type));
    }

    [Fact]
    public async Task WatchAndListSayThatItCannot()
    {
        await using var watch = Client.Watch("E");

        var noWatch = await Assert.ThrowsAsync<RunException>(async () => await watch.ReadAsync(Stop).ToListAsync(Stop));
        var noList = await Assert.ThrowsAsync<RunException>(
            async () => await Client.ListAsync(new ListFilter(null, null, new Dictionary<string, string>()), Stop).ToListAsync(Stop));

        Assert.Contains("older server", noWatch.Message);
        Assert.Contains("older server", noList.Message);
    }

    private static WebApplication Create()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UseWebSockets();
        app.Map("/ws", AnswerAsync);
        return app;
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: WebSocketMessageType.Text } received)
        {
            var action = JsonElement.Parse(buffer.AsSpan(0, received.Count)).GetProperty("action").GetString();
            string[] answers = action == "execute"
                ?
                [
                    """{"type":"status","id":"E","message":"running","data":{"id":"E","status":"running"}}""",
                    """{"type":"log","id":"E","message":"a line"}""",
                    """{"type":"result","id":"E","data":{"id":"E","status":"completed"}}""",
                ]
                : [$$"""{"type":"error","message":"Unknown action: {{action}}. Supported actions: execute, cancel, status"}"""];
            foreach (var answer in answers)
            {
                await socket.SendAsync(Encoding.UTF8.GetBytes(answer), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            }
        }
    }
}
