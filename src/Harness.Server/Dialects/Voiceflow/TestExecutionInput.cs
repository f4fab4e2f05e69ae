using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Server.Transports;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>
/// Reads and checks a TestExecutionRequest as the seed's server does, with its errors to the letter (compat/voiceflow 1.3).
/// </summary>
internal static class TestExecutionInput
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = JsonSyntax.MaxDepth };

    /// <summary>The first JSON value of a request body; what follows it is ignored.</summary>
    /// <exception cref="ExecutionInputException">It is not JSON.</exception>
    public static JsonElement Parse(ReadOnlyMemory<byte> body)
    {
        if (JsonSyntax.DescribeFirst(body.Span, out var length) is { } problem)
        {
            throw new ExecutionInputException(problem);
        }

        return JsonElement.Parse(JsonSyntax.Repair(body[..length]).Span, Strict);
    }

    /// <summary>Checks that all values are of their types and that nothing required is missing.</summary>
    /// <exception cref="ExecutionInputException">They are not.</exception>
    public static void Check(JsonElement request)
    {
        if ((WireTypes.TestExecutionRequest.FindMisfit(request) ?? FindMissing(request)) is { } problem)
        {
            throw new ExecutionInputException(problem);
        }
    }

    private static string? FindMissing(JsonElement request)
    {
        var missing = new StringBuilder();
        var suite = Find(request, "suite");
        Require(missing, "Suite", "Name", IsText(Find(suite, "name")));
        Require(missing, "Suite", "EnvironmentName", IsText(Find(suite, "environment_name")));
        var tests = Find(suite, "tests");
        Require(missing, "Suite", "Tests", tests.ValueKind == JsonValueKind.Array);
        if (tests.ValueKind == JsonValueKind.Array)
        {
            foreach (var (index, test) in tests.EnumerateArray().Index())
            {
                Require(missing, $"Suite.Tests[{index}]", "ID", IsText(Find(test, "id")));
            }
        }

        return missing.Length == 0 ? null : missing.ToString();
    }

    private static void Require(StringBuilder missing, string owner, string field, bool isThere)
    {
        if (!isThere)
        {
            missing.Append(missing.Length == 0 ? "" : "\n").Append(
                $"Key: 'TestExecutionRequest.{owner}.{field}' Error:Field validation for '{field}' failed on the 'required' tag");
        }
    }

    private static bool IsText(JsonElement value) => value.ValueKind == JsonValueKind.String && !value.ValueEquals("");

    // Of several members of one name the last one counts, whatever their case.
    private static JsonElement Find(JsonElement owner, string name) =>
        owner.ValueKind != JsonValueKind.Object
            ? default
            : owner.EnumerateObject().LastOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}
