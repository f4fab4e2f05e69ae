using System.Text.Json;
using System.Text.RegularExpressions;

namespace Harness.Schemas;

/// <content>Reading a schema: what is checked here cannot go wrong later.</content>
public sealed partial class JsonSchema
{
    private static readonly string[] Types = ["string", "number", "integer", "boolean", "object", "array", "null"];
    private static readonly string[] Numbers =
    [
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems",
        "minProperties", "maxProperties",
    ];

    private static readonly string[] Single = ["additionalProperties", "items", "not"];
    private static readonly string[] Lists = ["anyOf", "oneOf", "allOf", "prefixItems"];
    private static readonly string[] Maps = ["properties", "$defs", "definitions"];

    private void Check(JsonElement schema, string path, int depth)
    {
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return;
        }

        Require(schema.ValueKind == JsonValueKind.Object, path, "an object such as {\"type\":\"string\"}");
        Require(depth <= MaxDepth, path, $"at most {MaxDepth} levels deep");
        CheckType(schema, path);
        CheckScalars(schema, path);
        foreach (var name in Single.Where(name => schema.TryGetProperty(name, out _)))
        {
            Check(schema.GetProperty(name), $"{path}.{name}", depth + 1);
        }

        foreach (var name in Lists.Where(name => schema.TryGetProperty(name, out _)))
        {
            var list = schema.GetProperty(name);
            Require(list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0, $"{path}.{name}", "a list of schemas");
            foreach (var (index, item) in list.EnumerateArray().Index())
            {
                Check(item, $"{path}.{name}[{index}]", depth + 1);
            }
        }

        foreach (var name in Maps.Where(name => schema.TryGetProperty(name, out _)))
        {
            var map = schema.GetProperty(name);
            Require(map.ValueKind == JsonValueKind.Object, $"{path}.{name}", "an object of names and schemas");
            foreach (var property in map.EnumerateObject())
            {
                Check(property.Value, $"{path}.{name}.{property.Name}", depth + 1);
            }
        }
    }

    private static void CheckType(JsonElement schema, string path)
    {
        if (!schema.TryGetProperty("type", out var type))
        {
            return;
        }

        var names = type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().ToArray() : [type];
        var good = names.Length > 0 && names.All(name => name.ValueKind == JsonValueKind.String && Types.Contains(name.GetString()));
        Require(good, $"{path}.type", $"one of {string.Join(", ", Types)}, or a list of them");
    }

    private void CheckScalars(JsonElement schema, string path)
    {
        foreach (var name in Numbers)
        {
            var good = !schema.TryGetProperty(name, out var number) || number.ValueKind == JsonValueKind.Number;
            Require(good, $"{path}.{name}", "a number");
            Require(name != "multipleOf" || number.ValueKind == JsonValueKind.Undefined || number.GetDouble() > 0, $"{path}.{name}", "a number over 0");
        }

        if (schema.TryGetProperty("required", out var required))
        {
            var good = required.ValueKind == JsonValueKind.Array && required.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String);
            Require(good, $"{path}.required", "a list of names");
        }

        Require(!schema.TryGetProperty("enum", out var values) || values.ValueKind == JsonValueKind.Array, $"{path}.enum", "a list of values");
        if (schema.TryGetProperty("$ref", out var reference))
        {
            var good = reference.ValueKind == JsonValueKind.String && Resolve(reference.GetString()!) is not null;
            Require(good, $"{path}.$ref", "a place in this schema, such as #/$defs/name");
        }

        if (schema.TryGetProperty("pattern", out var pattern))
        {
            Require(pattern.ValueKind == JsonValueKind.String, $"{path}.pattern", "a text");
            AddPattern(pattern.GetString()!, path);
        }
    }

    // Linear in the text wherever that can be; patterns that look around or back have a time limit instead.
    private void AddPattern(string pattern, string path)
    {
        try
        {
            _patterns[pattern] = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, PatternTimeLimit);
        }
        catch (NotSupportedException)
        {
            _patterns[pattern] = new Regex(pattern, RegexOptions.CultureInvariant, PatternTimeLimit);
        }
        catch (ArgumentException e)
        {
            throw new JsonSchemaException($"{path}.pattern cannot be used: {e.Message}", e);
        }
    }

    private JsonElement? Resolve(string reference)
    {
        if (!reference.StartsWith('#'))
        {
            return null;
        }

        var place = _root;
        foreach (var step in reference[1..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (place.ValueKind != JsonValueKind.Object || !place.TryGetProperty(name, out place))
            {
                return null;
            }
        }

        return place.ValueKind is JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False ? place : null;
    }

    private static bool HasType(JsonElement type, JsonElement value, bool isNullable) =>
        (isNullable && value.ValueKind == JsonValueKind.Null)
        || (type.ValueKind == JsonValueKind.Array
            ? type.EnumerateArray().Any(one => HasType(one.GetString()!, value))
            : HasType(type.GetString()!, value));

    private static bool HasType(string type, JsonElement value) => type switch
    {
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && Math.Floor(number) == number,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        _ => type == TypeOf(value),
    };

    private static bool IsNullable(JsonElement schema) =>
        schema.TryGetProperty("nullable", out var nullable) && nullable.ValueKind == JsonValueKind.True;

    private static string Words(JsonElement type) =>
        type.ValueKind == JsonValueKind.Array ? string.Join(" or ", type.EnumerateArray()) : type.GetString()!;

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.Null => "null",
        JsonValueKind.Undefined => "nothing",
        _ => "boolean",
    };

    private static void Require(bool good, string path, string expected)
    {
        if (!good)
        {
            throw new JsonSchemaException($"{path} must be {expected}");
        }
    }
}
