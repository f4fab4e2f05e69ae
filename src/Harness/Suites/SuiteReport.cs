using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Harness.Executions;

namespace Harness.Suites;

/// <summary>
/// What became of a suite, test by test: the <c>summary</c> and <c>tests</c> members of <c>result.data</c>. Lists are in the suite's order,
/// whatever order tests ran in, and never null: a list that the JSON leaves out is an empty one.
/// </summary>
public sealed record SuiteReport
{
    /// <summary>How many tests there are of each outcome.</summary>
    public SuiteSummary Summary { get => field ?? new SuiteSummary(0, 0, 0, 0, 0); init; }

    /// <summary>Every test of the suite, also those that did not run.</summary>
    public IReadOnlyList<TestReport> Tests { get => field ?? []; init; }

    /// <summary>True when parts were left out because a result frame has to stay small; <see cref="Summary"/> is always whole.</summary>
    [JsonPropertyName("tests_truncated")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Truncated { get; init; }

    /// <summary>Reads a report out of its own JSON or out of a whole <c>result.data</c>; other members are ignored.</summary>
    /// <exception cref="JsonException">It is neither.</exception>
    public static SuiteReport Parse(ReadOnlySpan<byte> utf8Json) =>
        JsonSerializer.Deserialize(utf8Json, SuiteReportJson.Default.SuiteReport) ?? new SuiteReport();

    /// <summary>Reads a report out of its own JSON or out of a whole <c>result.data</c>; other members are ignored.</summary>
    /// <exception cref="JsonException">It is neither.</exception>
    public static SuiteReport Parse(JsonElement json) => json.Deserialize(SuiteReportJson.Default.SuiteReport) ?? new SuiteReport();

    /// <summary>UTF-8 JSON of at most so many bytes: what matters least goes first, and <see cref="Truncated"/> then says so.</summary>
    internal byte[] ToJson(int maxBytes)
    {
        var json = Write(this);
        foreach (var reduce in SuiteReportReductions.All)
        {
            if (json.Length <= maxBytes)
            {
                break;
            }

            json = Write(this with { Truncated = true, Tests = reduce(Tests) });
        }

        return json;
    }

    private static byte[] Write(SuiteReport report)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            JsonSerializer.Serialize(writer, report, SuiteReportJson.Default.SuiteReport);
        }

        return buffer.ToArray();
    }
}

/// <summary>How something ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SuiteOutcome>))]
public enum SuiteOutcome
{
    /// <summary>It did not run, or not to its end.</summary>
    [JsonStringEnumMemberName("skipped")]
    Skipped,

    /// <summary>It ran and was as expected.</summary>
    [JsonStringEnumMemberName("passed")]
    Passed,

    /// <summary>It ran and was not as expected.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}

/// <summary>Counts of tests by outcome.</summary>
public sealed record SuiteSummary(int Tests, int Passed, int Failed, int Skipped, double DurationMs);

/// <summary>What became of one test.</summary>
public sealed record TestReport(string Id, string Name, SuiteOutcome Outcome)
{
    /// <summary>0 when it did not run.</summary>
    public double DurationMs { get; init; }

    /// <summary>The first thing that went wrong; null for nothing.</summary>
    public string? Error { get; init; }

    /// <summary>As whom it talked to the agent; null when it did not run.</summary>
    public string? UserId { get; init; }

    /// <summary>The turns of a written conversation, also those that did not run.</summary>
    public IReadOnlyList<InteractionReport> Interactions { get => field ?? []; init; }

    /// <summary>The course of an agent-to-agent test; null for a written conversation.</summary>
    public AgentTestReport? Agent { get; init; }
}

/// <summary>What became of one turn.</summary>
public sealed record InteractionReport(string Id, string Type, SuiteOutcome Outcome)
{
    /// <summary>0 when it did not run.</summary>
    public double DurationMs { get; init; }

    /// <summary>What went wrong; null for nothing.</summary>
    public string? Error { get; init; }

    /// <summary>What the agent said, each shortened when it is very long.</summary>
    public IReadOnlyList<string> Messages { get => field ?? []; init; }

    /// <summary>In the order written.</summary>
    public IReadOnlyList<ValidationReport> Validations { get => field ?? []; init; }
}

/// <summary>What became of one validation; <see cref="SuiteOutcome.Skipped"/> when it was not tried on any trace.</summary>
public sealed record ValidationReport(string Id, string Type, string Value, SuiteOutcome Outcome)
{
    /// <summary>What a similarity compared with; null for other types.</summary>
    public IReadOnlyList<string>? Values { get; init; }

    /// <summary>Why it last failed, where there is more to say than that the value differs.</summary>
    public string? Message { get; init; }
}

/// <summary>The course of an agent-to-agent test.</summary>
public sealed record AgentTestReport(string Goal, int Steps, bool Achieved, IReadOnlyList<TranscriptLine> Transcript);

/// <summary>One message of an agent-to-agent test.</summary>
/// <param name="Role"><c>tester</c> or <c>agent</c>.</param>
/// <param name="Text">What was said, shortened when it is very long.</param>
public sealed record TranscriptLine(string Role, string Text);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    MaxDepth = JsonDepth.MaxKept)]
[JsonSerializable(typeof(SuiteReport))]
internal sealed partial class SuiteReportJson : JsonSerializerContext;
