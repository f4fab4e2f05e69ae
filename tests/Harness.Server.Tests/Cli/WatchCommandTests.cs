using System.Text.Json;
using System.Text.RegularExpressions;
using Harness.Cli.Hub;
using Harness.Executions;
using Harness.Server.Tests.Clients;
using Harness.Server.Tests.Dialects.VoltAgent.Agents;
using Harness.Tests.Generations;

namespace Harness.Server.Tests.Cli;

/// <summary><c>harness watch</c>, <c>cancel</c> and <c>list</c>, as processes of their own against one server.</summary>
public sealed class WatchCommandTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WatchShowsEveryLineOnceAlthoughTheConnectionIsLost()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        await using var proxy = new FlakyProxy(app.Address, 50_000, 0, 50_000);
        var id = await StartAsync(app, new { lines = 2000, size = 100, watchers = 1 });

        var (exitCode, output) = await HarnessExecutable.RunAsync("watch", id, "--server", proxy.Address.ToString());

        Assert.True(exitCode == 0, output);
        Assert.Equal(0, proxy.CutsLeft);
        Assert.Equal(2000, output.Split('\n').Count(line => line.StartsWith("T=", StringComparison.Ordinal)));
        Assert.Contains("Connecting again", output);
        Assert.Matches(@"\ncompleted: \d+\.\d\d s\n", output);
    }

    [Fact]
    public async Task RunOnAServerSurvivesALostConnection()
    {
        await using var app = await HarnessApp.StartAsync();
        await using var proxy = new FlakyProxy(app.Address, 700, 1_000);
        using var suite = SuiteFile.Expecting("hello", "hello", "hello");

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", suite.Path, "--server", proxy.Address.ToString());

        Assert.True(exitCode == 0, output);
        Assert.Equal(0, proxy.CutsLeft);
        Assert.Equal(3, output.Split('\n').Count(line => line.StartsWith("Running Test ID: t", StringComparison.Ordinal)));
        Assert.Contains("3 passed, 0 failed", output);
        Assert.Single(app.Executions.List());
    }

    [Fact]
    public async Task ResultThatIsNestedDeepIsWatchedAndExported()
    {
        await using var app = await HarnessApp.StartAsync();
        var deep = $"{new string('[', 70)}1{new string(']', 70)}";
        var execution = app.Executions.Start(new ExecutionPlan(
            new ExecutionRequest { Kind = "test", Name = "deep" },
            (_, _) => Task.FromResult(new ExecutionResult(ExecutionStatus.Completed) { Details = System.Text.Encoding.UTF8.GetBytes($$"""{"output":{{deep}}}""") })));
        await execution.Completion.WaitAsync(Stop);

        var watched = await HarnessExecutable.RunAsync("watch", execution.Id, "--server", app.Address.ToString());
        var exported = await HarnessExecutable.RunAsync("export", execution.Id, "--server", app.Address.ToString());

        Assert.True(watched.ExitCode == 0, watched.Output);
        Assert.EndsWith($"{deep}\n", watched.Output);
        Assert.True(exported.ExitCode == 0, exported.Output);
        Assert.Contains($"\"output\":{deep}", exported.Output);
    }

    [Fact]
    public async Task WatchEndsWhenNobodyReadsItsOutputAnyMore()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not tell");
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        var id = await StartAsync(app, new { lines = 1_000_000, rate = 100 });

        await using var shell = ChildProcess.Start(
            "sh",
            ["-c", $"{{ dotnet exec '{HarnessExecutable.Path}' watch {id} --server {app.Address}; echo ended with $? >&2; }} | head -1"],
            Stop,
            HarnessExecutable.Environment);
        await shell.WaitForExitAsync();

        Assert.Contains("ended with 141", shell.Output);
        Assert.Equal(2, shell.Output.TrimEnd().Split('\n').Length);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("--api-key wrong", 2)]
    public async Task KeyOfTheEnvironmentIsUsedUnlessAFlagHasOne(string flag, int expected)
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "s3cret"));
        var environment = new Dictionary<string, string?>(HarnessExecutable.Environment) { ["HARNESS_API_KEY"] = "s3cret" };

        await using var list = ChildProcess.Start(
            "dotnet", ["exec", HarnessExecutable.Path, "list", "--server", app.Address.ToString(), .. flag.Split(' ', StringSplitOptions.RemoveEmptyEntries)], Stop, environment);

        Assert.Equal(expected, await list.WaitForExitAsync());
    }

    [Fact]
    public async Task NarrowTerminalStillListsWholeIds()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is nothing here that makes a terminal");
        await using var app = await HarnessApp.StartAsync();
        var execution = app.Executions.Start(Plans.Ended(ExecutionStatus.Completed));
        await execution.Completion.WaitAsync(Stop);

        var environment = new Dictionary<string, string?>(HarnessExecutable.Environment) { ["NO_COLOR"] = "1", ["TERM"] = "xterm-256color" };
        await using var shell = ChildProcess.Start(
            "/usr/bin/script", ["-qec", $"stty cols 80; dotnet exec '{HarnessExecutable.Path}' list --server {app.Address}", "/dev/null"], Stop, environment);
        await shell.WaitForExitAsync();

        var lines = shell.Output.Split('\n').Select(line => line.TrimEnd()).ToList();
        Assert.Single(lines, line => Regex.IsMatch(line, $@"{execution.Id}  completed  \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d$"));
        Assert.Single(lines, line => line.StartsWith($"  {execution.Request.Kind}, 3 events", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TerminalWithoutColorsKeepsItsWidth()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is nothing here that makes a terminal");
        await using var app = await HarnessApp.StartAsync();
        await app.Executions.Start(Plans.Ended(ExecutionStatus.Completed)).Completion.WaitAsync(Stop);

        var environment = new Dictionary<string, string?>(HarnessExecutable.Environment) { ["NO_COLOR"] = "1", ["TERM"] = "xterm-256color" };
        await using var shell = ChildProcess.Start(
            "/usr/bin/script", ["-qec", $"stty cols 100; dotnet exec '{HarnessExecutable.Path}' list --server {app.Address}", "/dev/null"], Stop, environment);
        await shell.WaitForExitAsync();

        var border = Assert.Single(shell.Output.Split('\n'), line => line.Contains('╭', StringComparison.Ordinal));
        Assert.InRange(border.TrimEnd().Length - border.IndexOf('╭', StringComparison.Ordinal), 60, 100);
        Assert.DoesNotMatch(@"\e\[[0-9;]*3[0-9]", shell.Output);
    }

    [Theory]
    [InlineData("export")]
    [InlineData("watch")]
    [InlineData("list")]
    public async Task OutputThatCannotBeWrittenExitsWithTwo(string command)
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no device here that is always full");
        await using var app = await HarnessApp.StartAsync();
        var execution = app.Executions.Start(Plans.Ended(ExecutionStatus.Completed));
        await execution.Completion.WaitAsync(Stop);
        var id = command == "list" ? "" : execution.Id;

        await using var shell = InShell($"{command} {id} --server {app.Address} > /dev/full");

        Assert.Equal(2, await shell.WaitForExitAsync());
        Assert.Equal("Cannot write to standard output: No space left on device", shell.Output.Trim());
    }

    [Theory]
    [InlineData("text", """{"input":"hi"}""", "\nHello world\n")]
    [InlineData("object", """{"input":"hi","schema":{"type":"object"}}""", "\n{\"a\":1}\n")]
    public async Task WatchShowsWhatAnAgentSaid(string form, string body, string said)
    {
        await using var app = await AgentApp.StartAsync(form == "text" ? CodeModel.Saying("Hello ", "world") : CodeModel.Saying("{\"a\"", ":1}"));
        var id = (await app.PostAsync($"/agents/a/{form}", body)).Data().Text("executionId");

        var (exitCode, output) = await HarnessExecutable.RunAsync("watch", id, "--server", app.Address.ToString());

        Assert.Equal(0, exitCode);
        Assert.EndsWith(said, output);
    }

    [Fact]
    public async Task CancelEndsAnExecutionThatIsWatchedElsewhere()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        var id = await StartAsync(app, new { lines = 1_000_000, rate = 100 });
        await using var watch = HarnessExecutable.Start("watch", id, "--tail", "1", "--server", app.Address.ToString());
        await watch.WaitForLineAsync(line => line.StartsWith("T=", StringComparison.Ordinal));

        var cancel = await HarnessExecutable.RunAsync("cancel", id, "--reason", "no more", "--server", app.Address.ToString());
        var again = await HarnessExecutable.RunAsync("cancel", id, "--server", app.Address.ToString());

        Assert.Equal((0, $"Cancelled {id}\n"), cancel);
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("execution is not running", again.Output);
        Assert.Equal(1, await watch.WaitForExitAsync());
        Assert.Contains("cancelled: ", watch.Output);
        Assert.Contains("\nReason: no more\n", watch.Output);
    }

    [Fact]
    public async Task InterruptEndsTheWatchingAndNotTheExecution()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        var id = await StartAsync(app, new { lines = 1_000_000, rate = 100 });
        await using var watch = HarnessExecutable.Start("watch", id, "--server", app.Address.ToString());
        await watch.WaitForLineAsync(line => line.StartsWith("T=", StringComparison.Ordinal));

        await watch.SignalAsync("INT");

        Assert.Equal(130, await watch.WaitForExitAsync());
        Assert.Contains($"harness cancel {id}", watch.Output);
        Assert.Equal("running", Harness.Executions.ExecutionStatusWords.ToWire(app.Executions.List().Single().State.Status));
    }

    [Theory]
    [InlineData("watch")]
    [InlineData("cancel")]
    public async Task ExecutionThatIsNotThereExitsWithTwo(string command)
    {
        await using var app = await HarnessApp.StartAsync();

        var (exitCode, output) = await HarnessExecutable.RunAsync(command, "no-such-id", "--server", app.Address.ToString());

        Assert.Equal(2, exitCode);
        Assert.Contains("Test execution not found: no-such-id", output);
        Assert.DoesNotContain("   at ", output);
    }

    [Fact]
    public async Task ListIsATableOrOneObjectPerLine()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        var server = app.Address.ToString();
        var none = await HarnessExecutable.RunAsync("list", "--server", server);
        var id = await StartAsync(app, new { lines = 10 });
        Assert.True(app.Executions.TryFind(id, out var execution));
        await execution.Completion.WaitAsync(Stop);

        var table = await HarnessExecutable.RunAsync("list", "--server", server);
        var json = await HarnessExecutable.RunAsync("list", "--json", "--status", "completed", "--kind", "synthetic", "--server", server);
        var others = await HarnessExecutable.RunAsync("list", "--json", "--label", "team=shop", "--server", server);

        Assert.Equal((0, "No executions.\n"), none);
        Assert.Equal(0, table.ExitCode);
        Assert.Matches($@"\| {id} \| completed \| synthetic \|.*\| 10 lines of 100 characters \|", table.Output);
        Assert.Equal(id, JsonElement.Parse(json.Output).GetProperty("id").GetString());
        Assert.Equal((0, ""), others);
    }

    [Theory]
    [InlineData("watch")]
    [InlineData("watch", "id", "--from", "3", "--tail", "3")]
    [InlineData("watch", "id", "--tail", "0")]
    [InlineData("cancel")]
    [InlineData("list", "--status", "sleeping")]
    [InlineData("list", "--label", "team")]
    [InlineData("list", "--server", "nowhere")]
    public async Task WrongUsageExitsWithTwoAndSaysWhereHelpIs(params string[] args)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync(args);

        Assert.Equal(2, exitCode);
        Assert.Contains($"See: harness {args[0]} --help", output);
    }

    /// <summary>The command with what a shell adds to it.</summary>
    private static ChildProcess InShell(string command) =>
        ChildProcess.Start("sh", ["-c", $"dotnet exec '{HarnessExecutable.Path}' {command}"], Stop, HarnessExecutable.Environment);

    private static async Task<string> StartAsync(HarnessApp app, object data)
    {
        var client = new HubClient(app.Address, apiKey: null, TimeProvider.System);
        await using var watch = await client.ExecuteAsync("synthetic", JsonSerializer.SerializeToElement(data), Stop);
        return watch.Id;
    }
}
