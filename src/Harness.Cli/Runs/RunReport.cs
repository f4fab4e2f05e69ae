using System.Text.Json;
using Harness.Suites;

namespace Harness.Cli.Runs;

/// <summary>How a run ended, read from the <c>data</c> of its <c>result</c> event.</summary>
/// <param name="Suite">The suite's name.</param>
/// <param name="Status"><c>completed</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="Error">What went wrong; null unless it failed.</param>
/// <param name="Details">Test by test; empty when the server does not tell (the Voiceflow CLI's own server does not).</param>
/// <param name="Document">The whole of it.</param>
internal sealed record RunReport(string Suite, string Status, string? Error, SuiteReport Details, JsonElement Document)
{
    public int ExitCode => Status == "completed" ? Cli.ExitCode.Passed : Cli.ExitCode.Failed;

    public TimeSpan Duration =>
        Document.Time("started_at") is { } start && Document.Time("completed_at") is { } end ? end - start : TimeSpan.Zero;

    public static RunReport From(string suite, JsonElement data) =>
        new(suite, data.Text("status") ?? "failed", data.Text("error"), ParseDetails(data), data);

    /// <summary>What to call a test.</summary>
    public static string TitleOf(TestReport test) => test.Name.Length == 0 || test.Name == test.Id ? test.Id : $"{test.Id}: {test.Name}";

    private static SuiteReport ParseDetails(JsonElement data)
    {
        try
        {
            return Complete(SuiteReport.Parse(data));
        }
        catch (JsonException exception)
        {
            throw new RunException($"The result is not one of a suite: {exception.Message}", exception);
        }
    }

    /// <summary>A foreign server may leave out anything, and what is left out is read as null.</summary>
    private static SuiteReport Complete(SuiteReport report)
    {
        TestReport[] tests =
        [
            .. from test in report.Tests ?? []
               select test with { Id = test.Id ?? "", Name = test.Name ?? "", Interactions = test.Interactions ?? [] },
        ];
        int Count(SuiteOutcome outcome) => tests.Count(test => test.Outcome == outcome);
        return report with
        {
            Tests = tests,
            Summary = report.Summary
                ?? new SuiteSummary(tests.Length, Count(SuiteOutcome.Passed), Count(SuiteOutcome.Failed), Count(SuiteOutcome.Skipped), 0),
        };
    }
}
