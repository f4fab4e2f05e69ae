using System.Globalization;
using System.Text.Json;

namespace Harness.Schemas;

/// <summary>One value held to one schema. For one use.</summary>
internal sealed class SchemaValidation(JsonSchema schema)
{
    private const int MaxIssues = 20;

    // References may go round in circles that a value does not end.
    private const int MaxDepth = 256;

    private static readonly string[] Types = ["string", "number", "integer", "boolean", "object", "array", "null"];

    // Schemas within themselves, and alternatives within alternatives, may ask for more than there is time for.
    private const int MaxChecks = 1_000_000;

    private List<SchemaIssue> _issues = [];
    private int _depth;
    private int _checks;
    private bool _isTrial;

    /// <summary>True for the name of a JSON type.</summary>
    public static bool IsType(string name) => Types.Contains(name);

    public IReadOnlyList<SchemaIssue> Run(JsonElement value, string name)
    {
        Check(schema.Document, value, name);
        return _checks > MaxChecks ? [new SchemaIssue(name, "takes too much work to check against its schema")] : _issues;
    }

    private void Check(JsonElement rule, JsonElement value, string path)
    {
        // A trial asks only whether there is an issue.
        if (_issues.Count >= (_isTrial ? 1 : MaxIssues) || rule.ValueKind == JsonValueKind.True || ++_checks > MaxChecks)
        {
            return;
        }

        if (rule.ValueKind == JsonValueKind.False)
        {
            Add(path, "is not allowed");
            return;
        }

        if (++_depth > MaxDepth)
        {
            Add(path, "is nested too deep for its schema");
        }
        else
        {
            CheckWords(rule, value, path);
        }

        _depth--;
    }

    private void CheckWords(JsonElement rule, JsonElement value, string path)
    {
        if (rule.TryGetProperty("$ref", out var reference))
        {
            Check(schema.Resolve(reference.GetString()!)!.Value, value, path);
        }

        if (rule.TryGetProperty("type", out var type) && !IsOfType(rule, type, value))
        {
            Add(new SchemaIssue(path, $"must be {Describe(type)}, not {WithArticle(TypeOf(value))}") { Expected = Names(type), Received = TypeOf(value) });
            return;
        }

        if (rule.TryGetProperty("enum", out var values) && !values.EnumerateArray().Any(allowed => JsonElement.DeepEquals(allowed, value)))
        {
            Add(path, $"must be one of {string.Join(", ", values.EnumerateArray().Select(allowed => allowed.GetRawText()))}");
        }

        if (rule.TryGetProperty("const", out var only) && !JsonElement.DeepEquals(only, value))
        {
            Add(path, $"must be {only.GetRawText()}");
        }

        CheckKind(rule, value, path);
        CheckCombinations(rule, value, path);
    }

    private void CheckKind(JsonElement rule, JsonElement value, string path)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Number:
                CheckNumber(rule, value, path);
                break;
            case JsonValueKind.String:
                CheckText(rule, value.GetString()!, path);
                break;
            case JsonValueKind.Array:
                CheckArray(rule, value, path);
                break;
            case JsonValueKind.Object:
                CheckObject(rule, value, path);
                break;
            default:
                break;
        }
    }

    private void CheckNumber(JsonElement rule, JsonElement value, string path)
    {
        var number = value.GetDouble();
        if (Number(rule, "minimum") is { } least && number < least)
        {
            Add(path, $"must be at least {Text(least)}");
        }

        if (Number(rule, "maximum") is { } most && number > most)
        {
            Add(path, $"must be at most {Text(most)}");
        }

        if (Number(rule, "exclusiveMinimum") is { } above && number <= above)
        {
            Add(path, $"must be more than {Text(above)}");
        }

        if (Number(rule, "exclusiveMaximum") is { } below && number >= below)
        {
            Add(path, $"must be less than {Text(below)}");
        }

        if (rule.TryGetProperty("multipleOf", out var factor) && !IsMultiple(value, factor))
        {
            Add(path, $"must be a multiple of {factor.GetRawText()}");
        }
    }

    private void CheckText(JsonElement rule, string text, string path)
    {
        CheckCount(rule, "minLength", "maxLength", text.EnumerateRunes().Count(), "characters", path);
        if (rule.TryGetProperty("pattern", out var pattern) && !schema.PatternOf(pattern.GetString()!).IsMatch(text))
        {
            Add(path, $"must match {pattern.GetString()}");
        }
    }

    private void CheckArray(JsonElement rule, JsonElement value, string path)
    {
        var items = value.EnumerateArray().ToList();
        CheckCount(rule, "minItems", "maxItems", items.Count, "items", path);
        if (rule.TryGetProperty("uniqueItems", out var unique) && unique.ValueKind == JsonValueKind.True
            && items.Distinct(JsonEquality.Instance).Count() < items.Count)
        {
            Add(path, "must not have two equal items");
        }

        // An array under `items` is the older way to write `prefixItems`.
        var isTuple = rule.TryGetProperty("prefixItems", out var first) || (rule.TryGetProperty("items", out first) && first.ValueKind == JsonValueKind.Array);
        var fixedCount = isTuple ? Math.Min(first.GetArrayLength(), items.Count) : 0;
        for (var i = 0; i < fixedCount; i++)
        {
            Check(first[i], items[i], $"{path}[{i}]");
        }

        if ((rule.TryGetProperty("items", out var rest) && rest.ValueKind != JsonValueKind.Array) || (isTuple && rule.TryGetProperty("additionalItems", out rest)))
        {
            for (var i = fixedCount; i < items.Count; i++)
            {
                Check(rest, items[i], $"{path}[{i}]");
            }
        }

        if (rule.TryGetProperty("contains", out var contained))
        {
            var count = items.Count(item => IsValid(contained, item));
            if (count < (Number(rule, "minContains") ?? 1) || count > (Number(rule, "maxContains") ?? double.PositiveInfinity))
            {
                Add(path, $"has {count} items of the kind it must contain");
            }
        }
    }

    private void CheckObject(JsonElement rule, JsonElement value, string path)
    {
        CheckCount(rule, "minProperties", "maxProperties", value.EnumerateObject().Count(), "members", path);
        if (rule.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray().Where(name => !value.TryGetProperty(name.GetString()!, out _)))
            {
                Add(SchemaIssue.Missing($"{path}.{name.GetString()}"));
            }
        }

        var hasProperties = rule.TryGetProperty("properties", out var properties);
        var hasPatterns = rule.TryGetProperty("patternProperties", out var patterns);
        var hasNames = rule.TryGetProperty("propertyNames", out var names);
        foreach (var member in value.EnumerateObject())
        {
            var inside = $"{path}.{member.Name}";
            var isKnown = hasProperties && properties.TryGetProperty(member.Name, out _);
            if (isKnown)
            {
                Check(properties.GetProperty(member.Name), member.Value, inside);
            }

            foreach (var pattern in hasPatterns ? patterns.EnumerateObject().Where(pattern => schema.PatternOf(pattern.Name).IsMatch(member.Name)) : [])
            {
                isKnown = true;
                Check(pattern.Value, member.Value, inside);
            }

            if (!isKnown && rule.TryGetProperty("additionalProperties", out var others))
            {
                Check(others, member.Value, inside);
            }

            if (hasNames && !IsValid(names, JsonSerializer.SerializeToElement(member.Name)))
            {
                Add(inside, "has a name that is not allowed");
            }
        }
    }

    private void CheckCombinations(JsonElement rule, JsonElement value, string path)
    {
        if (rule.TryGetProperty("allOf", out var all))
        {
            foreach (var part in all.EnumerateArray())
            {
                Check(part, value, path);
            }
        }

        if (rule.TryGetProperty("anyOf", out var any) && !any.EnumerateArray().Any(part => IsValid(part, value)))
        {
            AddBest(any, value, path);
        }

        if (rule.TryGetProperty("oneOf", out var one) && one.EnumerateArray().Count(part => IsValid(part, value)) is var count and not 1)
        {
            if (count == 0)
            {
                AddBest(one, value, path);
            }
            else
            {
                Add(path, $"is of {count} kinds at once, and must be of one");
            }
        }

        if (rule.TryGetProperty("not", out var not) && IsValid(not, value))
        {
            Add(path, "is of a kind the schema forbids");
        }

        if (rule.TryGetProperty("if", out var condition) && rule.TryGetProperty(IsValid(condition, value) ? "then" : "else", out var consequence))
        {
            Check(consequence, value, path);
        }
    }

    // None fits. With one real alternative beside null its own words help more.
    private void AddBest(JsonElement parts, JsonElement value, string path)
    {
        var real = _isTrial ? [] : parts.EnumerateArray().Where(part => !IsNull(part)).ToList();
        if (real.Count == 1)
        {
            Check(real[0], value, path);
        }
        else
        {
            Add(path, "must be one of the kinds the schema allows");
        }
    }

    private static bool IsNull(JsonElement part) =>
        part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("null"u8);

    private bool IsValid(JsonElement rule, JsonElement value)
    {
        var (outer, wasTrial) = (_issues, _isTrial);
        (_issues, _isTrial) = ([], true);
        Check(rule, value, "");
        var isValid = _issues.Count == 0;
        (_issues, _isTrial) = (outer, wasTrial);
        return isValid;
    }

    private void CheckCount(JsonElement rule, string least, string most, int count, string unit, string path)
    {
        if (Number(rule, least) is { } min && count < min)
        {
            Add(path, $"must have at least {Text(min)} {unit}; it has {count}");
        }

        if (Number(rule, most) is { } max && count > max)
        {
            Add(path, $"must have at most {Text(max)} {unit}; it has {count}");
        }
    }

    private void Add(string path, string message) => Add(new SchemaIssue(path, message));

    private void Add(SchemaIssue issue)
    {
        if (_issues.Count < MaxIssues)
        {
            _issues.Add(issue);
        }
    }

    private static bool IsOfType(JsonElement rule, JsonElement type, JsonElement value)
    {
        // OpenAPI's way to allow null.
        if (value.ValueKind == JsonValueKind.Null && rule.TryGetProperty("nullable", out var nullable) && nullable.ValueKind == JsonValueKind.True)
        {
            return true;
        }

        return type.ValueKind == JsonValueKind.Array
            ? type.EnumerateArray().Any(name => IsOfType(name.GetString()!, value))
            : IsOfType(type.GetString()!, value);
    }

    private static bool IsOfType(string type, JsonElement value) => type switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && IsWhole(value),
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        _ => value.ValueKind == JsonValueKind.Null,
    };

    private static bool IsWhole(JsonElement value) =>
        value.TryGetInt64(out _) || (value.TryGetDouble(out var number) && Math.Floor(number) == number && !double.IsInfinity(number));

    private static bool IsMultiple(JsonElement value, JsonElement factor) =>
        value.TryGetDecimal(out var number) && factor.TryGetDecimal(out var unit)
            ? unit > 0 && number % unit == 0
            : Math.Abs(Math.IEEERemainder(value.GetDouble(), factor.GetDouble())) < 1e-9;

    // A word of another type than it should be (`exclusiveMinimum: true` of an older draft) says nothing.
    private static double? Number(JsonElement rule, string word) =>
        rule.TryGetProperty(word, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Describe(JsonElement type) => type.ValueKind == JsonValueKind.Array
        ? string.Join(" or ", type.EnumerateArray().Select(name => WithArticle(name.GetString()!)))
        : WithArticle(type.GetString()!);

    private static string Names(JsonElement type) => type.ValueKind == JsonValueKind.Array
        ? string.Join(" or ", type.EnumerateArray().Select(name => name.GetString()))
        : type.GetString()!;

    private static string TypeOf(JsonElement value) => Types.First(type => IsOfType(type, value));

    private static string WithArticle(string type) => type switch
    {
        "null" => "null",
        "integer" => "a whole number",
        "object" or "array" => $"an {type}",
        _ => $"a {type}",
    };
}
