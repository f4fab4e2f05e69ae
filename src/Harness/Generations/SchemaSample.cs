using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Harness.Generations;

/// <summary>
/// Makes an object up that fits a schema, with values found in a text where they are as plain as <c>City: Wonderland</c>: what the scripted
/// model answers when no rule has an object. It reads, and understands nothing.
/// </summary>
internal static partial class SchemaSample
{
    private const int MaxDepth = 16;

    /// <summary>A value for the schema.</summary>
    public static JsonElement Make(JsonElement schema, string text) => JsonSerializer.SerializeToElement(Value(schema, "", text, 0));

    private static JsonNode? Value(JsonElement schema, string name, string text, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > MaxDepth)
        {
            return null;
        }

        if (schema.TryGetProperty("const", out var only))
        {
            return JsonSerializer.SerializeToNode(only);
        }

        if (schema.TryGetProperty("enum", out var values) && values.GetArrayLength() > 0)
        {
            var named = values.EnumerateArray().Where(value => text.Contains(value.ToString(), StringComparison.OrdinalIgnoreCase));
            return JsonSerializer.SerializeToNode(named.Append(values[0]).First());
        }

        return TypeOf(schema) switch
        {
            "object" => Members(schema, text, depth),
            "array" => new JsonArray([.. Enumerable.Range(0, Count(schema, "minItems")).Select(_ => Value(Items(schema), name, text, depth + 1))]),
            "number" => JsonValue.Create(Number(schema, name, text)),
            "integer" => JsonValue.Create((long)Math.Ceiling(Number(schema, name, text))),
            "boolean" => JsonValue.Create(Said(name, text) is "true" or "yes"),
            "string" => JsonValue.Create(Text(schema, name, text)),
            _ => null,
        };
    }

    private static JsonObject Members(JsonElement schema, string text, int depth)
    {
        var members = new JsonObject();
        if (schema.TryGetProperty("properties", out var properties))
        {
            foreach (var property in properties.EnumerateObject())
            {
                members[property.Name] = Value(property.Value, property.Name, text, depth + 1);
            }
        }

        return members;
    }

    private static string? TypeOf(JsonElement schema) => schema.TryGetProperty("type", out var type)
        ? type.ValueKind == JsonValueKind.Array ? type[0].GetString() : type.GetString()
        : schema.TryGetProperty("properties", out _) ? "object" : "string";

    private static double Number(JsonElement schema, string name, string text)
    {
        var found = NumberInText().Match(Said(name, text) is { } said && NumberInText().IsMatch(said) ? said : text);
        var number = found.Success ? double.Parse(found.Value, CultureInfo.InvariantCulture) : 0;
        var least = schema.TryGetProperty("minimum", out var minimum) ? minimum.GetDouble() : double.MinValue;
        var most = schema.TryGetProperty("maximum", out var maximum) ? maximum.GetDouble() : double.MaxValue;
        return Math.Max(least, Math.Min(most, number));
    }

    private static string Text(JsonElement schema, string name, string text)
    {
        var colon = text.IndexOf(": ", StringComparison.Ordinal);
        var subject = NamesInText().Match(colon < 0 ? text : text[(colon + 2)..]);
        var value = Said(name, text) ?? (subject.Success ? subject.Value : text);
        var most = schema.TryGetProperty("maxLength", out var limit) ? Math.Min(limit.GetDouble(), value.Length) : value.Length;
        return value[..(int)most].PadRight(Count(schema, "minLength"), '.');
    }

    // "City: Wonderland" says the city.
    private static string? Said(string name, string text)
    {
        var at = name.Length == 0 ? -1 : text.IndexOf(name + ": ", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            return null;
        }

        var value = text[(at + name.Length + 2)..];
        var end = value.AsSpan().IndexOfAny(",;\n");
        return (end < 0 ? value : value[..end]).Trim();
    }

    private static int Count(JsonElement schema, string name) => schema.TryGetProperty(name, out var count) ? (int)Math.Min(count.GetDouble(), 100) : 0;

    private static JsonElement Items(JsonElement schema) => schema.TryGetProperty("items", out var items) ? items : default;

    [GeneratedRegex(@"-?\d+(\.\d+)?")]
    private static partial Regex NumberInText();

    [GeneratedRegex(@"\p{Lu}\w+( \p{Lu}\w+)*")]
    private static partial Regex NamesInText();
}
