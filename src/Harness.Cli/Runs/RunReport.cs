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

    /// <summary>What to call a test; a foreign server may leave out either.</summary>
    public static string TitleOf(TestReport test) =>
        string.IsNullOrEmpty(test.Name) || test.Name == test.Id ? test.Id ?? "" : $"{test.Id}: {test.Name}";

    private static SuiteReport ParseDetails(JsonElement data)
    {
        try
        {
            return SuiteReport.Parse(data);
        }
        catch (JsonException exception)
        {
            throw new RunException($"The result is not one of a suite: {exception.Message}", exception);
        }
    }
}
