using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Harness.Tests;

namespace Harness.Server.Tests.Transports;

/// <summary>The seed's three actions over <c>/ws</c> (compat/voiceflow, 1.4 and 6).</summary>
public sealed partial class SocketProtocolTests
{
    private const string Example =
        """
        {"action":"execute","data":{"suite":{"name":"S","description":"D","environment_name":"production","tests":[{"id":"t1","test":
        {"name":"T one","description":"d","interactions":[{"id":"i1","user":{"type":"text","text":"hi"},
        "agent":{"validate":[{"id":"v1","type":"contains","value":"hello"}]}}]}}]}}}
        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheSeedsExampleGivesStatusThenFourteenLinesThenResultWithEighteen()
    {
        await using var runtime = await FakeRuntime.StartAsync();
        await using var app = await HarnessApp.StartAsync(runtime.Settings());
        using var client = await SocketClient.ConnectAsync(app);

        await client.SendAsync(Example);
        var frames = await client.ReceiveUntilAsync("result");

        var id = frames[0].Text("id");
        Assert.Matches(Uuid(), id);
        Assert.Equal(["status", .. Enumerable.Repeat("log", 14), "result"], frames.Select(Frames.Type));
        Assert.All(frames, frame => Assert.Equal(id, frame.Text("id")));
        Assert.Equal(Enumerable.Range(1, 16), frames.Select(frame => frame.GetProperty("seq").GetInt32()));
        Assert.Equal("running", frames[0].Text("message"));
        Assert.Equal(["Test execution started"], frames[0].GetProperty("data").GetProperty("logs").EnumerateArray().Select(line => line.GetString()));
        Assert.Equal(
            ["type", "id", "message", "data", "seq", "ts"], frames[0].EnumerateObject().Select(member => member.Name));
        Assert.Equal(["type", "id", "data", "seq", "ts"], frames[^1].EnumerateObject().Select(member => member.Name));
        Assert.Equal(
            ["id", "status", "started_at", "completed_at", "logs", "agent", "summary", "tests"],
            frames[^1].GetProperty("data").EnumerateObject().Select(member => member.Name));
        var lines = frames.Lines();
        Assert.Equal("Suite: S", lines[0]);
        Assert.Equal("Running Test ID: t1", lines[5]);
        Assert.Equal("Interaction Response Message: hello world", lines[11]);
        Assert.Equal("All validations passed for Interaction ID: i1", lines[13]);
        var data = frames[^1].GetProperty("data");
        Assert.Equal("completed", data.Text("status"));
        Assert.Equal(
            ["Starting test suite execution...", "Suite: S", "Environment: production", .. lines, "Test suite execution completed successfully"],
            data.GetProperty("logs").EnumerateArray().Select(line => line.GetString()));
        var asked = Assert.Single(runtime.Asked);
        Assert.Equal(("VF.DM.server", "production", """{"action":{"type":"text","payload":"hi"}}"""), (asked.Authorization, asked.Version, asked.Body));
    }

    [Fact]
    public async Task WithoutAKeyTheDemoAgentAnswersAndLogAndStatusSaySo()
    {
        await using var app = await HarnessApp.StartAsync();
        using var client = await SocketClient.ConnectAsync(app);

        await client.SendAsync(Example);
        var frames = await client.ReceiveUntilAsync("result");

        Assert.Equal("completed", frames[^1].GetProperty("data").Text("status"));
        Assert.StartsWith("Agent: demo", frames.Lines()[0], StringComparison.Ordinal);
        Assert.StartsWith("demo", frames[0].GetProperty("data").Text("agent"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FailedValidationFailsWithTheReferencesText()
    {
        await using var runtime = await FakeRuntime.StartAsync();
        await using var app = await HarnessApp.StartAsync(runtime.Settings());
        using var client = await SocketClient.ConnectAsync(app);

        await client.SendAsync(Example.Replace("\"hello\"", "\"Hello\"", StringComparison.Ordinal));
        var data = (await client.ReceiveUntilAsync("result"))[^1].GetProperty("data");

        const string Failure = """validation failed for Interaction ID: i1, validation: [{"id":"v1","type":"contains","value":"Hello"}]""";
        Assert.Equal("failed", data.Text("status"));
        Assert.Equal(Failure, data.Text("error"));
        Assert.Equal("Test suite execution failed: " + Failure, data.GetProperty("logs").EnumerateArray().Last().GetString());
        var validation = data.GetProperty("tests")[0].GetProperty("interactions")[0].GetProperty("validations")[0];
        Assert.Equal("failed", validation.Text("outcome"));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    public async Task EmptyPayloadRunsAnEmptySuite(string data)
    {
        await using var runtime = await FakeRuntime.StartAsync();
        await using var app = await HarnessApp.StartAsync(runtime.Settings());
        using var client = await SocketClient.ConnectAsync(app);

        await client.SendAsync($$"""{"action":"execute","data":{{data}}}""");
        var frames = await client.ReceiveUntilAsync("result");

        Assert.Equal(["Suite: ", "Description: ", "Environment: "], frames.Lines()[..3]);
        Assert.Equal(5, frames.Lines().Count);
        Assert.Equal("completed", frames[^1].GetProperty("data").Text("status"));
    }

    [Theory]
    [InlineData("hello", "Invalid JSON: invalid character 'h' looking for beginning of value")]
    [InlineData("""{"action":""", "Invalid JSON: unexpected end of JSON input")]
    [InlineData("", "Invalid JSON: unexpected end of JSON input")]
    [InlineData("[]", "Invalid JSON: json: cannot unmarshal array into Go value of type handlers.WSIncomingMessage")]
    [InlineData("""{"action":7}""", "Invalid JSON: json: cannot unmarshal number into Go struct field WSIncomingMessage.action of type string")]
    [InlineData("""{"action":"status","id":"x"}{"action":"status"}""", "Invalid JSON: invalid character '{' after top-level value")]
    [InlineData("""{"action":"foo"}""", "Unknown action: foo. Supported actions: execute, cancel, status")]
    [InlineData("""{"action":"Execute"}""", "Unknown action: Execute. Supported actions: execute, cancel, status")]
    [InlineData("{}", "Unknown action: . Supported actions: execute, cancel, status")]
    [InlineData("null", "Unknown action: . Supported actions: execute, cancel, status")]
    [InlineData("""{"action":"cancel"}""", "Missing execution id for cancel action")]
    [InlineData("""{"action":"status"}""", "Missing execution id for status action")]
    [InlineData("""{"action":"status","id":""}""", "Missing execution id for status action")]
    [InlineData("""{"action":"execute"}""", "Invalid execute payload: unexpected end of JSON input")]
    [InlineData("""{"action":"execute","data":"x"}""", "Invalid execute payload: json: cannot unmarshal string into Go value of type handlers.TestExecutionRequest")]
    [InlineData("""{"action":"execute","kind":"nope","data":{}}""", "Unknown kind: nope. Supported kinds: generation, suite, workflow")]
    public async Task BadMessageIsAnsweredAndTheSocketStaysOpen(string message, string error)
    {
        await using var app = await HarnessApp.StartAsync();
        using var client = await SocketClient.ConnectAsync(app);

        var answer = JsonElement.Parse(await client.AskAsync(message));
        var next = JsonElement.Parse(await client.AskAsync("""{"action":"status","id":"nope"}"""));

        Assert.Equal(["type", "message", "code"], answer.EnumerateObject().Select(member => member.Name));
        Assert.Equal("error", answer.Type());
        Assert.Equal(error, answer.Text("message"));
        Assert.Equal("Test execution not found: nope", next.Text("message"));
    }

    [Fact]
    public async Task ErrorFramesHaveTheDocumentedBytes()
    {
        await using var app = await HarnessApp.StartAsync();
        using var client = await SocketClient.ConnectAsync(app);

        Assert.Equal(
            """{"type":"error","message":"Invalid JSON: invalid character 'h' looking for beginning of value","code":"invalid_json"}""",
            await client.AskAsync("hello"));
        Assert.Equal(
            """{"type":"error","id":"nope","message":"Test execution not found: nope","code":"not_found"}""",
            await client.AskAsync("""{"action":"status","id":"nope"}"""));
        Assert.Equal(
            """{"type":"error","message":"Unknown action: \u003cb\u003e. Supported actions: execute, cancel, status","code":"unknown_action","ref":"r1"}""",
            await client.AskAsync("""{"action":"<b>","ref":"r1"}"""));
    }

    [Fact]
    public async Task KeyNamesMatchWhateverTheirCaseAndTheLastOneCounts()
    {
        await using var app = await HarnessApp.StartAsync();
        using var client = await SocketClient.ConnectAsync(app);

        var answer = JsonElement.Parse(await client.AskAsync("""{"ACTION":"execute","Action":"status","ID":"a","id":"b","REF":"r"}"""));

        Assert.Equal(("Test execution not found: b", "r"), (answer.Text("message"), answer.Text("ref")));
    }

    [Fact]
    public async Task CancelIsAnsweredAtOnceAbortsTheCallInFlightAndEndsInOneResult()
    {
        await using var runtime = await FakeRuntime.StartAsync();
        runtime.Hangs = true;
        await using var app = await HarnessApp.StartAsync(runtime.Settings());
        using var client = await SocketClient.ConnectAsync(app);
        await client.SendAsync(Example);
        await runtime.Hanging.Task.WaitAsync(Stop);

        // The lines before the call are there before the cancel: what comes after it is all about the cancel.
        var before = await client.ReceiveUntilAsync(frame => frame.Type() == "log" && frame.Text("message") == "Interaction Request Payload: hi");
        var id = before[0].Text("id");
        await client.SendAsync($$"""{"action":"cancel","id":"{{id}}","ref":"c1"}""");
        var after = await client.ReceiveUntilAsync("result");
        var again = JsonElement.Parse(await client.AskAsync($$"""{"action":"cancel","id":"{{id}}"}"""));
        await runtime.Aborted.Task.WaitAsync(Stop);

        Assert.Equal(["status", "log", "log", "result"], after.Select(Frames.Type));
        Assert.False(after[0].TryGetProperty("message", out _));
        Assert.Equal("c1", after[0].Text("ref"));
        Assert.Equal("cancelled", after[0].GetProperty("data").Text("status"));
        Assert.True(after[0].GetProperty("data").TryGetProperty("completed_at", out _));
        Assert.Equal(["Test execution cancelled", "Error running test t1: context canceled"], after.Lines());
        var data = after[^1].GetProperty("data");
        Assert.Equal("cancelled", data.Text("status"));
        Assert.False(data.TryGetProperty("error", out _));
        Assert.Equal("Test suite execution cancelled", data.GetProperty("logs").EnumerateArray().Last().GetString());
        Assert.Equal("Cannot cancel: execution is not running (current status: cancelled)", again.Text("message"));
        Assert.Equal(id, again.Text("id"));
    }

    [Fact]
    public async Task AnyConnectionMayCancelAndAskForAnyExecution()
    {
        await using var runtime = await FakeRuntime.StartAsync();
        runtime.Hangs = true;
        await using var app = await HarnessApp.StartAsync(runtime.Settings());
        using var starter = await SocketClient.ConnectAsync(app);
        using var other = await SocketClient.ConnectAsync(app);
        await starter.SendAsync(Example);
        var id = (await starter.ReceiveAsync()).Text("id");
        await runtime.Hanging.Task.WaitAsync(Stop);

        // The agent may be asked a moment before the line that says so is there.
        var begun = await starter.ReceiveUntilAsync(frame => frame.Type() == "log" && frame.Text("message") == "Interaction ID: i1");

        var status = JsonElement.Parse(await other.AskAsync($$"""{"action":"status","id":"{{id}}"}"""));
        var cancelled = JsonElement.Parse(await other.AskAsync($$"""{"action":"cancel","id":"{{id}}"}"""));
        List<JsonElement> end = [.. begun, .. await starter.ReceiveUntilAsync("result")];

        Assert.Equal("running", status.GetProperty("data").Text("status"));
        Assert.Contains("Interaction ID: i1", status.GetProperty("data").GetProperty("logs").EnumerateArray().Select(line => line.GetString()));
        Assert.Equal("cancelled", cancelled.GetProperty("data").Text("status"));
        Assert.DoesNotContain("status", end.Skip(1).Select(Frames.Type));
        Assert.Equal("cancelled", end[^1].GetProperty("data").Text("status"));
    }

    [Fact]
    public async Task ExecutionGoesOnWhenItsSocketClosesAndIsReadableOverRest()
    {
        await using var runtime = await FakeRuntime.StartAsync();
        await using var app = await HarnessApp.StartAsync(runtime.Settings());
        string id;
        using (var client = await SocketClient.ConnectAsync(app))
        {
            await client.SendAsync(Example);
            id = (await client.ReceiveAsync()).Text("id");
            client.Socket.Abort();
        }

        Assert.True(app.Executions.TryFind(id, out var execution));
        await execution.Completion.WaitAsync(Stop);
        var status = JsonElement.Parse(await app.Client.GetStringAsync($"/api/v1/tests/status/{id}", Stop));

        Assert.Equal("completed", status.Text("status"));
        Assert.Equal(18, status.GetProperty("logs").GetArrayLength());
    }

    [Fact]
    public async Task ExecutionStartedOverRestIsVisibleOverTheSocket()
    {
        await using var app = await HarnessApp.StartAsync();
        using var client = await SocketClient.ConnectAsync(app);
        var body = JsonElement.Parse(Example).GetProperty("data").GetRawText();
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var started = await app.Client.PostAsync("/api/v1/tests/execute", content, Stop);
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        var id = JsonElement.Parse(await started.Content.ReadAsStringAsync(Stop)).Text("id");
        Assert.True(app.Executions.TryFind(id, out var execution));
        await execution.Completion.WaitAsync(Stop);

        var status = JsonElement.Parse(await client.AskAsync($$"""{"action":"status","id":"{{id}}"}"""));

        Assert.Equal(["type", "id", "data"], status.EnumerateObject().Select(member => member.Name));
        Assert.Equal("completed", status.GetProperty("data").Text("status"));
    }

    [Fact]
    public async Task ManyExecutionsOnOneSocketInterleaveAndEachHasOneStatusFirstAndOneResultLast()
    {
        const int Count = 1_000;
        var time = new ManualTime();
        await using var app = await HarnessApp.StartAsync(services => services.AddSingleton<TimeProvider>(time));
        using var client = await SocketClient.ConnectAsync(app);
        var sending = Task.Run(
            async () =>
            {
                for (var i = 0; i < Count; i++)
                {
                    await client.SendAsync(Example);
                }
            },
            Stop);

        var executions = new Dictionary<string, List<JsonElement>>();
        for (var results = 0; results < Count;)
        {
            var frame = await client.ReceiveAsync();
            var id = frame.Text("id");
            if (!executions.TryGetValue(id, out var frames))
            {
                executions[id] = frames = [];
            }

            frames.Add(frame);
            results += frame.Type() == "result" ? 1 : 0;
        }

        await sending;
        Assert.Equal(Count, executions.Count);
        foreach (var frames in executions.Values)
        {
            Assert.Equal(["status", .. Enumerable.Repeat("log", frames.Count - 2), "result"], frames.Select(Frames.Type));
            Assert.Equal(Enumerable.Range(1, frames.Count), frames.Select(frame => frame.GetProperty("seq").GetInt32()));
            Assert.Equal("completed", frames[^1].GetProperty("data").Text("status"));
        }

        // The server has let go of all logs when it has stopped; after the retention their memory is given back.
        await client.Socket.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, null, Stop);
        await app.StopAsync();
        Assert.InRange(app.Executions.LogBytes, 1, long.MaxValue);
        time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(0, app.Executions.LogBytes);
    }

    [GeneratedRegex("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
    private static partial Regex Uuid();
}
