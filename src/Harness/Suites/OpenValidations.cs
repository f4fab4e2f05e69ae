using System.Text.Json;
using Harness.Agents;

namespace Harness.Suites;

/// <summary>
/// The validations of one turn that have not passed yet. Each trace of the answer is tried on all of them, in order; the first trace that
/// satisfies one closes it, so different traces may satisfy different validations.
/// </summary>
internal sealed class OpenValidations
{
    private readonly TestStage _stage;
    private readonly SimilarityJudge _judge;
    private readonly Slot[] _slots;

    public OpenValidations(TestStage stage, IReadOnlyList<Validation> validations)
    {
        _stage = stage;
        _judge = new SimilarityJudge(stage.Tools.Models, stage.Suite.OpenAIConfig);
        _slots = [.. validations.Select(validation => new Slot(validation))];
    }

    private sealed class Slot(Validation validation)
    {
        public Validation Validation => validation;

        public SuiteOutcome Outcome { get; set; }

        /// <summary>Why it last failed.</summary>
        public string? Message { get; set; }

        public Re2? Expression { get; set; }
    }

    /// <summary>How one try went.</summary>
    /// <param name="Passed">Whether the trace satisfies the validation.</param>
    /// <param name="Tail">The end of the PASSED or FAILED line.</param>
    /// <param name="Explanation">A line written before it; null for none.</param>
    private sealed record Try(bool Passed, string Tail, string? Explanation = null);

    /// <summary>The failure text of an interaction whose validations did not all pass; null when all did.</summary>
    public string? Failure(string interactionId)
    {
        var open = _slots.Where(slot => slot.Outcome != SuiteOutcome.Passed).Select(slot => ValidationJson.Of(slot.Validation)).ToList();
        return open.Count == 0 ? null : $"validation failed for Interaction ID: {interactionId}, validation: [{string.Join(',', open)}]";
    }

    public IReadOnlyList<ValidationReport> Report() =>
    [
        .. _slots.Select(slot => new ValidationReport(slot.Validation.Id, slot.Validation.Type, slot.Validation.Value, slot.Outcome)
        {
            Values = slot.Validation.Values.Count > 0 ? slot.Validation.Values : null,
            Message = slot.Outcome == SuiteOutcome.Failed && slot.Message is not null ? SuiteReportReductions.Shorten(slot.Message) : null,
        }),
    ];

    /// <returns>Null, or the error that ends the test: an expression that is none.</returns>
    public async Task<string?> TryAsync(AgentTrace trace, CancellationToken stop)
    {
        foreach (var slot in _slots.Where(slot => slot.Outcome != SuiteOutcome.Passed))
        {
            var validation = slot.Validation;
            if (validation.Type == "regexp" && trace.Message is not null && Compile(slot) is { } error)
            {
                await _stage.Lines.WriteAsync("Error compiling regexp: " + error);
                return error;
            }

            var result = await TryAsync(slot, trace, stop);
            if (result.Explanation is not null)
            {
                await _stage.Lines.WriteAsync(result.Explanation);
            }

            slot.Outcome = result.Passed ? SuiteOutcome.Passed : SuiteOutcome.Failed;
            slot.Message = result.Explanation ?? (result.Tail.StartsWith("- ", StringComparison.Ordinal) ? result.Tail[2..] : null);
            await _stage.Lines.WriteAsync($"Validation type: {validation.Type} {(result.Passed ? "PASSED" : "FAILED")} {result.Tail}");
        }

        return null;
    }

    private static string? Compile(Slot slot)
    {
        if (slot.Expression is not null)
        {
            return null;
        }

        if (!Re2.TryCompile(slot.Validation.Value, out var compiled, out var error))
        {
            (slot.Outcome, slot.Message) = (SuiteOutcome.Failed, error);
        }

        slot.Expression = compiled;
        return error;
    }

    private async ValueTask<Try> TryAsync(Slot slot, AgentTrace trace, CancellationToken stop)
    {
        var (validation, message) = (slot.Validation, trace.Message);
        return (validation.Type, message) switch
        {
            ("variable", _) => await TryVariableAsync(validation, stop),
            ("traceType", _) => WithValue(trace.Type == validation.Value),
            (_, null) => new Try(false, "- no message in response"),
            ("equals" or "exact_match", _) => WithValue(message == validation.Value),
            ("contains", _) => WithValue(message.Contains(validation.Value, StringComparison.Ordinal)),
            ("regexp", _) => WithValue(slot.Expression!.IsMatch(message)),
            ("similarity", _) => await TrySimilarityAsync(validation, message, stop),
            _ => WithValue(false),
        };

        Try WithValue(bool passed) => new(passed, "with value: " + validation.Value);
    }

    private async Task<Try> TrySimilarityAsync(Validation validation, string message, CancellationToken stop)
    {
        if (_judge.SettingsOf(validation) is not { } settings)
        {
            return new Try(false, "- similarityConfig is missing; add it, or an openAIConfig to the suite");
        }

        var (passed, line) = await _judge.CheckAsync(message, validation, settings, stop);
        var config = $"{{{settings.Provider} {settings.Model} {GoText.Number(settings.Temperature ?? 0)} {GoText.Number(settings.Threshold)} "
            + $"{settings.TopK} {GoText.Number(settings.TopP ?? 0)}}}";
        return new Try(
            passed, passed ? $"with values: {GoText.List(validation.Values)} and config {config}" : "with value: " + validation.Value, line);
    }

    private async Task<Try> TryVariableAsync(Validation validation, CancellationToken stop)
    {
        if (validation.Variable is not { } settings)
        {
            return new Try(false, "- variableConfig is missing; it names the variable");
        }

        var problem = await CompareVariableAsync(validation, settings, stop);
        return problem is null
            ? new Try(true, $"with values: {validation.Value} and config {{{settings.Name} {settings.JsonPath}}}")
            : new Try(false, "with value: " + validation.Value, problem);
    }

    private async Task<string?> CompareVariableAsync(Validation validation, VariableSettings settings, CancellationToken stop)
    {
        try
        {
            var variables = await _stage.Conversation.GetVariablesAsync(stop);
            var value = variables.ValueKind == JsonValueKind.Object && variables.TryGetProperty(settings.Name, out var found) ? found : default;
            if (settings.JsonPath.Length > 0 && JsonPath.TryGet(value, settings.JsonPath, out value) is { } problem)
            {
                return "Error applying JSONPath: " + problem;
            }

            return IsText(value, validation.Value) ? null : $"Variable value does not match, expected: {validation.Value}, got: {GoText.Of(value)}";
        }
        catch (AgentException error)
        {
            return "Error fetching variable state: " + error.Message;
        }
    }

    // Numbers as people write them, as they were sent (1.50), and as the reference prints them, on which old suites may rely.
    private static bool IsText(JsonElement value, string expected) =>
        GoText.Of(value) == expected
        || GoText.Of(value, NumberForm.Exponent) == expected
        || (value.ValueKind == JsonValueKind.Number && value.GetRawText() == expected);
}
