using System.Text.Json;
using Harness.Executions;
using Harness.Server.Transports;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>
/// Reads and checks a TestExecutionRequest as the seed's server does, with its errors to the letter (compat/voiceflow 1.3).
/// </summary>
internal static class TestExecutionInput
{
    // A request of 4 MiB has room for a million nameless tests; its answer has not.
    private const int MaxMissing = 100;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = JsonSyntax.MaxDepth };

    /// <summary>The first JSON value of a request body; what follows it is ignored.</summary>
    /// <exception cref="ExecutionInputException">It is not JSON.</exception>
    public static JsonElement Parse(ReadOnlyMemory<byte> body)
    {
        if (JsonSyntax.DescribeFirst(body.Span, out var length) is { } problem)
        {
            throw new ExecutionInputException(problem);
        }

        return JsonElement.Parse(JsonRepair.Apply(body[..length]).Span, Strict);
    }

    /// <summary>Checks that all values are of their types and that nothing required is missing.</summary>
    /// <exception cref="ExecutionInputException">They are not.</exception>
    public static void Check(JsonElement request)
    {
        CheckTypes(request);
        if (FindMissing(request) is { } problem)
        {
            throw new ExecutionInputException(problem);
        }
    }

    /// <summary>Checks that all values that are there are of their types.</summary>
    /// <exception cref="ExecutionInputException">They are not.</exception>
    public static void CheckTypes(JsonElement request)
    {
        if (WireTypes.TestExecutionRequest.FindMisfit(request) is { } problem)
        {
            throw new ExecutionInputException(problem);
        }
    }

    private static string? FindMissing(JsonElement request)
    {
        var missing = FindMissingFields(Find(request, "suite")).Take(MaxMissing + 1).ToList();
        if (missing.Count > MaxMissing)
        {
            missing[MaxMissing] = $"(only the first {MaxMissing} are told)";
        }

        return missing.Count == 0 ? null : string.Join('\n', missing);
    }

    private static IEnumerable<string> FindMissingFields(JsonElement suite)
    {
        if (!IsText(Find(suite, "name")))
        {
            yield return Word("Suite", "Name");
        }

        // The second is how YAML suites spell it.
        if (!IsText(Find(suite, "environment_name")) && !IsText(Find(suite, "environmentName")))
        {
            yield return Word("Suite", "EnvironmentName");
        }

        var tests = Find(suite, "tests");
        if (tests.ValueKind != JsonValueKind.Array)
        {
            yield return Word("Suite", "Tests");
            yield break;
        }

        foreach (var (index, test) in tests.EnumerateArray().Index())
        {
            if (!IsText(Find(test, "id")))
            {
                yield return Word($"Suite.Tests[{index}]", "ID");
            }
        }
    }

    private static string Word(string owner, string field) =>
        $"Key: 'TestExecutionRequest.{owner}.{field}' Error:Field validation for '{field}' failed on the 'required' tag";

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String && !value.ValueEquals("");

    // Of several members of one name the last one counts, whatever their case.
    private static JsonElement Find(JsonElement owner, string name) =>
        owner.ValueKind != JsonValueKind.Object
            ? default
            : owner.EnumerateObject().LastOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}
