using Harness.Agents;
using Harness.Executions;
using Harness.Suites;
using Microsoft.Extensions.Options;

namespace Harness.Tests.Suites;

/// <summary>The samples against the real demo agent.</summary>
public sealed class SampleTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("pizza", 5)]
    [InlineData("pizza/tests/order.yaml", 1)]
    [InlineData("seed-example.json", 1)]
    public async Task TheSamplePasses(string path, int tests)
    {
        var (result, report) = await RunAsync(path);

        Assert.Equal((ExecutionStatus.Completed, null), (result.Status, result.Error));
        Assert.Equal(tests, report.Summary.Passed);
    }

    [Fact]
    public async Task TheFailingSampleShowsTwoKindsOfFailure()
    {
        var (result, report) = await RunAsync("failing");

        Assert.Equal(
            "validation failed for Interaction ID: hi, validation: [{\"id\":\"upper-case\",\"type\":\"contains\",\"value\":\"Hello\"}] (and 1 more failed test)",
            result.Error);
        Assert.Equal((1, 2), (report.Summary.Passed, report.Summary.Failed));
        Assert.Equal("button with label 'Order sushi' not found in available buttons", report.Tests[2].Error);
    }

    private static async Task<(ExecutionResult Result, SuiteReport Report)> RunAsync(string path)
    {
        var suite = SuiteReader.ReadPath(Path.Combine(Root(), "samples", "suites", path));
        using var agents = new AgentFactory(Options.Create(new AgentOptions()));
        var runner = new SuiteRunner(agents, TimeProvider.System, Options.Create(new ExecutionOptions()));
        var result = await runner.RunAsync(suite, agents.Create(suite.Agent), _ => ValueTask.CompletedTask, Stop);
        return (result, SuiteReport.Parse(result.Details.Span));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Harness.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository");
        }

        return folder.FullName;
    }
}
