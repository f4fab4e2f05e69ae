using System.Text.Json;

namespace Harness.Cli.Runs;

/// <summary>How a run ended, read from the <c>data</c> of its <c>result</c> event.</summary>
/// <param name="Suite">The suite's name.</param>
/// <param name="Status"><c>completed</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="Error">What went wrong; null unless it failed.</param>
/// <param name="Tests">Every test; empty when the server does not tell (the Voiceflow CLI's own server does not).</param>
/// <param name="Document">The whole of it.</param>
internal sealed record RunReport(string Suite, string Status, string? Error, IReadOnlyList<TestReport> Tests, JsonElement Document)
{
    public int ExitCode => Status == "completed" ? Cli.ExitCode.Passed : Cli.ExitCode.Failed;

    public TimeSpan Duration =>
        Document.Time("started_at") is { } start && Document.Time("completed_at") is { } end ? end - start : TimeSpan.Zero;

    public int Count(string outcome) => Tests.Count(test => test.Outcome == outcome);

    public static RunReport From(string suite, JsonElement data) => new(
        suite,
        data.Text("status") ?? "failed",
        data.Text("error"),
        data.TryGetProperty("tests", out var tests) && tests.ValueKind == JsonValueKind.Array
            ? [.. tests.EnumerateArray().Select(TestReport.From)]
            : [],
        data);
}

/// <summary>How one test ended.</summary>
/// <param name="Id">The test's id in its suite.</param>
/// <param name="Name">Its name; may be empty.</param>
/// <param name="Outcome"><c>passed</c>, <c>failed</c>, <c>skipped</c> or <c>cancelled</c>.</param>
/// <param name="Interactions">How many interactions were begun.</param>
/// <param name="Duration">From its first turn to its end.</param>
/// <param name="Error">The first thing that went wrong; null for none.</param>
internal sealed record TestReport(string Id, string Name, string Outcome, int Interactions, TimeSpan Duration, string? Error)
{
    /// <summary>What to call it.</summary>
    public string Title => Name.Length == 0 || Name == Id ? Id : $"{Id}: {Name}";

    public static TestReport From(JsonElement test) => new(
        test.Text("id") ?? "",
        test.Text("name") ?? "",
        test.Text("outcome") ?? "failed",
        test.TryGetProperty("interactions", out var interactions) && interactions.ValueKind == JsonValueKind.Array
            ? interactions.GetArrayLength()
            : 0,
        TimeSpan.FromMilliseconds(test.TryGetProperty("duration_ms", out var duration) ? duration.GetDouble() : 0),
        test.Text("error"));
}

/// <summary>Members that may be absent.</summary>
internal static class JsonMembers
{
    public static string? Text(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static DateTimeOffset? Time(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time)
            ? time
            : null;
}
