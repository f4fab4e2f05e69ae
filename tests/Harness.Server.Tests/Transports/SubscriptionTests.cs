using System.Text;

namespace Harness.Server.Tests.Transports;

/// <summary><c>subscribe</c> and <c>unsubscribe</c> over <c>/ws</c>.</summary>
public sealed class SubscriptionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FinishedExecutionIsReplayedUpToItsResultThenTheSubscriptionEnds()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var execution = await kind.RunAsync(app, "one", "two");

        await client.SendAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","ref":"r2"}""");
        var first = await client.ReceiveTextAsync();
        var events = await client.ReceiveUntilAsync("result");
        var last = await client.ReceiveTextAsync();

        Assert.Equal(
            $$"""{"type":"subscribed","id":"{{execution.Id}}","ref":"r2","epoch":"{{execution.Epoch}}","first":1,"last":4,"from":1,"recovered":true,"status":"completed"}""",
            first);
        Assert.Equal(["status", "log", "log", "result"], events.Select(Frames.Type));
        Assert.Equal([1L, 2, 3, 4], events.Select(frame => frame.Number("seq")));
        Assert.Equal($$"""{"type":"unsubscribed","id":"{{execution.Id}}","reason":"ended","ref":"r2"}""", last);
    }

    [Fact]
    public async Task LiveEventsFollowTheReplayUntilTheResult()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var execution = await kind.StartAsync(app, "before");

        var subscribed = await client.AskJsonAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":2}""");
        Assert.Equal("before", (await client.ReceiveAsync()).Text("message"));
        await ManualKind.SayAsync(execution, "after");
        Assert.Equal("after", (await client.ReceiveAsync()).Text("message"));
        kind.End();
        var end = await client.ReceiveUntilAsync("unsubscribed");

        Assert.Equal("running", subscribed.Text("status"));
        Assert.Equal(2, subscribed.Number("from"));
        Assert.False(subscribed.TryGetProperty("ref", out var _));
        Assert.Equal(["result", "unsubscribed"], end.Select(Frames.Type));
    }

    [Theory]
    [InlineData("\"from\":0", 1)]
    [InlineData("\"from\":3", 3)]
    [InlineData("\"tail\":2", 4)]
    [InlineData("\"tail\":99", 1)]
    [InlineData("\"tail\":0", 6)]
    [InlineData("\"from\":\"now\"", 6)]
    [InlineData("\"from\":8", 8)]
    public async Task SubscriptionBeginsWhereItWasAskedTo(string where, long from)
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var execution = await kind.StartAsync(app, "2", "3", "4", "5");

        var subscribed = await client.AskJsonAsync($$"""{"action":"subscribe","id":"{{execution.Id}}",{{where}}}""");
        await ManualKind.SayAsync(execution, "6", "7", "8", "9");
        kind.End();
        var events = await client.ReceiveUntilAsync("result");

        Assert.Equal((1, 5, from), (subscribed.Number("first"), subscribed.Number("last"), subscribed.Number("from")));
        Assert.True(subscribed.GetProperty("recovered").GetBoolean());
        Assert.Equal(Enumerable.Range((int)from, 11 - (int)from).Select(seq => (long)seq), events.Select(frame => frame.Number("seq")));
    }

    [Fact]
    public async Task SequenceBeyondTheResultGetsNoEventAndTheEnd()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var execution = await kind.RunAsync(app, "line");

        var subscribed = await client.AskJsonAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":100}""");
        var next = await client.ReceiveAsync();

        Assert.Equal(("subscribed", "unsubscribed"), (subscribed.Type(), next.Type()));
    }

    [Fact]
    public async Task OtherEpochIsNotRecoveredAndDeliveredFromTheFirstEventKept()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var execution = await kind.RunAsync(app, "line");

        var lost = await client.AskJsonAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":3,"epoch":"other"}""");
        var events = await client.ReceiveUntilAsync("unsubscribed");
        var kept = await client.AskJsonAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":3,"epoch":"{{execution.Epoch}}"}""");

        Assert.False(lost.GetProperty("recovered").GetBoolean());
        Assert.Equal(1, lost.Number("from"));
        Assert.Equal(["status", "log", "result", "unsubscribed"], events.Select(Frames.Type));
        Assert.True(kept.GetProperty("recovered").GetBoolean());
        Assert.Equal(3, kept.Number("from"));
    }

    [Fact]
    public async Task MissingRangeIsToldExactlyBeforeTheFirstEventKept()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"), ("Harness:Executions:WindowBytes", "65536"));
        using var starter = await SocketClient.ConnectAsync(app);
        await starter.SendAsync("""{"action":"execute","kind":"synthetic","data":{"lines":5000},"watch":false}""");
        var id = (await starter.ReceiveAsync()).Text("id");
        Assert.True(app.Executions.TryFind(id, out var execution));
        await execution.Completion.WaitAsync(Stop);

        var subscribed = await starter.AskJsonAsync($$"""{"action":"subscribe","id":"{{id}}","from":7}""");
        var events = await starter.ReceiveUntilAsync("result");

        var first = subscribed.Number("first");

        // The result alone is kept when it found no room beside the last lines.
        Assert.InRange(first, 8, 5002);
        Assert.False(subscribed.GetProperty("recovered").GetBoolean());
        Assert.Equal(first, subscribed.Number("from"));
        Assert.Equal($$"""{"type":"truncated","id":"{{id}}","from":7,"to":{{first - 1}},"reason":"retention"}""", events[0].GetRawText());
        Assert.Equal(Enumerable.Range((int)first, 5003 - (int)first).Select(seq => (long)seq), events.Skip(1).Select(frame => frame.Number("seq")));
    }

    [Fact]
    public async Task UnknownExecutionIsAnError()
    {
        await using var app = await HarnessApp.StartAsync();
        using var client = await SocketClient.ConnectAsync(app);

        Assert.Equal(
            """{"type":"error","id":"X","message":"Test execution not found: X","code":"not_found","ref":"r9"}""",
            await client.AskAsync("""{"action":"subscribe","id":"X","ref":"r9"}"""));
        Assert.Equal(
            """{"type":"error","message":"Missing execution id for subscribe action","code":"missing_id"}""",
            await client.AskAsync("""{"action":"subscribe"}"""));
    }

    [Fact]
    public async Task SecondSubscriptionToTheSameExecutionReplacesTheFirst()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var execution = await kind.StartAsync(app, "two");
        await client.SendAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":"now","ref":"a"}""");
        Assert.Equal("subscribed", (await client.ReceiveAsync()).Type());

        await client.SendAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":2,"ref":"b"}""");
        var frames = await client.ReceiveUntilAsync("log");
        kind.End();
        frames.AddRange(await client.ReceiveUntilAsync("unsubscribed"));
        var next = await client.AskJsonAsync("""{"action":"ping"}""");

        Assert.Equal(["subscribed", "log", "result", "unsubscribed"], frames.Select(Frames.Type));
        Assert.Equal("b", frames[^1].Text("ref"));
        Assert.Equal("pong", next.Type());
        Assert.Equal(0, execution.Log.ReaderCount);
    }

    [Fact]
    public async Task AfterUnsubscribedNothingOfThatExecutionFollows()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var execution = await kind.StartAsync(app);
        await client.AskAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":"now"}""");

        var unsubscribed = await client.AskAsync($$"""{"action":"unsubscribe","id":"{{execution.Id}}","ref":"u"}""");
        await ManualKind.SayAsync(execution, "unheard");
        var again = await client.AskAsync($$"""{"action":"unsubscribe","id":"{{execution.Id}}","ref":"v"}""");

        Assert.Equal($$"""{"type":"unsubscribed","id":"{{execution.Id}}","reason":"requested","ref":"u"}""", unsubscribed);
        Assert.Equal($$"""{"type":"error","id":"{{execution.Id}}","message":"Not subscribed: {{execution.Id}}","code":"not_subscribed","ref":"v"}""", again);
    }

    [Fact]
    public async Task OneSubscriptionTooManyIsRefusedByNameAndRoomComesBack()
    {
        var (app, kind) = await ManualKind.StartAppAsync(("MaxSubscriptionsPerConnection", "1"));
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var (first, second) = (await kind.StartAsync(app), await kind.StartAsync(app));
        await client.AskAsync($$"""{"action":"subscribe","id":"{{first.Id}}","from":"now"}""");

        var refusal = await client.AskJsonAsync($$"""{"action":"subscribe","id":"{{second.Id}}","from":"now"}""");
        var replaced = await client.AskJsonAsync($$"""{"action":"subscribe","id":"{{first.Id}}","from":"now"}""");
        await client.AskAsync($$"""{"action":"unsubscribe","id":"{{first.Id}}"}""");
        var taken = await client.AskJsonAsync($$"""{"action":"subscribe","id":"{{second.Id}}","from":"now"}""");

        Assert.Equal(("error", "too_many_subscriptions"), (refusal.Type(), refusal.Text("code")));
        Assert.Equal("subscribed", replaced.Type());
        Assert.Equal("subscribed", taken.Type());
    }

    [Fact]
    public async Task SubscriptionThatHasEndedMakesRoomForTheNext()
    {
        var (app, kind) = await ManualKind.StartAppAsync(("MaxSubscriptionsPerConnection", "1"));
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var execution = await kind.RunAsync(app);

        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync($$"""{"action":"subscribe","id":"{{execution.Id}}"}""");
            Assert.Equal(["subscribed", "status", "result", "unsubscribed"], (await client.ReceiveUntilAsync("unsubscribed")).Select(Frames.Type));
        }
    }

    [Fact]
    public async Task TypedEventsReachOnlySubscribersThatAskedForThem()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var with = await SocketClient.ConnectAsync(app);
        using var without = await SocketClient.ConnectAsync(app);
        var execution = await kind.StartAsync(app, "two");
        await execution.Log.EmitAsync("step-start", Encoding.UTF8.GetBytes("""{"step":1}"""), Stop);
        await execution.Log.EmitAsync("step-end", "null"u8.ToArray(), Stop);
        await ManualKind.SayAsync(execution, "five");
        kind.End();

        await with.SendAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","events":true}""");
        await without.SendAsync($$"""{"action":"subscribe","id":"{{execution.Id}}"}""");
        var all = await with.ReceiveUntilAsync("unsubscribed");
        var lines = await without.ReceiveUntilAsync("unsubscribed");

        Assert.Equal(["subscribed", "status", "log", "event", "event", "log", "result", "unsubscribed"], all.Select(Frames.Type));
        Assert.StartsWith(
            $$$"""{"type":"event","id":"{{{execution.Id}}}","name":"step-start","data":{"step":1},"seq":3,"ts":" """.TrimEnd(),
            all[3].GetRawText(),
            StringComparison.Ordinal);
        Assert.Equal([1L, 2, 5, 6], lines[1..^1].Select(frame => frame.Number("seq")));
    }

    [Fact]
    public async Task ReturningClientMissesNothingBeforeTheServerNoticedTheDrop()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var dropped = await RawSocket.ConnectAsync(app);
        using var back = await SocketClient.ConnectAsync(app);
        var execution = await kind.StartAsync(app, "two");
        await dropped.SendAsync(RawSocket.Text, $$"""{"action":"subscribe","id":"{{execution.Id}}"}""");
        await dropped.ReadAsync();
        await dropped.ReadAsync();

        // The first connection is open still, and reads no more.
        await ManualKind.SayAsync(execution, "three");
        await back.SendAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":2,"epoch":"{{execution.Epoch}}"}""");
        kind.End();
        var frames = await back.ReceiveUntilAsync("unsubscribed");

        Assert.True(frames[0].GetProperty("recovered").GetBoolean());
        Assert.Equal([2L, 3, 4], frames[1..^1].Select(frame => frame.Number("seq")));
    }

    [Fact]
    public async Task ResumingTwiceWithoutTrafficRepeatsNothing()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.StartAsync(app, "two");
        for (var i = 0; i < 2; i++)
        {
            using var client = await SocketClient.ConnectAsync(app);
            var subscribed = await client.AskJsonAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":3,"epoch":"{{execution.Epoch}}"}""");
            var pong = await client.AskJsonAsync("""{"action":"ping"}""");
            Assert.True(subscribed.GetProperty("recovered").GetBoolean());
            Assert.Equal("pong", pong.Type());
        }
    }

    [Fact]
    public async Task StarterGetsNeitherSubscribedNorUnsubscribed()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        await client.SendAsync("""{"action":"execute","kind":"manual","data":{}}""");
        kind.End();

        var frames = await client.ReceiveUntilAsync("result");
        var next = await client.AskJsonAsync("""{"action":"ping"}""");

        Assert.Equal(["status", "result"], frames.Select(Frames.Type));
        Assert.Equal("pong", next.Type());
    }
}
