using System.Net;
using System.Text;
using System.Text.Json;
using Harness.Cli.Hub;
using Harness.Executions;
using Harness.Server.Tests.Cli;
using Harness.Server.Tests.Dialects.VoltAgent.Workflows;
using Harness.Server.Tests.Transports;
using Harness.Storage;
using Harness.Storage.Tests;
using Harness.Workflows;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harness.Server.Tests.Storage;

/// <summary>The server with a store: what a person and a client see of it.</summary>
public sealed class StoredServerTests : IDisposable
{
    private readonly DataFolder _folder = new();
    private readonly string _data;

    public StoredServerTests() => _data = _folder.NewOptions().Data;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LogOfAStopCountsOnlyWhatIsCancelled()
    {
        await using var app = await HarnessApp.StartAsync(
            services => services.AddWorkflow(WorkflowApp.Approval()), ("Harness:Store:MemoryOnly", "false"), ("Harness:Store:Data", _data));
        var order = JsonElement.Parse("""{"workflow":"order-approval","input":{"orderId":"o1","amount":15000}}""");
        var waiting = app.Executions.Start(app.Services.GetRequiredService<WorkflowKind>().Plan(order));
        await foreach (var json in waiting.Log.ReadEventsAsync(1, Stop))
        {
            if (JsonElement.Parse(json.Span).TryGetProperty("data", out var data) && data.TryGetProperty("suspension", out _))
            {
                break;
            }
        }

        var running = app.Executions.Start(Plans.Until(new TaskCompletionSource(), Task.CompletedTask));

        await app.StopAsync();

        Assert.Equal((ExecutionStatus.Suspended, ExecutionStatus.Canceled), (waiting.State.Status, running.State.Status));
        Assert.Contains(app.Log.Lines, line => line.Contains("Stopping: 1 executions are cancelled and awaited", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ExecutionsAreThereAfterARestartOnEveryRoute()
    {
        string id, document, events, epoch;
        await using (var before = await StartAsync())
        {
            using var socket = await SocketClient.ConnectAsync(before);
            await socket.SendAsync("""{"action":"execute","kind":"synthetic","idempotency_key":"k1","labels":{"team":"blue"},"data":{"lines":5}}""");
            id = (await socket.ReceiveUntilAsync("result"))[0].Text("id");
            await before.StopAsync();
        }

        await using (var between = await StartAsync())
        {
            document = await between.Client.GetStringAsync($"/api/v1/tests/status/{id}", Stop);
            events = await between.Client.GetStringAsync($"/api/v1/executions/{id}/events", Stop);
            epoch = (await between.Executions.FindAsync(id, Stop))!.Epoch;
        }

        await using var after = await StartAsync();
        using var again = await SocketClient.ConnectAsync(after);
        var repeated = await again.AskJsonAsync("""{"action":"execute","kind":"synthetic","idempotency_key":"k1","watch":false,"data":{"lines":5}}""");
        var listed = await again.AskJsonAsync("""{"action":"list","filter":{"labels":{"team":"blue"}}}""");
        var cancel = await again.AskJsonAsync($$"""{"action":"cancel","id":"{{id}}"}""");
        await again.SendAsync($$"""{"action":"subscribe","id":"{{id}}","from":3,"epoch":"{{epoch}}"}""");
        var replay = await again.ReceiveUntilAsync("unsubscribed");

        Assert.Equal(document, await after.Client.GetStringAsync($"/api/v1/tests/status/{id}", Stop));
        Assert.Equal(events, await after.Client.GetStringAsync($"/api/v1/executions/{id}/events", Stop));
        Assert.Equal("completed", JsonElement.Parse(document).Text("status"));
        Assert.Equal(id, repeated.Text("id"));
        Assert.Equal(id, Assert.Single(listed.GetProperty("items").EnumerateArray()).Text("id"));
        Assert.Equal("Cannot cancel: execution is not running (current status: completed)", cancel.Text("message"));
        Assert.True(replay[0].GetProperty("recovered").GetBoolean());
        Assert.Equal([3, 4, 5, 6, 7], replay[1..^1].Select(frame => frame.GetProperty("seq").GetInt64()));
    }

    [Fact]
    public async Task WatcherOfAKilledServerGoesOnWhenItIsBackAndIsToldHowTheRunEnded()
    {
        var (process, address) = await HarnessExecutable.StartServerAsync("--synthetic", "--data", _data);
        string[] args = ["--synthetic", "--data", _data, "--port", $"{address.Port}"];
        await using var run = await new HubClient(address, null, TimeProvider.System).ExecuteAsync(
            "synthetic", JsonSerializer.SerializeToElement(new { lines = 1_000_000, rate = 1_000 }), Stop);
        var seen = new List<HubEvent>();
        ChildProcess? next = null;
        try
        {
            await foreach (var said in run.ReadAsync(Stop))
            {
                seen.Add(said);
                if (seen.Count == 100)
                {
                    await process.DisposeAsync();
                    next = (await HarnessExecutable.StartServerAsync(args)).Process;
                }
            }
        }
        finally
        {
            await (next?.DisposeAsync() ?? ValueTask.CompletedTask);
        }

        var events = seen.Where(said => said.Type != HubEvent.NoticeType).ToList();
        Assert.Equal(Enumerable.Range(1, events.Count).Select(number => (long?)number), events.Select(said => said.Sequence));
        Assert.Equal(("result", "failed"), (events[^1].Type, events[^1].Data.Text("status")));
        Assert.Equal("The server stopped while this execution was running", events[^1].Data.Text("error"));
        Assert.Equal("The server stopped while this execution was running; it was not started again", events[^2].Message);
    }

    [Fact]
    public async Task KeysThatARequestBringsReachNothingThatIsKept()
    {
        const string Secret = "VF.DM.0123456789abcdef.this-is-a-secret";
        await using (var app = await StartAsync())
        {
            using var socket = await SocketClient.ConnectAsync(app);
            await socket.SendAsync(JsonSerializer.Serialize(new
            {
                action = "execute",
                labels = new { mark = "kept-label" },
                data = new
                {
                    api_key = Secret,
                    agent = new { type = "webhook", url = "http://127.0.0.1:9/", headers = new Dictionary<string, string> { ["X-Key"] = Secret } },
                    suite = new { name = "Kept", environment_name = "test", tests = new[] { Test() } },
                },
            }));
            Assert.Equal("result", (await socket.ReceiveUntilAsync(frame => frame.Type() is "result" or "error"))[^1].Type());
        }

        var kept = string.Concat(Directory.GetFiles(_data).Select(file => Encoding.Latin1.GetString(File.ReadAllBytes(file))));

        Assert.Contains("kept-label", kept);
        Assert.DoesNotContain("this-is-a-secret", kept);
    }

    [Fact]
    public async Task SecondServerOnAFolderRefusesToStartAndSaysWhatToDo()
    {
        await using var app = await StartAsync();

        var (exitCode, output) = await HarnessExecutable.RunAsync("server", "--port", "0", "--data", _data);

        Assert.Equal(1, exitCode);
        Assert.Contains($"is used by another Harness server (process {Environment.ProcessId})", output);
        Assert.Contains("--data", output);
        Assert.DoesNotContain("   at ", output);
    }

    [Fact]
    public async Task FullDiskFailsWhatRunsWithTheReasonWhileReadsGoOnAndIsOverWhenThereIsSpace()
    {
        using var disk = TinyDisk.Mount(_data);
        await using var app = await StartAsync();
        var ballast = Path.Combine(_data, "ballast");
        var early = (await RunAsync(app, 1))[0];
        using var socket = await SocketClient.ConnectAsync(app);
        await socket.SendAsync("""{"action":"execute","kind":"synthetic","data":{"lines":1000000,"rate":200}}""");
        var seen = await socket.ReceiveUntilAsync("log");
        await FillDiskAsync(ballast);
        seen = [.. seen, .. await socket.ReceiveUntilAsync("result")];

        var replay = await app.Client.GetStringAsync($"/api/v1/executions/{early}/events", Stop);
        using var ready = await app.SendAsync(HttpMethod.Get, "/health/ready");
        File.Delete(ballast);
        await app.Log.WaitForAsync(line => line.Contains("The store has the results of all executions that ended", StringComparison.Ordinal));
        await RunAsync(app, 1);
        var kept = await HarnessExecutable.RunAsync("export", seen[0].Text("id"), "--data", _data);

        Assert.Equal("failed", seen[^1].GetProperty("data").Text("status"));
        Assert.StartsWith($"The log could not be stored: The disk that holds {_data}", seen[^1].GetProperty("data").Text("error"));
        Assert.Contains("\"completed\"", replay);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal(seen.Select(frame => frame.GetRawText()), kept.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("GET", "tests/status/any", "Cannot read test execution")]
    [InlineData("POST", "tests/cancel/any", "Cannot cancel test execution")]
    [InlineData("GET", "executions/any", "store_failed")]
    [InlineData("GET", "executions/any/events", "store_failed")]
    public async Task StoreThatIsAwayIsNoFaultOfTheServer(string method, string path, string error)
    {
        await using var store = new FaultyStore(StoreFactory.Create(new StoreOptions { Data = _data }, NullLoggerFactory.Instance, TimeProvider.System));
        await using var app = await HarnessApp.StartAsync(services => services.AddSingleton<IExecutionStore>(store));
        store.FailReads(new StoreException("the database is away"));

        using var response = await app.SendAsync(new HttpMethod(method), $"/api/v1/{path}");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal($$"""{"error":"{{error}}","message":"the database is away"}""", await response.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task PeerWhoseCommandWaitsForTheStoreIsPingedAndKept()
    {
        await using var store = new FaultyStore(StoreFactory.Create(new StoreOptions { Data = _data }, NullLoggerFactory.Instance, TimeProvider.System));
        await using var app = await HarnessApp.StartAsync(
            services => services.AddSingleton<IExecutionStore>(store),
            ("Synthetic", "true"), ("PingInterval", "00:00:00.020"), ("PongTimeLimit", "00:00:05"));
        using var raw = await RawSocket.ConnectAsync(app);
        store.Block();
        await raw.SendAsync(RawSocket.Text, """{"action":"execute","kind":"synthetic","data":{"lines":1},"watch":false}""");

        for (var pings = 0; pings < 10; pings++)
        {
            // Nobody reads the answers.
            Assert.Equal(RawSocket.Ping, (await raw.ReadAsync())?.Opcode);
            await raw.SendAsync(RawSocket.Pong, []);
        }

        store.Release();
        var frame = await raw.ReadAsync();
        while (frame is { Opcode: RawSocket.Ping })
        {
            await raw.SendAsync(RawSocket.Pong, []);
            frame = await raw.ReadAsync();
        }

        Assert.Equal(RawSocket.Text, frame?.Opcode);
        Assert.Contains("\"status\"", Encoding.UTF8.GetString(frame!.Value.Payload));
    }

    [Fact]
    public async Task PageOfEventsThatTheStoreCannotReadIsAnsweredAndNotWaitedFor()
    {
        string id;
        await using (var first = await StartAsync())
        {
            id = (await RunAsync(first, 1))[0];
        }

        await using var store = new FaultyStore(StoreFactory.Create(new StoreOptions { Data = _data }, NullLoggerFactory.Instance, TimeProvider.System));
        await using var app = await HarnessApp.StartAsync(services => services.AddSingleton<IExecutionStore>(store), ("Synthetic", "true"));
        var execution = await app.Executions.FindAsync(id, Stop);
        store.FailReads(new StoreException("the database is away"));

        using var away = await app.SendAsync(HttpMethod.Get, $"/api/v1/executions/{id}/events", ("Accept", "application/json"));
        store.Heal();
        using var back = await app.SendAsync(HttpMethod.Get, $"/api/v1/executions/{id}/events", ("Accept", "application/json"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
        Assert.Equal("""{"error":"store_failed","message":"the database is away"}""", await away.Content.ReadAsStringAsync(Stop));
        var events = JsonElement.Parse(await back.Content.ReadAsStringAsync(Stop)).GetProperty("events");
        Assert.Equal(execution!.Log.LastSequence, events.GetArrayLength());
        Assert.Equal(0, execution.Log.ReaderCount);
    }

    [Fact]
    public async Task DamagedDatabaseIsRefusedAtStartAndLeftAsItIs()
    {
        Directory.CreateDirectory(_data);
        var file = Path.Combine(_data, "harness.db");
        var content = Encoding.ASCII.GetBytes(new string('?', 10_000));
        await File.WriteAllBytesAsync(file, content, Stop);

        var (exitCode, output) = await HarnessExecutable.RunAsync("server", "--port", "0", "--data", _data);

        Assert.Equal(1, exitCode);
        Assert.Contains(file, output);
        Assert.Contains(".recover", output);
        Assert.Equal(content, await File.ReadAllBytesAsync(file, Stop));
    }

    [Theory]
    [InlineData("--memory", "--data", "x")]
    [InlineData("--data", "x", "--store", "Host=h")]
    [InlineData("--keep-for", "soon")]
    [InlineData("--keep-size", "10 elephants")]
    public async Task WrongUsageOfTheStoreExitsWithTwo(params string[] flags)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync(["server", .. flags]);

        Assert.Equal(2, exitCode);
        Assert.Contains("See: harness server --help", output);
    }

    [Fact]
    public async Task ExportOfAFolderAndOfAServerAreTheEventsAsClientsSawThem()
    {
        await using var app = await StartAsync();
        using var socket = await SocketClient.ConnectAsync(app);
        await socket.SendAsync("""{"action":"execute","kind":"synthetic","data":{"lines":3000}}""");
        var expected = new StringBuilder();
        string text, id;
        do
        {
            text = (await socket.ReceiveTextAsync())!;
            expected.Append(text).Append('\n');
            id = JsonElement.Parse(text).Text("id");
        }
        while (JsonElement.Parse(text).Type() != "result");
        var file = Path.Combine(_data, "run.jsonl");

        var fromServer = await HarnessExecutable.RunAsync("export", id, "--server", app.Address.ToString());
        var fromFolder = await HarnessExecutable.RunAsync("export", id, "--data", _data, "-o", file);

        Assert.Equal((0, expected.ToString()), fromServer);
        Assert.Equal((0, ""), fromFolder);
        Assert.Equal(expected.ToString(), await File.ReadAllTextAsync(file, Stop));
        Assert.Equal(["run.jsonl"], Directory.GetFiles(_data, "run.*").Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ExportOfASuiteForABuildServerHasEveryTest(bool fromServer)
    {
        await using var app = await StartAsync();
        using var suite = SuiteFile.Expecting("hello", "goodbye");
        await HarnessExecutable.RunAsync("run", suite.Path, "--server", app.Address.ToString());
        var id = app.Executions.List().Single().Id;

        var (exitCode, xml) = fromServer
            ? await HarnessExecutable.RunAsync("export", id, "--format", "junit", "--server", app.Address.ToString())
            : await HarnessExecutable.RunAsync("export", id, "--format", "junit", "--data", _data);

        Assert.True(exitCode == 0, xml);
        var tests = System.Xml.Linq.XDocument.Parse(xml).Descendants("testsuite").Single();
        Assert.Equal(("Greetings", "2", "1"), ((string?)tests.Attribute("name"), (string?)tests.Attribute("tests"), (string?)tests.Attribute("failures")));
    }

    [Fact]
    public async Task ExportMakesTheFolderOfItsFileOrSaysWhyItCannot()
    {
        await using var app = await HarnessApp.StartAsync();
        var execution = app.Executions.Start(Plans.Ended(ExecutionStatus.Completed));
        await execution.Completion.WaitAsync(Stop);
        var file = Path.Combine(_folder.NewOptions().Data, "runs", "today", "run.jsonl");

        var written = await HarnessExecutable.RunAsync("export", execution.Id, "--server", app.Address.ToString(), "-o", file);
        var refused = await HarnessExecutable.RunAsync("export", execution.Id, "--server", app.Address.ToString(), "-o", Path.Combine(file, "run.jsonl"));

        Assert.True(written.ExitCode == 0, written.Output);
        Assert.Contains("a line", await File.ReadAllTextAsync(file, Stop));
        Assert.Equal(2, refused.ExitCode);
        Assert.StartsWith($"Cannot write '{Path.Combine(file, "run.jsonl")}': ", refused.Output);
        Assert.DoesNotContain("   at ", refused.Output);
    }

    [Fact]
    public async Task ExportWritesThroughALinkAndLeavesItThere()
    {
        await using var app = await HarnessApp.StartAsync();
        var execution = app.Executions.Start(Plans.Ended(ExecutionStatus.Completed));
        await execution.Completion.WaitAsync(Stop);
        var folder = Directory.CreateDirectory(_folder.NewOptions().Data).FullName;
        var (link, target) = (Path.Combine(folder, "newest.jsonl"), Path.Combine(folder, "run.jsonl"));
        await File.WriteAllTextAsync(target, "what was there before", Stop);
        File.CreateSymbolicLink(link, target);

        var written = await HarnessExecutable.RunAsync("export", execution.Id, "--server", app.Address.ToString(), "-o", link);

        Assert.True(written.ExitCode == 0, written.Output);
        Assert.Equal(target, File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName);
        Assert.StartsWith("{\"type\":\"status\"", await File.ReadAllTextAsync(target, Stop));
    }

    [Theory]
    [InlineData("gc", "--keep-count", "5")]
    [InlineData("export", "x")]
    public async Task FolderWithoutAStoreIsToldAndNoneIsMadeInIt(params string[] command)
    {
        var empty = Directory.CreateDirectory(Path.Combine(_data, "empty")).FullName;

        var (exitCode, output) = await HarnessExecutable.RunAsync([.. command, "--data", empty]);

        Assert.Equal(2, exitCode);
        Assert.Contains($"There is no store in {empty}: no file harness.db", output);
        Assert.Empty(Directory.GetFileSystemEntries(empty));
    }

    [Fact]
    public async Task ExportThatCannotBeSaysWhy()
    {
        await using var app = await StartAsync();
        var execution = app.Executions.Start(Plans.Until(new TaskCompletionSource(), Task.CompletedTask));
        await execution.Stored.WaitAsync(Stop);

        var nowhere = await HarnessExecutable.RunAsync("export", "x", "--data", Path.Combine(_data, "nothing"));
        var unknown = await HarnessExecutable.RunAsync("export", "unknown", "--data", _data);
        var unended = await HarnessExecutable.RunAsync("export", execution.Id, "--format", "junit", "--data", _data);

        Assert.Equal((2, 2, 2), (nowhere.ExitCode, unknown.ExitCode, unended.ExitCode));
        Assert.Contains("There is no store in", nowhere.Output);
        Assert.Contains("There is no execution unknown in", unknown.Output);
        Assert.Contains("has not ended", unended.Output);
    }

    [Fact]
    public async Task GcDeletesWhatNeedNotBeKeptInAFolderAndOnAServer()
    {
        string[] ids;
        await using (var app = await StartAsync())
        {
            ids = await RunAsync(app, 5);
            var refused = await HarnessExecutable.RunAsync("gc", "--keep-count", "4", "--data", _data);
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains("is used by another Harness server", refused.Output);

            var onServer = await HarnessExecutable.RunAsync("gc", "--keep-count", "3", "--server", app.Address.ToString());

            Assert.StartsWith("2 executions deleted, 0 that run lost their oldest events, ", onServer.Output);
            using var gone = await app.SendAsync(HttpMethod.Get, $"/api/v1/executions/{ids[0]}");
            Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        }

        var inFolder = await HarnessExecutable.RunAsync("gc", "--keep-count", "1", "--data", _data);
        var nothing = await HarnessExecutable.RunAsync("gc", "--data", _data);

        Assert.StartsWith("2 executions deleted", inFolder.Output);
        Assert.Equal(2, nothing.ExitCode);
        Assert.Contains("--keep-for 7d", nothing.Output);
        await using var after = await StartAsync();
        var left = await after.Executions.ListAsync(new(), null, 10, Stop);
        Assert.Equal([ids[4]], left.Items.Select(execution => execution.Id));
    }

    [Fact]
    public async Task RetentionRunsByItselfAndWhatItTookIsNotFound()
    {
        await using var app = await StartAsync(
            (Setting(nameof(StoreOptions.MaxFinished)), "2"), (Setting(nameof(StoreOptions.SweepPeriod)), "00:00:00.100"));

        var ids = await RunAsync(app, 3);

        await app.Log.WaitForAsync(line => line.Contains("Retention: 1 executions deleted", StringComparison.Ordinal));
        using var socket = await SocketClient.ConnectAsync(app);
        var answer = await socket.AskJsonAsync($$"""{"action":"subscribe","id":"{{ids[0]}}"}""");
        Assert.Equal(("error", "not_found"), (answer.Type(), answer.Text("code")));
    }

    [Fact]
    public async Task SweepWithoutAStoreOrARuleIsRefused()
    {
        await using var stored = await StartAsync();
        await using var memory = await HarnessApp.StartAsync();

        using var noRule = await stored.Client.PostAsync("/api/v1/executions/sweep", new StringContent("{}"), Stop);
        using var noStore = await memory.Client.PostAsync("/api/v1/executions/sweep", new StringContent("""{"keep_count":1}"""), Stop);

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (noRule.StatusCode, noStore.StatusCode));
        Assert.Contains("keep_seconds, keep_count or keep_bytes", await noRule.Content.ReadAsStringAsync(Stop));
        Assert.Contains("memory only", await noStore.Content.ReadAsStringAsync(Stop));
    }

    public void Dispose() => _folder.Dispose();

    private static object Test() => new
    {
        id = "t",
        test = new
        {
            name = "T",
            description = "d",
            interactions = new[]
            {
                new
                {
                    id = "i",
                    user = new { type = "text", text = "hi" },
                    agent = new { validate = new[] { new { type = "contains", value = "hello" } } },
                },
            },
        },
    };

    private static string Setting(string name) => $"{StoreOptions.Section}:{name}";

    // To the last page, so that even a result without lines does not fit.
    private static async Task FillDiskAsync(string file)
    {
        await using var ballast = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                await ballast.WriteAsync(new byte[4096], Stop);
            }
        }
        catch (IOException)
        {
        }
    }

    private static async Task<string[]> RunAsync(HarnessApp app, int count)
    {
        using var socket = await SocketClient.ConnectAsync(app);
        var ids = new List<string>();
        for (var i = 0; i < count; i++)
        {
            await socket.SendAsync("""{"action":"execute","kind":"synthetic","data":{"lines":3}}""");
            ids.Add((await socket.ReceiveUntilAsync("result"))[0].Text("id"));
        }

        return [.. ids];
    }

    private Task<HarnessApp> StartAsync(params (string Name, string? Value)[] settings) => HarnessApp.StartAsync(
        [("Synthetic", "true"), (Setting(nameof(StoreOptions.MemoryOnly)), "false"), (Setting(nameof(StoreOptions.Data)), _data), .. settings]);
}
