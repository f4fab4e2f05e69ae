using System.Text.Json;
using Harness.Cli;
using Harness.Cli.Hub;
using Harness.Server.Tests.Clients;
using Harness.Server.Tests.Transports;

namespace Harness.Server.Tests.Cli.Hub;

public sealed class HubClientTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LostConnectionsLeaveNoGapAndNoDoubleInWhatIsSeen()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        var id = await StartAsync(app, new { lines = 3000, watchers = 1 });
        await using var proxy = new FlakyProxy(app.Address, 30_000, 0, 1_000, 100_000);
        await using var watch = ClientOf(proxy.Address).Watch(id);

        var events = await watch.ReadAsync(Stop).ToListAsync(Stop);

        var notices = events.Where(next => next.Type == HubEvent.NoticeType).ToList();
        Assert.Equal(0, proxy.CutsLeft);
        Assert.True(notices.Count >= 4, $"{notices.Count} lost connections");
        Assert.Equal(Enumerable.Range(1, events.Count - notices.Count).Select(number => (long?)number), events.Except(notices).Select(next => next.Sequence));
        Assert.Equal(3000, events.Count(next => next.Type == "log"));
        Assert.Equal("completed", events[^1].Data.Text("status"));
    }

    [Fact]
    public async Task ConnectionLostBeforeTheAnswerStartsNothingTwice()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));

        // The upgrade and the hello come through, the answer to execute does not.
        await using var proxy = new FlakyProxy(app.Address, 400);
        await using var watch = await ClientOf(proxy.Address).ExecuteAsync("synthetic", Json(new { lines = 10 }), Stop);

        var events = await watch.ReadAsync(Stop).ToListAsync(Stop);

        Assert.Equal(0, proxy.CutsLeft);
        Assert.Single(app.Executions.List());
        Assert.Equal(10, events.Count(next => next.Type == "log"));
    }

    [Fact]
    public async Task ServerThatSaysNotToComeBackIsNotAskedAgain()
    {
        await using var app = await HarnessApp.StartAsync(("MaxConnections", "1"));
        using var other = await SocketClient.ConnectAsync(app);
        Assert.Equal("pong", (await other.AskJsonAsync("""{"action":"ping"}""")).Type());
        await using var watch = ClientOf(app.Address).Watch("any");

        // Exactly this one: a lost connection is a RunException too, and would be tried again.
        var refusal = await Assert.ThrowsAsync<RunException>(() => watch.ReadAsync(Stop).ToListAsync(Stop).AsTask());

        Assert.EndsWith("closed the connection (4504 1 connections are open, which is the limit).", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LinesThatAreGoneAreNamedExactly()
    {
        await using var app = await HarnessApp.StartAsync(
            ("Synthetic", "true"), ("Harness:Executions:WindowBytes", "65536"), ("Harness:Executions:TotalWindowBytes", "1048576"));
        await using (var run = await ClientOf(app.Address).ExecuteAsync("synthetic", Json(new { lines = 20_000 }), Stop))
        {
            await run.ReadAsync(Stop).ToListAsync(Stop);
        }

        await using var watch = ClientOf(app.Address).Watch(app.Executions.List().Single().Id);
        var events = await watch.ReadAsync(Stop).ToListAsync(Stop);

        Assert.Equal(("truncated", 1L), (events[0].Type, events[0].Json.Whole("from")));
        Assert.Equal(events[0].Json.Whole("to") + 1, events[1].Sequence);
        Assert.Equal("result", events[^1].Type);
    }

    [Fact]
    public async Task TailBeginsWithTheNewestEvents()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        var id = await StartAsync(app, new { lines = 100 });
        Assert.True(app.Executions.TryFind(id, out var execution));
        await execution.Completion.WaitAsync(Stop);

        await using var tail = ClientOf(app.Address).Watch(id, tail: 3);
        await using var from = ClientOf(app.Address).Watch(id, from: 100);
        await using var future = ClientOf(app.Address).Watch(id, from: 1_000);

        var last = execution.Log.LastSequence;
        Assert.Equal([last - 2, last - 1, last], await tail.ReadAsync(Stop).Select(next => next.Sequence!.Value).ToListAsync(Stop));
        Assert.Equal(100, (await from.ReadAsync(Stop).FirstAsync(Stop)).Sequence);
        var refusal = await Assert.ThrowsAsync<RunException>(async () => await future.ReadAsync(Stop).ToListAsync(Stop));
        Assert.Contains("has ended before event 1000", refusal.Message);
    }

    [Fact]
    public async Task ServerThatHasForgottenIsNotAskedForEver()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        var id = await StartAsync(app, new { lines = 5000, rate = 1000, watchers = 1 });
        await using var proxy = new FlakyProxy(app.Address, 20_000);
        await using var watch = ClientOf(proxy.Address).Watch(id);
        Assert.True(app.Executions.TryFind(id, out var execution));

        var refusal = await Assert.ThrowsAsync<RunException>(async () =>
        {
            await foreach (var next in watch.ReadAsync(Stop))
            {
                if (next.Type == HubEvent.NoticeType)
                {
                    app.Executions.TryCancel(execution);
                    await execution.Completion.WaitAsync(Stop);
                    await app.Executions.RemoveAsync(execution, Stop);
                }
            }
        });

        Assert.Contains($"no longer has execution {id}", refusal.Message);
    }

    [Fact]
    public async Task ListGoesThroughAllPages()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        for (var i = 0; i < 501; i++)
        {
            app.Executions.Start(Plans.Ended(Harness.Executions.ExecutionStatus.Completed));
        }

        var items = await ClientOf(app.Address).ListAsync(new ListFilter(null, null, new Dictionary<string, string>()), Stop).ToListAsync(Stop);

        Assert.Equal(501, items.Select(item => item.Text("id")).Distinct().Count());
    }

    [Theory]
    [InlineData("http://hub:8080", "ws://hub:8080/ws")]
    [InlineData("http://hub:8080/ws", "ws://hub:8080/ws")]
    [InlineData("https://hub/base/", "wss://hub/base/ws")]
    [InlineData("ws://hub:8080", "ws://hub:8080/ws")]
    [InlineData("wss://hub/ws/", "wss://hub/ws")]
    public void ServerMayBeNamedInAnyOfTheUsualWays(string server, string socket) =>
        Assert.Equal(new Uri(socket), HubClient.SocketAddress(new Uri(server)));

    private static HubClient ClientOf(Uri server) => new(server, apiKey: null, TimeProvider.System);

    private static JsonElement Json(object value) => JsonSerializer.SerializeToElement(value);

    private static async Task<string> StartAsync(HarnessApp app, object data)
    {
        await using var watch = await ClientOf(app.Address).ExecuteAsync("synthetic", Json(data), Stop);
        return watch.Id;
    }
}
