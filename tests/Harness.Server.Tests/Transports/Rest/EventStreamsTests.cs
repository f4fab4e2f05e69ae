using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Harness.Executions;
using Harness.Server.Transports.Rest;
using Harness.Tests;

namespace Harness.Server.Tests.Transports.Rest;

/// <summary><c>GET /api/v1/executions/{id}/events</c>.</summary>
public sealed partial class EventStreamsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StreamHasTheDocumentedBytesAndHeaders()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.RunAsync(app, "line");
        var json = new List<string>();
        await foreach (var document in execution.Log.ReadEventsAsync(1, Stop))
        {
            json.Add(Encoding.UTF8.GetString(document.Span));
        }

        using var response = await app.SendAsync(HttpMethod.Get, Path(execution));

        var epoch = execution.Epoch;
        Assert.Equal(
            $"retry: 2000\n\nid: {epoch}-1\nevent: status\ndata: {json[0]}\n\nid: {epoch}-2\nevent: log\ndata: {json[1]}\n\n"
            + $"id: {epoch}-3\nevent: result\ndata: {json[2]}\n\nid: {epoch}-3\nevent: end\ndata: {{}}\n\n",
            await response.Content.ReadAsStringAsync(Stop));
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.ToString());
        Assert.Equal("no-cache, no-transform", string.Join(", ", response.Headers.GetValues("Cache-Control")).Replace("no-transform, no-cache", "no-cache, no-transform", StringComparison.Ordinal));
        Assert.Equal(["no"], response.Headers.GetValues("X-Accel-Buffering"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LiveEventsComeAsTheyAreSaid(bool isBehindProxy)
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        await using var proxy = new NginxProxy();
        using var client = app.CreateClient();
        client.BaseAddress = isBehindProxy ? await proxy.StartAsync(app.Address) : app.Address;
        var execution = await kind.StartAsync(app, "before");
        using var reader = await EventReader.OpenAsync(client, Path(execution));

        Assert.Equal("retry: 2000", await reader.ReadAsync());
        Assert.Contains("event: status", await reader.ReadAsync(), StringComparison.Ordinal);
        Assert.Contains("\"before\"", await reader.ReadAsync(), StringComparison.Ordinal);
        await ManualKind.SayAsync(execution, "after");
        Assert.Contains("\"after\"", await reader.ReadAsync(), StringComparison.Ordinal);
        kind.End();

        var rest = await reader.ReadToEndAsync();
        Assert.Equal(2, rest.Count);
        Assert.StartsWith($"id: {execution.Epoch}-4\nevent: result\n", rest[0], StringComparison.Ordinal);
        Assert.Equal($"id: {execution.Epoch}-4\nevent: end\ndata: {{}}", rest[1]);
    }

    [Theory]
    [InlineData("", null, 1)]
    [InlineData("?from=0", null, 1)]
    [InlineData("?from=3", null, 3)]
    [InlineData("?tail=2", null, 4)]
    [InlineData("?last_event_id=EPOCH-2", null, 3)]
    [InlineData("", "EPOCH-3", 4)]
    [InlineData("?from=1&last_event_id=EPOCH-1", "EPOCH-3", 4)]
    [InlineData("", "other-3", 1)]
    [InlineData("?from=3&epoch=EPOCH", null, 3)]
    [InlineData("?from=3&epoch=other", null, 1)]
    public async Task StreamBeginsWhereItWasAskedTo(string query, string? lastEventId, int first)
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.RunAsync(app, "two", "three", "four");

        string? Own(string? text) => text?.Replace("EPOCH", execution.Epoch, StringComparison.Ordinal);
        using var reader = await EventReader.OpenAsync(app.Client, Path(execution) + Own(query), Own(lastEventId));
        var blocks = await reader.ReadToEndAsync();

        Assert.Equal(
            Enumerable.Range(first, 6 - first).Select(seq => $"id: {execution.Epoch}-{seq}"),
            blocks[1..^1].Select(block => block.Split('\n')[0]));
    }

    [Theory]
    [InlineData("?last_event_id=nonsense")]
    [InlineData("?last_event_id=abc-")]
    [InlineData("?last_event_id=-5")]
    [InlineData("?last_event_id=abc--5")]
    [InlineData("?last_event_id=abc-99999999999999999999")]
    [InlineData("?from=x")]
    [InlineData("?from=-1")]
    [InlineData("?tail=x")]
    [InlineData("?tail=1&from=2")]
    [InlineData("?events=perhaps")]
    public async Task BadPlaceToBeginIsABadRequest(string query)
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.StartAsync(app);

        using var response = await app.SendAsync(HttpMethod.Get, Path(execution) + query);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_field", JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop)).Text("error"));
    }

    [Fact]
    public async Task ReconnectAfterTheEndIsToldNotToComeBack()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.RunAsync(app, "line");

        using var after = await app.SendAsync(HttpMethod.Get, Path(execution), ("Last-Event-ID", $"{execution.Epoch}-3"));
        using var unknown = await app.SendAsync(HttpMethod.Get, "/api/v1/executions/X/events");

        Assert.Equal(HttpStatusCode.NoContent, after.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task OnlyWhoHasSeenTheEndIsToldNotToComeBack()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.StartAsync(app, "line");

        using var running = await EventReader.OpenAsync(app.Client, Path(execution), $"{execution.Epoch}-2");
        kind.End();
        await execution.Completion.WaitAsync(Stop);
        using var beyond = await EventReader.OpenAsync(app.Client, Path(execution) + "?from=9");
        using var another = await EventReader.OpenAsync(app.Client, Path(execution), "another-3");

        Assert.Equal(["", "result", "end"], Names(await running.ReadToEndAsync()));
        Assert.Equal(["", "end"], Names(await beyond.ReadToEndAsync()));
        Assert.Equal(["", "status", "log", "result", "end"], Names(await another.ReadToEndAsync()));
    }

    [Theory]
    [InlineData("?from=now")]
    [InlineData("?tail=0")]
    [InlineData("?from=9")]
    public async Task WhoHasSeenOnlyTheEndIsToldNotToComeBackToo(string query)
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.RunAsync(app, "line");

        using var reader = await EventReader.OpenAsync(app.Client, Path(execution) + query);
        var end = (await reader.ReadToEndAsync())[^1].Split('\n');

        // As an EventSource does.
        using var after = await app.SendAsync(HttpMethod.Get, Path(execution) + query, ("Last-Event-ID", end[0]["id: ".Length..]));

        Assert.Equal("event: end", end[1]);
        Assert.Equal(HttpStatusCode.NoContent, after.StatusCode);
    }

    [Fact]
    public async Task ServerThatStopsRefusesAStreamForNow()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.RunAsync(app);
        await app.Services.GetRequiredService<EventStreams>().CloseAllAsync(Stop);

        using var response = await app.SendAsync(HttpMethod.Get, Path(execution));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("""{"error":"overloaded","message":"The server is stopping"}""", await response.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData("text/event-stream")]
    [InlineData("text/event-stream, application/json")]
    [InlineData("*/*")]
    public async Task PageIsOnlyForWhoAsksForItAndForNoStream(string accept)
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.RunAsync(app);

        using var response = await app.SendAsync(HttpMethod.Get, Path(execution), ("Accept", accept));

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task PagesEndAfterAMebibyteAndTellWhatIsMissingOnce()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"), ("Harness:Executions:WindowBytes", "4194304"));
        using var content = new StringContent("""{"kind":"synthetic","data":{"lines":400,"size":20000}}""");
        using var started = await app.Client.PostAsync("/api/v1/executions", content, Stop);
        Assert.True(app.Executions.TryFind(JsonElement.Parse(await started.Content.ReadAsStringAsync(Stop)).Text("id"), out var execution));
        await execution.Completion.WaitAsync(Stop);

        var (events, next, ended) = (new List<JsonElement>(), 1L, false);
        while (!ended)
        {
            using var response = await app.SendAsync(HttpMethod.Get, $"{Path(execution)}?from={next}", ("Accept", "application/json"));
            var page = JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop));
            Assert.NotEqual(next, page.Number("next"));
            Assert.InRange(page.GetProperty("events").EnumerateArray().SkipLast(1).Sum(frame => frame.GetRawText().Length), 0, 1024 * 1024);
            events.AddRange(page.GetProperty("events").EnumerateArray());
            (next, ended) = (page.Number("next"), page.GetProperty("ended").GetBoolean());
        }

        var first = events[0].Number("to") + 1;
        Assert.Equal("truncated", events[0].Type());
        Assert.Equal(Enumerable.Range((int)first, 403 - (int)first).Select(seq => (long)seq), events.Skip(1).Select(frame => frame.Number("seq")));
    }

    [Fact]
    public async Task MissingRangeIsToldExactly()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"), ("Harness:Executions:WindowBytes", "65536"));
        using var content = new StringContent("""{"kind":"synthetic","data":{"lines":5000}}""");
        using var started = await app.Client.PostAsync("/api/v1/executions", content, Stop);
        Assert.True(app.Executions.TryFind(JsonElement.Parse(await started.Content.ReadAsStringAsync(Stop)).Text("id"), out var execution));
        await execution.Completion.WaitAsync(Stop);

        using var reader = await EventReader.OpenAsync(app.Client, Path(execution) + "?from=7");
        var blocks = await reader.ReadToEndAsync();

        var first = execution.Log.FirstSequence;
        Assert.Equal(
            $"id: {execution.Epoch}-{first - 1}\nevent: truncated\ndata: {{\"type\":\"truncated\",\"id\":\"{execution.Id}\",\"from\":7,\"to\":{first - 1},\"reason\":\"retention\"}}",
            blocks[1]);
        Assert.Equal($"id: {execution.Epoch}-{first}", blocks[2].Split('\n')[0]);
        Assert.Equal(5002 - first + 1 + 3, blocks.Count);
    }

    [Fact]
    public async Task TypedEventsAreThereWhenAskedForAndLineBreaksBetweenTokensAreSpaces()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.StartAsync(app, "two");
        await execution.Log.EmitAsync("step", Encoding.UTF8.GetBytes("{\r\n\"a\":\n1}"), Stop);
        kind.End();

        using var with = await EventReader.OpenAsync(app.Client, Path(execution) + "?events=true");
        using var without = await EventReader.OpenAsync(app.Client, Path(execution));
        var all = await with.ReadToEndAsync();
        var lines = await without.ReadToEndAsync();

        Assert.Contains("\"name\":\"step\",\"data\":{  \"a\": 1},\"seq\":3", all[3], StringComparison.Ordinal);
        Assert.Equal(6, all.Count);
        Assert.Equal(5, lines.Count);
        Assert.StartsWith($"id: {execution.Epoch}-4\nevent: result", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task SilentStreamGetsAHeartbeat()
    {
        var (kind, time) = (new ManualKind(), new ManualTime());
        await using var app = await HarnessApp.StartAsync(services => services.AddSingleton<TimeProvider>(time).AddSingleton<IExecutionKind>(kind));
        var execution = await kind.StartAsync(app);
        using var reader = await EventReader.OpenAsync(app.Client, Path(execution) + "?from=now");
        Assert.Equal("retry: 2000", await reader.ReadAsync());

        time.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(": hb", await reader.ReadAsync());
        kind.End();
    }

    [Fact]
    public async Task ClientThatTakesNothingIsCutAndHoldsUpNobody()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"), ("SlowClientTimeLimit", "00:00:00.200"));
        using var content = new StringContent("""{"kind":"synthetic","data":{"lines":400000,"watchers":1}}""");
        using var started = await app.Client.PostAsync("/api/v1/executions", content, Stop);
        Assert.True(app.Executions.TryFind(JsonElement.Parse(await started.Content.ReadAsStringAsync(Stop)).Text("id"), out var execution));
        using var tcp = new System.Net.Sockets.TcpClient { ReceiveBufferSize = 4096 };
        await tcp.ConnectAsync(app.Address.Host, app.Address.Port, Stop);
        await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {Path(execution)} HTTP/1.1\r\nHost: {app.Address.Authority}\r\n\r\n"), Stop);

        await execution.Completion.WaitAsync(Stop);
        var streams = app.Services.GetRequiredService<EventStreams>();
        while (streams.Count > 0)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal(ExecutionStatus.Completed, execution.State.Status);
        Assert.Equal(0, execution.Log.ReaderCount);
    }

    [Fact]
    public async Task StopOfTheServerEndsStreamsAfterTheirResult()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.StartAsync(app);
        using var reader = await EventReader.OpenAsync(app.Client, Path(execution));
        await reader.ReadAsync();

        var stopping = app.StopAsync();
        var blocks = await reader.ReadToEndAsync();
        await stopping;

        Assert.Contains("event: result", blocks[^2], StringComparison.Ordinal);
        Assert.EndsWith("\nevent: end\ndata: {}", blocks[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task PageOfEventsIsJsonWithWhereToGoOn()
    {
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var _ = app;
        var execution = await kind.StartAsync(app, "two", "three");

        async Task<JsonElement> AskAsync(string query)
        {
            using var response = await app.SendAsync(HttpMethod.Get, Path(execution) + query, ("Accept", "application/json"));
            Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
            return JsonElement.Parse(await response.Content.ReadAsStringAsync(Stop));
        }

        var first = await AskAsync("?from=1&limit=2");
        var second = await AskAsync("?from=3");
        kind.End();
        await execution.Completion.WaitAsync(Stop);
        var third = await AskAsync("?from=4");
        var beyond = await AskAsync("?from=5");

        Assert.Equal(["status", "log"], first.GetProperty("events").EnumerateArray().Select(Frames.Type));
        Assert.Equal((3, false), (first.Number("next"), first.GetProperty("ended").GetBoolean()));
        Assert.Equal((1, 4, false), (second.GetProperty("events").GetArrayLength(), second.Number("next"), second.GetProperty("ended").GetBoolean()));
        Assert.Equal(["result"], third.GetProperty("events").EnumerateArray().Select(Frames.Type));
        Assert.Equal((5, true), (third.Number("next"), third.GetProperty("ended").GetBoolean()));
        Assert.Equal("""{"events":[],"next":5,"ended":true,"kind":"manual","name":"by hand"}""", beyond.GetRawText());
    }

    [Fact]
    public async Task StreamWorksOverHttp2()
    {
        var kind = new ManualKind();
        await using var app = await HarnessApp.StartAsync(services =>
        {
            services.AddSingleton<IExecutionKind>(kind);
            WirePaths.SpeakHttp2(services);
        });
        app.Client.DefaultRequestVersion = HttpVersion.Version20;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        var execution = await kind.StartAsync(app, "two");

        using var reader = await EventReader.OpenAsync(app.Client, Path(execution));
        Assert.Equal("retry: 2000", await reader.ReadAsync());
        await ManualKind.SayAsync(execution, "three");
        kind.End();
        var blocks = await reader.ReadToEndAsync();

        Assert.Equal(HttpVersion.Version20, reader.Response.Version);
        Assert.Equal(["status", "log", "log", "result", "end"], Names(blocks));
    }

    private static IEnumerable<string> Names(IEnumerable<string> blocks) => blocks.Select(block => EventName().Match(block).Groups[1].Value);

    private static string Path(Execution execution) => $"/api/v1/executions/{execution.Id}/events";

    [GeneratedRegex("^event: (.*)$", RegexOptions.Multiline)]
    private static partial Regex EventName();
}
