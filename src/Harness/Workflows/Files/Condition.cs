using System.Text.Json;

namespace Harness.Workflows;

/// <summary>
/// The <c>if</c> of a condition: a <c>value</c> and one or more tests of it, which must all hold; or <c>all</c>, <c>any</c> and <c>not</c> of
/// further ones.
/// </summary>
internal sealed class Condition
{
    private static readonly string[] Groups = ["all", "any", "not"];

    private static readonly Dictionary<string, Func<JsonElement, JsonElement, bool>> Tests = new(StringComparer.Ordinal)
    {
        ["equals"] = JsonElement.DeepEquals,
        ["differs-from"] = (value, other) => !JsonElement.DeepEquals(value, other),
        ["above"] = (value, other) => Compare(value, other) > 0,
        ["below"] = (value, other) => Compare(value, other) < 0,
        ["at-least"] = (value, other) => Compare(value, other) >= 0,
        ["at-most"] = (value, other) => Compare(value, other) <= 0,
        ["contains"] = Contains,
        ["one-of"] = (value, other) => other.ValueKind == JsonValueKind.Array && Contains(other, value),
        ["exists"] = (value, other) => (value.ValueKind != JsonValueKind.Null) == (other.ValueKind == JsonValueKind.True),
    };

    private readonly Func<StepContext, bool> _holds;

    private Condition(Func<StepContext, bool> holds, IEnumerable<string> stepPaths) => (_holds, StepPaths) = (holds, [.. stepPaths]);

    /// <summary>Steps that are looked at, as <see cref="Reference.StepPath"/>.</summary>
    public IReadOnlyList<string> StepPaths { get; }

    /// <exception cref="WorkflowFormatException">It is no condition.</exception>
    public static Condition Parse(YamlValue source)
    {
        var members = source.Members(["value", .. Groups, .. Tests.Keys]);
        if (Groups.FirstOrDefault(group => members.Find(group) is not null) is { } alone
            && source.AllMembers().Select(member => member.Name).Where(name => name != alone).ToList() is { Count: > 0 } others)
        {
            throw source.Error($"'{alone}' stands alone, without {string.Join(", ", others)}");
        }

        if (members.Find("all") is { } all)
        {
            var parts = all.Items().Select(Parse).ToList();
            return new Condition(context => parts.TrueForAll(part => part.Holds(context)), parts.SelectMany(part => part.StepPaths));
        }

        if (members.Find("any") is { } any)
        {
            var parts = any.Items().Select(Parse).ToList();
            return new Condition(context => parts.Exists(part => part.Holds(context)), parts.SelectMany(part => part.StepPaths));
        }

        if (members.Find("not") is { } not)
        {
            var part = Parse(not);
            return new Condition(context => !part.Holds(context), part.StepPaths);
        }

        if (members.Find("one-of") is { IsList: false, HasPlaces: false } list)
        {
            throw list.Error("a list is expected here");
        }

        if (members.Find("exists") is { HasPlaces: false } flag && flag.Json().ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            throw flag.Error("true or false is expected here");
        }

        var value = Template.Parse(members.Get("value"));
        var tests = Tests.Where(test => members.Find(test.Key) is not null)
            .Select(test => (Holds: test.Value, Other: Template.Parse(members.Get(test.Key)))).ToList();
        if (tests.Count == 0)
        {
            throw source.Error($"a test of the value is missing: one of {string.Join(", ", Tests.Keys)}");
        }

        return new Condition(
            context => value.Evaluate(context) is var found && tests.TrueForAll(test => test.Holds(found, test.Other.Evaluate(context))),
            value.StepPaths.Concat(tests.SelectMany(test => test.Other.StepPaths)));
    }

    /// <summary>Whether it holds in this moment.</summary>
    public bool Holds(StepContext context) => _holds(context);

    // Null when they cannot be compared: then no comparison holds.
    private static int? Compare(JsonElement value, JsonElement other) => (value.ValueKind, other.ValueKind) switch
    {
        (JsonValueKind.Number, JsonValueKind.Number) => value.GetDouble().CompareTo(other.GetDouble()),
        (JsonValueKind.String, JsonValueKind.String) => string.CompareOrdinal(value.GetString(), other.GetString()),
        _ => null,
    };

    private static bool Contains(JsonElement whole, JsonElement part) => whole.ValueKind switch
    {
        JsonValueKind.String => part.ValueKind == JsonValueKind.String && whole.GetString()!.Contains(part.GetString()!, StringComparison.Ordinal),
        JsonValueKind.Array => whole.EnumerateArray().Any(item => JsonElement.DeepEquals(item, part)),
        _ => false,
    };
}
