using Harness.Server.Tests.Cli;

namespace Harness.Server.Tests.Clients;

/// <summary>Every command in the README's runnable blocks (```bash) is run, here or by .ci/run. One that nothing covers fails.</summary>
public sealed class ReadmeTests(HubFixture hub)
{
    private const string FromSource = "dotnet run --project src/Harness.Cli -- ";
    private const string Installed = "harness ";

    /// <summary>What a build machine runs instead: the tests cannot run themselves, nor build what they run in.</summary>
    private static readonly string[] OfTheBuildMachine = ["dotnet test", "dotnet pack ", "dotnet tool install ", "dotnet publish "];

    public static TheoryData<string> Commands => [.. ReadCommands()];

    [Theory]
    [MemberData(nameof(Commands))]
    public Task EveryCommandWorks(string command) => command switch
    {
        _ when OfTheBuildMachine.Any(prefix => command.StartsWith(prefix, StringComparison.Ordinal)) => IsInBuildScriptAsync(command),
        _ when command.StartsWith(FromSource, StringComparison.Ordinal) => HarnessWorksAsync(command[FromSource.Length..]),
        _ when command.StartsWith(Installed, StringComparison.Ordinal) => HarnessWorksAsync(command[Installed.Length..]),
        _ => ClientWorksAsync(command),
    };

    [Fact]
    public void FirstTwoCommandsAreToRunAndToTest() => Assert.Equal(
        [$"{FromSource}run", "dotnet test"],
        ReadCommands().Take(2).Select(command => command.Split(" samples/")[0]));

    [Fact]
    public async Task SampleInCSharpBringsTheKeyOfTheEnvironment()
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "right"));
        await using var client = ChildProcess.Start(
            "dotnet", ["run", Repository.File("samples", "csharp", "watch.cs")], TestContext.Current.CancellationToken,
            new Dictionary<string, string?> { ["HARNESS_WS"] = app.WebSocketUri.ToString(), ["HARNESS_API_KEY"] = "right" });
        var exitCode = await client.WaitForExitAsync();

        Assert.True(exitCode == 0, client.Output);
        Assert.Contains("completed", client.Output);
    }

    private static IEnumerable<string> ReadCommands()
    {
        var isRunnable = false;
        foreach (var line in File.ReadLines(Repository.File("README.md")))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                isRunnable = line == "```bash";
            }
            else if (isRunnable)
            {
                yield return line;
            }
        }
    }

    private static bool NeedsWebSockets(string command) =>
        command.Contains("run_tests", StringComparison.Ordinal) || command.Contains("resume", StringComparison.Ordinal);

    private static async Task IsInBuildScriptAsync(string command)
    {
        var script = await File.ReadAllTextAsync(Repository.File(".ci", "run"), TestContext.Current.CancellationToken);

        Assert.Contains(command, script);
    }

    private async Task HarnessWorksAsync(string commandLine)
    {
        var args = commandLine.Split(' ');
        await using var harness = args[0] == "server"
            ? (await HarnessExecutable.StartServerAsync(args[1..])).Process
            : await hub.StartAsync("dotnet", ["exec", HarnessExecutable.Path, .. args]);
        if (args[0] == "server")
        {
            await harness.SignalAsync("TERM");
        }

        Assert.True(await harness.WaitForExitAsync() == 0, harness.Output);
    }

    private async Task ClientWorksAsync(string command)
    {
        var program = command.Split(' ')[0];
        var tool = program switch
        {
            "curl" => ClientTools.Curl(),
            "npx" => ClientTools.Node(),
            "python3" when NeedsWebSockets(command) => ClientTools.PythonWithWebSockets(),
            "python3" => ClientTools.Python(),
            "dotnet" => program,
            _ => throw new InvalidOperationException($"Nothing tests this command of the README: {command}"),
        };

        // Some clients stay connected: what counts is that each gets an answer.
        var line = program == "python3" ? tool + command[program.Length..] : command;
        await using var client = await hub.StartAsync("bash", "-c", line);
        await client.WaitForLineAsync(line =>
            line.Contains("completed", StringComparison.Ordinal)
            || line.Contains("\"status\":\"running\",\"started_at\"", StringComparison.Ordinal)
            || line.Contains("healthy", StringComparison.Ordinal)
            || line.Contains("\"success\":true", StringComparison.Ordinal)
            || line.Contains("Serving HTTP", StringComparison.Ordinal));
    }
}
