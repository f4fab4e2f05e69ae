using System.Text.Json;
using System.Text.RegularExpressions;
using Harness.Storage.Tests;
using Harness.Workflows;

namespace Harness.Server.Tests.Cli;

/// <summary>Workflows from the command line: a server that has them, run, resume.</summary>
public sealed partial class WorkflowCommandTests
{
    private const string Deep = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]";

    [Fact]
    public async Task WorkflowOfAServerIsRunWatchedAndResumedFromAnotherTerminal()
    {
        var (server, address) = await HarnessExecutable.StartServerAsync("--workflows", Repository.File("samples", "workflows"));
        await using var _ = server;
        var url = address.ToString();
        await using var run = HarnessExecutable.Start(
            "run", "order-approval", "--input", """{"orderId":"o1","amount":15000}""", "--server", url);
        var line = await run.WaitForLineAsync(line => line.Contains("harness resume", StringComparison.Ordinal));
        Assert.Contains("Suspended: Waiting for manager approval. To go on: harness resume ", line);
        var id = Id().Match(line).Value;

        var refused = await HarnessExecutable.RunAsync("resume", id, "--data", "{}", "--server", url);
        var resumed = await HarnessExecutable.RunAsync("resume", id, "--data", """{"approved":true,"managerId":"m"}""", "--watch", "--server", url);
        var again = await HarnessExecutable.RunAsync("resume", id, "--server", url);

        Assert.Equal(0, await run.WaitForExitAsync());
        Assert.Contains("\"processedBy\":\"m\"", run.Output);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("Invalid resume data: resumeData.approved is missing", refused.Output);
        Assert.Equal(0, resumed.ExitCode);
        Assert.Contains("Resumed at step manager", resumed.Output);
        Assert.Contains("Suspended at step manager", run.Output);
        Assert.DoesNotContain("Suspended", resumed.Output);
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("Cannot resume: execution is not suspended (current status: completed)", again.Output);
    }

    [Fact]
    public async Task ReportsOfAWorkflowOfAServerAreWritten()
    {
        var (server, address) = await HarnessExecutable.StartServerAsync("--workflows", Repository.File("samples", "workflows"));
        await using var _ = server;
        using var folder = new DataFolder();
        var (json, xml) = (Path.Combine(folder.NewOptions().Data, "run.json"), Path.Combine(folder.NewOptions().Data, "run.xml"));

        var (exitCode, output) = await HarnessExecutable.RunAsync(
            "run", "order-approval", "--input", """{"orderId":"o1","amount":5}""", "--server", address.ToString(), "--output", "json", json, "--output", "junit", xml);

        Assert.True(exitCode == 0, output);
        Assert.Equal("completed", JsonElement.Parse(await File.ReadAllTextAsync(json, TestContext.Current.CancellationToken)).GetProperty("status").GetString());
        Assert.Contains("order-approval", await File.ReadAllTextAsync(xml, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task WorkflowOfAServerRunsWithoutAnInputToo()
    {
        await using var app = await HarnessApp.StartAsync(services => services.AddWorkflow(
            Workflow.Begin<JsonElement>("nightly").AndThen("tell", (input, _, _) => Task.FromResult($"given {input.ValueKind}")).End()));

        var run = await HarnessExecutable.RunAsync("run", "nightly", "--server", app.Address.ToString());
        var unknown = await HarnessExecutable.RunAsync("run", "nightl", "--server", app.Address.ToString());

        Assert.Equal(0, run.ExitCode);
        Assert.EndsWith("\n\"given Null\"\n", run.Output);
        Assert.Equal(2, unknown.ExitCode);
        Assert.Contains("Workflow not found: nightl. (There is no file or folder 'nightl' here, so it was taken for the id of a workflow.)", unknown.Output);
    }

    [Theory]
    [InlineData("--input is no JSON", "run", "order-approval", "--input", "{amount")]
    [InlineData("--input names a file that cannot be read", "run", "order-approval", "--input", "@/nowhere/at/all.json")]
    [InlineData("--data is no JSON", "resume", "x", "--data", "{")]
    [InlineData("--input is nested deeper than 50 levels; send what is inside as a text", "run", "order-approval", "--input", Deep)]
    public async Task JsonThatIsNoneIsRefusedBeforeAnyServerIsAsked(string message, params string[] args)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync(args);

        Assert.Equal(2, exitCode);
        Assert.StartsWith(message, output);
    }

    [Fact]
    public async Task FolderThatIsNotThereKeepsTheServerFromStarting()
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync("server", "--port", "0", "--workflows", "/nowhere/at/all");

        Assert.Equal(1, exitCode);
        Assert.Contains("The workflows in /nowhere/at/all cannot be read", output);
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f-]{27}")]
    private static partial Regex Id();
}
