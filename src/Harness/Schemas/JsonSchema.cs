using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Harness.Schemas;

/// <summary>
/// Checks JSON against a JSON schema, the part of draft 2020-12 that people write by hand: <c>type, enum, const, properties, required,
/// additionalProperties, items, prefixItems, anyOf, oneOf, allOf, not, $ref</c> within the schema, and the limits of numbers, texts, arrays
/// and objects. Other keywords, such as <c>format</c>, are remarks. Immutable and thread-safe.
/// </summary>
public sealed partial class JsonSchema
{
    /// <summary>Problems named at most: who reads them mends the first ones.</summary>
    public const int MaxProblems = 10;

    private const int MaxDepth = 128;

    private static readonly TimeSpan PatternTimeLimit = TimeSpan.FromSeconds(1);

    private readonly JsonElement _root;
    private readonly Dictionary<string, Regex> _patterns = new(StringComparer.Ordinal);

    private JsonSchema(JsonElement root) => _root = root;

    /// <summary>The schema as it was written.</summary>
    public JsonElement Source => _root;

    /// <summary>Reads a schema.</summary>
    /// <param name="schema">An object, or true or false; it need not outlive the call.</param>
    /// <exception cref="JsonSchemaException">It is no schema; says where and what to change.</exception>
    public static JsonSchema Read(JsonElement schema)
    {
        var read = new JsonSchema(schema.ValueKind == JsonValueKind.Undefined ? schema : schema.Clone());
        read.Check(read._root, "schema", 0);
        return read;
    }

    /// <summary>What is wrong with a value, such as <c>Expected string, received number at address.city</c>; empty: nothing.</summary>
    public IReadOnlyList<string> Validate(JsonElement value)
    {
        var problems = new List<string>();
        Validate(_root, value, "", problems, 0);
        return problems;
    }

    private void Validate(JsonElement schema, JsonElement value, string path, List<string> problems, int depth)
    {
        if (problems.Count >= MaxProblems || schema.ValueKind == JsonValueKind.True)
        {
            return;
        }

        if (schema.ValueKind == JsonValueKind.False || depth > MaxDepth)
        {
            Add(problems, path, depth > MaxDepth ? "Nested too deeply" : "Not allowed");
            return;
        }

        if (schema.TryGetProperty("$ref", out var reference))
        {
            Validate(Resolve(reference.GetString()!)!.Value, value, path, problems, depth + 1);
        }

        if (schema.TryGetProperty("type", out var type) && !HasType(type, value, IsNullable(schema)))
        {
            Add(problems, path, $"Expected {Words(type)}, received {TypeOf(value)}");
            return;
        }

        ValidateValues(schema, value, path, problems);
        ValidateChoices(schema, value, path, problems, depth + 1);
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                ValidateObject(schema, value, path, problems, depth + 1);
                break;
            case JsonValueKind.Array:
                ValidateArray(schema, value, path, problems, depth + 1);
                break;
            case JsonValueKind.String:
                ValidateText(schema, value.GetString()!, path, problems);
                break;
            case JsonValueKind.Number:
                ValidateNumber(schema, value.GetDouble(), path, problems);
                break;
        }
    }

    private static void ValidateValues(JsonElement schema, JsonElement value, string path, List<string> problems)
    {
        if (schema.TryGetProperty("enum", out var values) && !values.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value))
            && !(value.ValueKind == JsonValueKind.Null && IsNullable(schema)))
        {
            Add(problems, path, $"Expected one of {string.Join(", ", values.EnumerateArray().Take(20))}");
        }

        if (schema.TryGetProperty("const", out var only) && !JsonElement.DeepEquals(only, value))
        {
            Add(problems, path, $"Expected {only}");
        }
    }

    private void ValidateChoices(JsonElement schema, JsonElement value, string path, List<string> problems, int depth)
    {
        foreach (var part in Items(schema, "allOf"))
        {
            Validate(part, value, path, problems, depth);
        }

        if (schema.TryGetProperty("anyOf", out var any) && !any.EnumerateArray().Any(choice => Fits(choice, value, depth)))
        {
            Add(problems, path, "Expected one of the forms of anyOf");
        }

        if (schema.TryGetProperty("oneOf", out var one) && one.EnumerateArray().Count(choice => Fits(choice, value, depth)) != 1)
        {
            Add(problems, path, "Expected exactly one of the forms of oneOf");
        }

        if (schema.TryGetProperty("not", out var not) && Fits(not, value, depth))
        {
            Add(problems, path, "Has a form that is not allowed");
        }
    }

    private bool Fits(JsonElement schema, JsonElement value, int depth)
    {
        var problems = new List<string>();
        Validate(schema, value, "", problems, depth);
        return problems.Count == 0;
    }

    private void ValidateObject(JsonElement schema, JsonElement value, string path, List<string> problems, int depth)
    {
        foreach (var name in Items(schema, "required").Select(name => name.GetString()!).Where(name => !value.TryGetProperty(name, out _)))
        {
            Add(problems, Join(path, name), "Required");
        }

        var properties = schema.TryGetProperty("properties", out var known) ? known : default;
        var others = schema.TryGetProperty("additionalProperties", out var rest) ? rest : default;
        foreach (var property in value.EnumerateObject())
        {
            if (properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(property.Name, out var own))
            {
                Validate(own, property.Value, Join(path, property.Name), problems, depth);
            }
            else if (others.ValueKind == JsonValueKind.False)
            {
                Add(problems, path, $"Unrecognized key: {property.Name}");
            }
            else if (others.ValueKind == JsonValueKind.Object)
            {
                Validate(others, property.Value, Join(path, property.Name), problems, depth);
            }
        }

        Limit(schema, "minProperties", "maxProperties", value.GetPropertyCount(), "properties", path, problems);
    }

    private void ValidateArray(JsonElement schema, JsonElement value, string path, List<string> problems, int depth)
    {
        var prefix = Items(schema, "prefixItems");
        var items = schema.TryGetProperty("items", out var others) ? others : default;
        foreach (var (index, item) in value.EnumerateArray().Index())
        {
            var own = index < prefix.Length ? prefix[index] : items;
            if (own.ValueKind != JsonValueKind.Undefined)
            {
                Validate(own, item, Join(path, index.ToString(CultureInfo.InvariantCulture)), problems, depth);
            }
        }

        Limit(schema, "minItems", "maxItems", value.GetArrayLength(), "items", path, problems);
        if (schema.TryGetProperty("uniqueItems", out var unique) && unique.ValueKind == JsonValueKind.True && HasTwins(value))
        {
            Add(problems, path, "Expected no two items to be the same");
        }
    }

    private void ValidateText(JsonElement schema, string text, string path, List<string> problems)
    {
        Limit(schema, "minLength", "maxLength", new StringInfo(text).LengthInTextElements, "characters", path, problems);
        if (schema.TryGetProperty("pattern", out var pattern) && !IsMatch(_patterns[pattern.GetString()!], text))
        {
            Add(problems, path, $"Expected a text that matches {pattern.GetString()}");
        }
    }

    private static bool IsMatch(Regex pattern, string text)
    {
        try
        {
            return pattern.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    private static void ValidateNumber(JsonElement schema, double number, string path, List<string> problems)
    {
        Bound("minimum", limit => number >= limit, "greater than or equal to");
        Bound("maximum", limit => number <= limit, "less than or equal to");
        Bound("exclusiveMinimum", limit => number > limit, "greater than");
        Bound("exclusiveMaximum", limit => number < limit, "less than");
        Bound("multipleOf", limit => Math.Abs(number / limit - Math.Round(number / limit)) < 1e-9, "a multiple of");

        void Bound(string name, Func<double, bool> holds, string words)
        {
            if (schema.TryGetProperty(name, out var limit) && !holds(limit.GetDouble()))
            {
                Add(problems, path, $"Expected a number {words} {limit}");
            }
        }
    }

    private static void Limit(JsonElement schema, string least, string most, int count, string what, string path, List<string> problems)
    {
        if (schema.TryGetProperty(least, out var min) && count < min.GetDouble())
        {
            Add(problems, path, $"Expected at least {min} {what}, received {count}");
        }

        if (schema.TryGetProperty(most, out var max) && count > max.GetDouble())
        {
            Add(problems, path, $"Expected at most {max} {what}, received {count}");
        }
    }

    // Numbers and texts are told apart by their JSON, so equal values may be written differently: only small arrays are compared in full.
    private static bool HasTwins(JsonElement array)
    {
        var items = array.EnumerateArray().ToArray();
        return items.Length <= 1_000
            ? items.Index().Any(item => items[..item.Index].Any(earlier => JsonElement.DeepEquals(earlier, item.Item)))
            : items.DistinctBy(item => item.GetRawText(), StringComparer.Ordinal).Count() < items.Length;
    }

    private static void Add(List<string> problems, string path, string message) =>
        problems.Add(path.Length == 0 ? message : $"{message} at {path}");

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static JsonElement[] Items(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var list) ? [.. list.EnumerateArray()] : [];
}

/// <summary>What was given as a JSON schema is none. The message says where and what to change.</summary>
public sealed class JsonSchemaException : Exception
{
    /// <summary>The message goes to whoever wrote the schema.</summary>
    public JsonSchemaException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
