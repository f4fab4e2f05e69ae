namespace Harness.Server.Tests.Cli;

/// <summary>Workflows from the command line without any server.</summary>
public sealed class LocalWorkflowTests : IDisposable
{
    private const string Order = """{"orderId":"o1","amount":5}""";

    private static readonly string Samples = Repository.File("samples", "workflows");

    private readonly string _folder = Directory.CreateTempSubdirectory("harness-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task WorkflowOfAFolderAndWorkflowFileRunHereAndLookAlike()
    {
        var report = Path.Combine(_folder, "report.json");

        var byId = await HarnessExecutable.RunAsync("run", "order-approval", "--workflows", Samples, "--input", Order, "--output", "json", report);
        var byFile = await HarnessExecutable.RunAsync("run", Path.Combine(Samples, "order-approval.yaml"), "--input", Order);

        Assert.True(byId.ExitCode == 0, byId.Output);
        Assert.Contains("Step finish", byId.Output);
        Assert.Contains("completed: ", byId.Output);
        Assert.Contains("\"processedBy\":\"system\"", byId.Output);
        Assert.True(byFile.ExitCode == 0, byFile.Output);
        Assert.Equal(WithoutTimes(byId.Output), WithoutTimes(byFile.Output));
        Assert.Contains("\"processedBy\"", await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task AgentStepAsksAnAgentOfTheFolder()
    {
        var file = Write("""
            steps:
              - id: ask
                agent: { id: desk, prompt: "What is the weather in {{input.city}}?" }
            """);

        var (exitCode, output) = await HarnessExecutable.RunAsync(
            "run", file, "--agents", Repository.File("samples", "agents", "named"), "--input", """{"city":"Oslo"}""");

        Assert.True(exitCode == 0, output);
        Assert.Contains("This is what I was told: ", output);
    }

    [Fact]
    public async Task HalfAnEmojiInTheInputIsReplacedAsOnAServer()
    {
        var file = Write("""
            input: { type: object, properties: { a: { type: string, minLength: 1 } } }
            steps:
              - id: say
                set: { said: "-{{input.a}}-" }
            """);

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", file, "--input", """{"a":"\ud83d"}""");

        Assert.True(exitCode == 0, output);
        Assert.Contains("-\uFFFD-", output);
    }

    [Fact]
    public async Task FileWhoseAliasStandsForWhatItStandsInIsRefusedAndEndsNoProcess()
    {
        var file = Write("steps: [{ id: s, set: { a: &x [*x] } }]");

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", file);

        Assert.True(exitCode == 2, output);
        Assert.StartsWith($"{file}, line 1: the alias *x names no anchor that ends before it", output);
    }

    [Fact]
    public async Task SuspendedWorkflowEndsAndSaysWhereOneCanBeResumed()
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync(
            "run", "order-approval", "--workflows", Samples, "--input", """{"orderId":"o1","amount":15000}""");

        Assert.True(exitCode == 1, output);
        Assert.Contains("Suspended: Waiting for manager approval. A run here ends with that.", output);
        Assert.Contains("harness server --workflows DIR", output);
        Assert.Contains("cancelled: ", output);
    }

    [Fact]
    public async Task FailedStepIsShownWithItsReason()
    {
        var file = Write("""
            steps:
              - id: ask
                agent: { id: nobody, prompt: Hello }
            """);

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", file);

        Assert.True(exitCode == 1, output);
        Assert.Contains("Step 'ask' failed: There is no agent 'nobody'", output);
    }

    [Fact]
    public async Task InterruptCancelsTheWorkflowAndItsResultIsShown()
    {
        var file = Write("""
            steps:
              - id: nap
                sleep: 1d
            """);
        await using var run = HarnessExecutable.Start("run", file);
        await run.WaitForLineAsync(line => line.Contains("Step nap", StringComparison.Ordinal));

        await run.SignalAsync("INT");

        Assert.Equal(130, await run.WaitForExitAsync());
        Assert.Contains("cancelled: ", run.Output);
    }

    [Theory]
    [InlineData("There is no workflow 'nope' in samples/workflows, only: order-approval", "run", "nope", "--workflows", "samples/workflows")]
    [InlineData("The workflows in /nowhere/at/all cannot be read", "run", "nope", "--workflows", "/nowhere/at/all")]
    [InlineData("Invalid input: input is missing", "run", "samples/workflows/order-approval.yaml")]
    [InlineData("Invalid input: input.amount is missing", "run", "samples/workflows/order-approval.yaml", "--input", """{"orderId":"o1"}""")]
    [InlineData("--input is no JSON", "run", "samples/workflows/order-approval.yaml", "--input", "{")]
    [InlineData("--input @ names no file: write @FILE, or the JSON itself", "run", "samples/workflows/order-approval.yaml", "--input", "@")]
    [InlineData("--input names a file that cannot be read", "run", "samples/workflows/order-approval.yaml", "--input", "@/nowhere/at/all")]
    [InlineData("The agents' folder /nowhere/at/all cannot be read", "run", "samples/workflows/order-approval.yaml", "--agents", "/nowhere/at/all")]
    [InlineData("--agents goes with a workflow that runs here", "run", "samples/suites/pizza", "--agents", "samples/agents/named")]
    [InlineData("A workflow of a file or a --workflows folder runs here", "run", "x", "--workflows", "samples/workflows", "--server", "http://localhost:1")]
    [InlineData("A workflow of a file or a --workflows folder runs here", "run", "samples/workflows/order-approval.yaml", "--server", "http://localhost:1")]
    public async Task WhatCannotRunExitsWithTwoAndSaysWhy(string message, params string[] args)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync(args);

        Assert.True(exitCode == 2, output);
        Assert.StartsWith(message, output);
    }

    private string Write(string yaml)
    {
        var file = Path.Combine(_folder, "workflow.yaml");
        File.WriteAllText(file, yaml);
        return file;
    }

    private static IEnumerable<string> WithoutTimes(string output) =>
        output.Split('\n').Where(line => !line.StartsWith("completed: ", StringComparison.Ordinal));
}
