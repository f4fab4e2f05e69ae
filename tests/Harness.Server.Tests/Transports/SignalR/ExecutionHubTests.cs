using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Harness.Server.Tests.Transports.SignalR;

public sealed class ExecutionHubTests
{
    private const string Handshake = "{\"protocol\":\"json\",\"version\":1}\u001e";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string> Protocols => ["json", "messagepack"];

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task WatcherSeesEveryEventInOrderAndTheResultLast(string protocol)
    {
        await using var app = await StartAsync();
        await using var hub = await HubClient.ConnectAsync(app, protocol);

        var started = await hub.AskAsync("Execute", new { kind = "synthetic", data = new { lines = 5_000 }, labels = new { team = "é😀" } });
        var events = await hub.WatchAsync(started.Text("id"));

        Assert.Equal(Enumerable.Range(1, 5_002).Select(seq => (long)seq), events.Sequences());
        Assert.Equal("status", events[0].Type());
        Assert.All(events[1..^1], item => Assert.Equal("log", item.Type()));
        Assert.Equal("result", events[^1].Type());
        Assert.Equal("completed", events[^1].GetProperty("data").Text("status"));
        Assert.Equal("é😀", events[^1].GetProperty("data").GetProperty("labels").Text("team"));
        Assert.Equal(6, started.Text("epoch").Length);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task EventsAreTheOnesOfTheLog(string protocol)
    {
        await using var app = await StartAsync();
        await using var hub = await HubClient.ConnectAsync(app, protocol);
        var execution = app.Executions.Start(Plans.Ended(Executions.ExecutionStatus.Failed, "\"quoted\" <b> é \u0001"));

        var events = await hub.WatchAsync(execution.Id);

        var log = await execution.Log.ReadEventsAsync(1, Stop).Select(json => JsonElement.Parse(json.Span)).ToListAsync(Stop);
        Assert.Equal(log.Count, events.Count);
        Assert.All(log.Zip(events), pair => Assert.True(JsonElement.DeepEquals(pair.First, pair.Second), $"{pair.First}\n{pair.Second}"));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task WatcherBeginsWhereItAsks(string protocol)
    {
        await using var app = await StartAsync();
        await using var hub = await HubClient.ConnectAsync(app, protocol);
        var id = await hub.ExecuteAsync(new { lines = 10 });

        Assert.Equal([7, 8, 9, 10, 11, 12], (await hub.WatchAsync(id, from: 7)).Sequences());
        Assert.Empty(await hub.WatchAsync(id, from: 13));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task TailGivesOneEventAtATime(string protocol)
    {
        await using var app = await StartAsync();
        await using var hub = await HubClient.ConnectAsync(app, protocol);
        var id = await hub.ExecuteAsync(new { lines = 3 });

        var events = await hub.StreamAsync<JsonElement>("Tail", id, 2L, Stop).ToListAsync(Stop);

        Assert.Equal([2, 3, 4, 5], events.Sequences());
        Assert.Equal("result", events[^1].Type());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task CancelledStreamEndsAndTheExecutionGoesOn(string protocol)
    {
        await using var app = await StartAsync();
        await using var hub = await HubClient.ConnectAsync(app, protocol);
        var id = await hub.ExecuteAsync(new { lines = 1_000_000_000, rate = 100 });
        Assert.True(app.Executions.TryFind(id, out var execution));

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in hub.StreamAsync<JsonElement>("Watch", id, 0L, enough.Token))
            {
                await enough.CancelAsync();
            }
        });

        // It answers, runs on, and its log is let go.
        var status = await hub.AskAsync("Status", new { id, logs = "none" });
        Assert.Equal("running", status.Text("status"));
        Assert.True(SpinWait.SpinUntil(() => execution.Log.ReaderCount == 0, TimeSpan.FromSeconds(30)));
        await hub.AskAsync("Cancel", new { id });
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task CancelIsHeardWhileStreamsAndInvocationsAreUnderWay(string protocol)
    {
        await using var app = await StartAsync();
        await using var hub = await HubClient.ConnectAsync(app, protocol);
        var id = await hub.ExecuteAsync(new { lines = 1_000_000_000, rate = 1_000 });
        var watches = Enumerable.Range(0, 20).Select(_ => hub.WatchAsync(id)).ToList();
        var others = Enumerable.Range(0, 20).Select(_ => hub.AskAsync("Status", new { id, logs = "none" })).ToList();

        var answer = await hub.AskAsync("Cancel", new { id, reason = "enough" });

        Assert.Equal("cancelled", answer.Text("status"));
        Assert.Equal("enough", answer.Text("cancel_reason"));
        await Task.WhenAll(others);
        foreach (var events in await Task.WhenAll(watches))
        {
            Assert.Equal("result", events[^1].Type());
            Assert.Equal("cancelled", events[^1].GetProperty("data").Text("status"));
            Assert.Equal(Enumerable.Range(1, events.Count).Select(seq => (long)seq), events.Sequences());
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task ManyAreListedAndCancelledByLabel(string protocol)
    {
        await using var app = await StartAsync();
        await using var hub = await HubClient.ConnectAsync(app, protocol);
        var command = new { kind = "synthetic", data = new { lines = 1_000_000_000, rate = 1 }, labels = new { team = "a" } };
        var ids = new[] { (await hub.AskAsync("Execute", command)).Text("id"), (await hub.AskAsync("Execute", command)).Text("id") };
        await hub.ExecuteAsync(new { lines = 1_000_000_000, rate = 1 });

        var page = await hub.AskAsync("List", new { filter = new { labels = new { team = "a" } }, limit = 1 });
        var rest = await hub.AskAsync("List", new { filter = new { labels = new { team = "a" } }, cursor = page.Text("next") });
        var cancelled = await hub.AskAsync("Cancel", new { filter = new { labels = new { team = "a" } } });
        var again = await hub.AskAsync("Cancel", new { ids = new[] { ids[0], "nope" } });

        Assert.Equal([ids[1], ids[0]], Items(page).Concat(Items(rest)).Select(item => item.Text("id")));
        Assert.Equal(ids.Order(), cancelled.GetProperty("cancelled").EnumerateArray().Select(id => id.GetString()).Order());
        Assert.Equal(0, again.GetProperty("cancelled").GetArrayLength());
        Assert.Equal(["not_found", "not_running"], again.GetProperty("refused").EnumerateArray().Select(refusal => refusal.Text("code")).Order());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task RetryWithTheSameKeyGivesTheSameExecution(string protocol)
    {
        await using var app = await StartAsync();
        await using var hub = await HubClient.ConnectAsync(app, protocol);
        var command = new { kind = "synthetic", data = new { lines = 1 }, idempotency_key = "k" };

        Assert.Equal((await hub.AskAsync("Execute", command)).Text("id"), (await hub.AskAsync("Execute", command)).Text("id"));
    }

    [Fact]
    public async Task RetryOverAnotherConnectionDoesNotBindTheExecutionToThatOne()
    {
        await using var app = await StartAsync();
        await using var hub = await HubClient.ConnectAsync(app, "json");
        var data = new { lines = 1_000_000_000, rate = 1 };
        var id = (await hub.AskAsync("Execute", new { kind = "synthetic", data, idempotency_key = "k" })).Text("id");
        Assert.True(app.Executions.TryFind(id, out var execution));
        var retry = await HubClient.ConnectAsync(app, "json");
        var command = new { kind = "synthetic", data, idempotency_key = "k", on_disconnect = "cancel" };
        Assert.Equal(id, (await retry.AskAsync("Execute", command)).Text("id"));
        var bound = await retry.AskAsync("Execute", new { kind = "synthetic", data, on_disconnect = "cancel" });
        Assert.True(app.Executions.TryFind(bound.Text("id"), out var own));

        // All that the connection has started ends at once: when its own has, the other would have.
        await retry.DisposeAsync();
        await own.Completion.WaitAsync(Stop);

        Assert.Equal(Executions.ExecutionStatus.Running, execution.State.Status);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task RefusalsSayWhatIsWrongAndTheConnectionGoesOn(string protocol)
    {
        await using var app = await StartAsync();
        await using var hub = await HubClient.ConnectAsync(app, protocol);

        Assert.Contains("HubException: Test execution not found: nope", await RefusalAsync(() => hub.WatchAsync("nope")));
        Assert.Contains("HubException: Test execution not found: nope", await RefusalAsync(() => hub.AskAsync("Status", new { id = "nope" })));
        Assert.Contains("HubException: Missing execution id for cancel action", await RefusalAsync(() => hub.AskAsync("Cancel", new { })));
        Assert.Contains("HubException: from must be a whole number from 0 to 9223372036854775807", await RefusalAsync(() => hub.WatchAsync("nope", from: -1)));
        Assert.Contains("HubException: from must be a whole number from 0 to 9223372036854775807", await RefusalAsync(
            () => hub.StreamAsync<JsonElement>("Tail", "nope", -1L, Stop).ToListAsync(Stop).AsTask()));
        Assert.Contains("HubException: id excludes ids and filter", await RefusalAsync(() => hub.AskAsync("Cancel", new { id = "x", ids = new[] { "y" } })));
        Assert.Contains("HubException: Unknown kind: x.", await RefusalAsync(() => hub.AskAsync("Execute", new { kind = "x" })));
        Assert.Contains("HubException: the command must be a JSON object", await RefusalAsync(() => hub.AskAsync("List", 7)));
        Assert.Contains("HubException: limit must be", await RefusalAsync(() => hub.AskAsync("List", new { limit = -1 })));
        Assert.Contains("Failed to invoke 'Watch'", await RefusalAsync(
            () => hub.StreamAsync<JsonElement>("Watch", "x", Stop).ToListAsync(Stop).AsTask()));
        Assert.NotEmpty((await hub.AskAsync("List", new { })).EnumerateObject());
    }

    [Fact]
    public async Task HalfASurrogatePairIsReplacedAndNotAFault()
    {
        await using var app = await StartAsync();

        var answers = await HubClient.ReadAsync(
            app, $"{Handshake}{{\"type\":1,\"invocationId\":\"1\",\"target\":\"Status\",\"arguments\":[{{\"id\":\"\\ud83d\"}}]}}\u001e", until: "\"type\":3");

        Assert.Contains("HubException: Test execution not found: \ufffd", answers);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task ExecutionEndsWithItsConnectionWhenItSaysSo(string protocol)
    {
        await using var app = await StartAsync();
        var hub = await HubClient.ConnectAsync(app, protocol);
        var data = new { lines = 1_000_000_000, rate = 1 };
        var bound = (await hub.AskAsync("Execute", new { kind = "synthetic", data, on_disconnect = "cancel" })).Text("id");
        var free = await hub.ExecuteAsync(data);

        await hub.DisposeAsync();

        Assert.True(app.Executions.TryFind(bound, out var ended));
        Assert.True(app.Executions.TryFind(free, out var running));
        Assert.Equal(Executions.ExecutionStatus.Canceled, (await ended.Completion.WaitAsync(Stop)).Status);
        Assert.Equal(Executions.ExecutionStatus.Running, running.State.Status);
    }

    [Fact]
    public async Task StreamsAndConnectionsOverTheLimitAreRefused()
    {
        await using var app = await StartAsync(("MaxWatchesPerConnection", "1"), ("MaxConnections", "1"));
        await using var hub = await HubClient.ConnectAsync(app, "messagepack");
        var id = await hub.ExecuteAsync(new { lines = 1_000_000_000, rate = 100 });
        await using var watch = hub.StreamAsync<JsonElement>("Watch", id, 0L, Stop).GetAsyncEnumerator(Stop);
        await watch.MoveNextAsync();

        Assert.Contains("Too many streams: this connection has 1", await RefusalAsync(() => hub.WatchAsync(id)));
        Assert.Contains("1 connections are open, which is the limit", await HubClient.ReadAsync(app, Handshake, until: "\"type\":7"));
    }

    private static Task<HarnessApp> StartAsync(params (string Name, string? Value)[] settings) =>
        HarnessApp.StartAsync([("Synthetic", "true"), .. settings]);

    private static List<JsonElement> Items(JsonElement page) => [.. page.GetProperty("items").EnumerateArray()];

    private static async Task<string> RefusalAsync(Func<Task> call) => (await Assert.ThrowsAsync<HubException>(call)).Message;
}
