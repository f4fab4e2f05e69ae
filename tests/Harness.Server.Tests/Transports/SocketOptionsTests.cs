using System.Net.WebSockets;
using System.Text.Json;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Tests.Transports;

/// <summary>The options of the three actions of the seed, and the small actions beside them.</summary>
public sealed class SocketOptionsTests
{
    private const string Execute = """{"action":"execute","kind":"manual","data":{}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RetryWithTheSameKeyReturnsTheSameExecutionAndItsEventsOnce()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        using var other = await SocketClient.ConnectAsync(app);
        const string Keyed = Execute + ""","idempotency_key":"k1","ref":"r"}""";

        var first = await client.AskJsonAsync(Keyed);
        var again = await client.AskJsonAsync(Keyed);
        var elsewhere = await other.AskJsonAsync(Keyed);
        kind.End();

        Assert.Single(app.Executions.List());
        Assert.True(first.TryGetProperty("seq", out var _));
        Assert.Equal(("status", "r", first.Text("id")), (again.Type(), again.Text("ref"), again.Text("id")));
        Assert.False(again.TryGetProperty("seq", out var _));
        Assert.Equal((first.Text("id"), 1), (elsewhere.Text("id"), elsewhere.Number("seq")));
        Assert.Equal("result", (await client.ReceiveAsync()).Type());
        Assert.Equal("result", (await other.ReceiveAsync()).Type());
    }

    [Fact]
    public async Task UnwatchedExecuteIsAnsweredWithTheStatusAndNoEvents()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);

        var answer = await client.AskJsonAsync(Execute + ""","watch":false,"ref":"w"}""");
        Assert.True(app.Executions.TryFind(answer.Text("id"), out var execution));
        kind.End();
        await execution.Completion.WaitAsync(Stop);
        var next = await client.AskJsonAsync("""{"action":"ping"}""");

        Assert.Equal(["type", "id", "data", "ref"], answer.EnumerateObject().Select(member => member.Name));
        Assert.Equal("running", answer.GetProperty("data").Text("status"));
        Assert.Equal("pong", next.Type());
    }

    [Fact]
    public async Task ExecutionEndsWithItsConnectionOnlyWhenThatWasAskedFor()
    {
        var (app, _) = await ManualKind.StartAppAsync();
        await using var __ = app;
        string bound, free;
        using (var client = await SocketClient.ConnectAsync(app))
        {
            bound = (await client.AskJsonAsync(Execute + ""","on_disconnect":"cancel"}""")).Text("id");
            free = (await client.AskJsonAsync(Execute + ""","on_disconnect":"continue"}""")).Text("id");
            client.Socket.Abort();
        }

        Assert.True(app.Executions.TryFind(bound, out var execution));
        Assert.True(app.Executions.TryFind(free, out var other));
        await execution.Completion.WaitAsync(Stop);

        Assert.Equal("The connection that started it ended", execution.State.CancelReason);
        Assert.False(other.State.Status is Harness.Executions.ExecutionStatus.Canceled);
    }

    [Fact]
    public async Task RetryOverAnotherConnectionDoesNotBindTheExecutionToThatOne()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var starter = await SocketClient.ConnectAsync(app);
        var id = (await starter.AskJsonAsync(Execute + ""","idempotency_key":"k","on_disconnect":"continue"}""")).Text("id");
        Assert.True(app.Executions.TryFind(id, out var execution));
        using (var retry = await SocketClient.ConnectAsync(app))
        {
            Assert.Equal(id, (await retry.AskJsonAsync(Execute + ""","idempotency_key":"k","on_disconnect":"cancel"}""")).Text("id"));
            await retry.Socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
        }

        // The connection has left the table when all that its end brings has been done.
        var sockets = app.Services.GetRequiredService<SocketTable>();
        while (sockets.Count > 1)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        kind.End();
        Assert.Equal(Harness.Executions.ExecutionStatus.Completed, (await execution.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task WhatIsNotWatchedNeedsNoPlaceAmongTheWatches()
    {
        var (app, _) = await ManualKind.StartAppAsync(("MaxWatchesPerConnection", "1"));
        await using var __ = app;
        using var client = await SocketClient.ConnectAsync(app);
        await client.AskAsync(Execute + "}");

        var unwatched = await client.AskJsonAsync(Execute + ""","watch":false}""");
        var watched = await client.AskJsonAsync(Execute + "}");

        Assert.Equal("status", unwatched.Type());
        Assert.Equal(("error", "too_many"), (watched.Type(), watched.Text("code")));
    }

    [Fact]
    public async Task LongMarkIsRefusedAndALongActionIsNotRepeatedWhole()
    {
        await using var app = await HarnessApp.StartAsync();
        using var client = await SocketClient.ConnectAsync(app);

        var longest = await client.AskJsonAsync($$"""{"action":"ping","ref":"{{new string('r', 256)}}"}""");
        var tooLong = await client.AskAsync($$"""{"action":"ping","ref":"{{new string('r', 257)}}"}""");
        var unknown = await client.AskJsonAsync($$"""{"action":"{{new string('a', 257)}}"}""");

        Assert.Equal(256, longest.Text("ref").Length);
        Assert.Equal("""{"type":"error","message":"ref must be a string of at most 256 characters","code":"invalid_field"}""", tooLong);
        Assert.Equal($"Unknown action: {new string('a', 256)}…. Supported actions: execute, cancel, status", unknown.Text("message"));
    }

    [Fact]
    public async Task TimeoutEndsTheExecutionAsFailed()
    {
        var (app, _) = await ManualKind.StartAppAsync();
        await using var __ = app;
        using var client = await SocketClient.ConnectAsync(app);

        await client.SendAsync(Execute + ""","timeout_ms":20}""");
        var result = (await client.ReceiveUntilAsync("result"))[^1].GetProperty("data");

        Assert.Equal("failed", result.Text("status"));
        Assert.Equal("The execution took longer than its time limit of 0.02 s and was stopped", result.Text("error"));
    }

    [Fact]
    public async Task ReasonOfACancelIsInEveryLaterStatusAndInTheResult()
    {
        var (app, _) = await ManualKind.StartAppAsync();
        await using var __ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var id = (await client.AskJsonAsync(Execute + "}")).Text("id");

        var answer = await client.AskJsonAsync($$"""{"action":"cancel","id":"{{id}}","reason":"changed my mind","ref":"c"}""");
        var result = await client.ReceiveAsync();

        Assert.Equal("changed my mind", answer.GetProperty("data").Text("cancel_reason"));
        Assert.Equal("c", answer.Text("ref"));
        Assert.Equal(("result", "changed my mind"), (result.Type(), result.GetProperty("data").Text("cancel_reason")));
    }

    [Fact]
    public async Task ManyAreCancelledByIdsAndTheRestIsRefusedOneByOne()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var (one, two) = (await kind.StartAsync(app), await kind.StartAsync(app));
        Assert.True(app.Executions.TryCancel(two));

        var answer = await client.AskAsync($$"""{"action":"cancel","ids":["{{one.Id}}","{{two.Id}}","X","{{one.Id}}"],"ref":"m"}""");

        Assert.Equal(
            $$"""{"type":"cancelled","ref":"m","cancelled":["{{one.Id}}"],"refused":[{"id":"X","message":"Test execution not found: X","code":"not_found"},{"id":"{{two.Id}}","message":"Cannot cancel: execution is not running (current status: cancelled)","code":"not_running"}]}""",
            answer);
    }

    [Fact]
    public async Task ManyAreCancelledByFilter()
    {
        var (app, _) = await ManualKind.StartAppAsync();
        await using var __ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var red = (await client.AskJsonAsync(Execute + ""","watch":false,"labels":{"team":"red"}}""")).Text("id");
        var blue = (await client.AskJsonAsync(Execute + ""","watch":false,"labels":{"team":"blue"}}""")).Text("id");

        var answer = await client.AskJsonAsync("""{"action":"cancel","filter":{"status":"running","labels":{"team":"red"}}}""");
        var status = await client.AskJsonAsync($$"""{"action":"status","id":"{{blue}}"}""");

        Assert.Equal([red], answer.GetProperty("cancelled").EnumerateArray().Select(id => id.GetString()));
        Assert.Equal(0, answer.GetProperty("refused").GetArrayLength());
        Assert.Equal("running", status.GetProperty("data").Text("status"));
    }

    [Fact]
    public async Task ListIsTheNewestFirstInPagesAndByFilter()
    {
        var (app, _) = await ManualKind.StartAppAsync();
        await using var __ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            ids.Insert(0, (await client.AskJsonAsync(Execute + $$$""","watch":false,"labels":{"n":"{{{i % 2}}}"}}""")).Text("id"));
        }

        var first = await client.AskJsonAsync("""{"action":"list","limit":2,"ref":"r5"}""");
        var second = await client.AskJsonAsync($$"""{"action":"list","limit":2,"cursor":"{{first.Text("next")}}"}""");
        var odd = await client.AskJsonAsync("""{"action":"list","filter":{"kind":"manual","status":"running","labels":{"n":"1"}}}""");
        var none = await client.AskAsync("""{"action":"list","filter":{"status":"failed"},"ref":"r6"}""");

        Assert.Equal(["type", "ref", "items", "next"], first.EnumerateObject().Select(member => member.Name));
        var items = first.GetProperty("items").EnumerateArray().Concat(second.GetProperty("items").EnumerateArray()).ToList();
        Assert.Equal(ids, items.Select(item => item.Text("id")));
        Assert.False(second.TryGetProperty("next", out var _));
        Assert.Equal(
            ["id", "kind", "name", "status", "labels", "started_at", "seq", "epoch"], items[0].EnumerateObject().Select(member => member.Name));
        Assert.Equal([ids[1]], odd.GetProperty("items").EnumerateArray().Select(item => item.Text("id")));
        Assert.Equal("""{"type":"list","ref":"r6","items":[]}""", none);
    }

    [Fact]
    public async Task StatusGivesAllLinesNoneOrAPage()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var client = await SocketClient.ConnectAsync(app);
        var execution = await kind.StartAsync(app, "two", "three", "four", "five");

        async Task<JsonElement> AskAsync(string logs) =>
            (await client.AskJsonAsync($$"""{"action":"status","id":"{{execution.Id}}"{{logs}}}""")).GetProperty("data");

        static List<string?> Lines(JsonElement data) => [.. data.GetProperty("logs").EnumerateArray().Select(line => line.GetString())];
        var page = await AskAsync(""","logs":{"from":3,"limit":2}""");
        var rest = await AskAsync(""","logs":{"from":5}""");

        Assert.Equal(["two", "three", "four", "five"], Lines(await AskAsync("")));
        Assert.Equal(["two", "three", "four", "five"], Lines(await AskAsync(""","logs":"full" """)));
        Assert.Empty(Lines(await AskAsync(""","logs":"none" """)));
        Assert.Equal(["three", "four"], Lines(page));
        Assert.Equal(5, page.Number("logs_next"));
        Assert.Equal(["five"], Lines(rest));
        Assert.Equal(6, rest.Number("logs_next"));
    }

    [Fact]
    public async Task PingAndHelloAreAnswered()
    {
        await using var app = await HarnessApp.StartAsync();
        using var client = await SocketClient.ConnectAsync(app);

        var pong = await client.AskAsync("""{"action":"ping","ref":"r4"}""");
        var hello = await client.AskAsync("""{"action":"hello"}""");

        Assert.Matches("""^\{"type":"pong","ref":"r4","ts":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\}$""", pong);
        Assert.Equal(
            """{"type":"hello","protocol":"harness.v1","limits":{"message_bytes":4194304,"line_bytes":65536,"subscriptions":100},"ping_ms":20000}""",
            hello);
    }

    [Fact]
    public async Task OnlyAClientThatSaidHelloIsToldOfTheStopBeforeThe1001()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        using var modern = await SocketClient.ConnectAsync(app);
        using var seed = await SocketClient.ConnectAsync(app);
        var execution = await kind.StartAsync(app);
        await modern.AskAsync("""{"action":"hello"}""");
        await modern.AskAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":"now"}""");
        await seed.AskAsync("""{"action":"ping"}""");

        var stopping = app.StopAsync();
        var frames = await modern.ReceiveUntilAsync("closing");
        Assert.Null(await modern.ReceiveTextAsync());
        Assert.Null(await seed.ReceiveTextAsync());
        await modern.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
        await seed.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
        await stopping;

        Assert.Equal(["result", "unsubscribed", "closing"], frames.Select(Frames.Type));
        Assert.Matches("""^\{"type":"closing","code":4001,"reason":"shutdown","retry_after_ms":1\d{3}\}$""", frames[^1].GetRawText());
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, modern.Socket.CloseStatus);
    }

    [Fact]
    public async Task ClientThatFloodsIsClosedWith4029()
    {
        await using var app = await HarnessApp.StartAsync(("MaxMessagesPerSecond", "1"));
        using var client = await SocketClient.ConnectAsync(app);
        for (var i = 0; i < 10; i++)
        {
            Assert.Contains("pong", await client.AskAsync("""{"action":"ping"}"""), StringComparison.Ordinal);
        }

        for (var i = 0; i < 100; i++)
        {
            await client.SendAsync("""{"action":"ping"}""");
        }

        while (await client.ReceiveTextAsync() is not null)
        {
        }

        Assert.Equal((WebSocketCloseStatus)4029, client.Socket.CloseStatus);
    }

    [Theory]
    [InlineData(RawSocket.Ping, true)]
    [InlineData(RawSocket.Continuation, false)]
    public async Task ClientThatFloodsWithPingsOrEmptyPiecesIsClosedWith4029(int opcode, bool isFinal)
    {
        await using var app = await HarnessApp.StartAsync(("MaxMessagesPerSecond", "1"));
        using var raw = await RawSocket.ConnectAsync(app);
        if (!isFinal)
        {
            await raw.SendAsync(RawSocket.Text, "", isFinal: false);
        }

        for (var i = 0; i < 100; i++)
        {
            await raw.SendAsync(opcode, "", isFinal);
        }

        Assert.Equal(4029, await raw.ReadCloseCodeAsync());
    }
}
