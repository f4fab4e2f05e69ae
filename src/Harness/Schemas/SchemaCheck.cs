using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Harness.Schemas;

/// <summary>What would never match, or always, is found here and not when the first value comes. For one use.</summary>
internal sealed class SchemaCheck
{
    private const int MaxDepth = 64;

    // A pattern of a client's schema must not be able to hold a thread.
    private const RegexOptions PatternOptions = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private static readonly TimeSpan PatternTimeLimit = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, Regex> _patterns = new(StringComparer.Ordinal);
    private readonly HashSet<int> _seen = [];
    private readonly Queue<(JsonElement Schema, string Path)> _targets = [];
    private readonly JsonSchema _schema;

    private SchemaCheck(JsonSchema schema) => _schema = schema;

    /// <summary>The compiled patterns of a schema.</summary>
    /// <exception cref="JsonSchemaException">It is none.</exception>
    public static IReadOnlyDictionary<string, Regex> Run(JsonSchema schema)
    {
        var check = new SchemaCheck(schema);
        check.Check(schema.Document, "schema", 0);
        // A reference may mean a place that no word of the schema leads to.
        while (check._targets.TryDequeue(out var target))
        {
            check.Check(target.Schema, target.Path, 0);
        }

        return check._patterns;
    }

    private void Check(JsonElement schema, string path, int depth)
    {
        // Seen before, from another reference; each has a place of its own in the document's text.
        JsonMarshal.GetRawUtf8Value(_schema.Document).Overlaps(JsonMarshal.GetRawUtf8Value(schema), out var place);
        if (!_seen.Add(place))
        {
            return;
        }

        if (depth > MaxDepth)
        {
            throw new JsonSchemaException($"{path}: schemas may be nested {MaxDepth} deep at most");
        }

        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return;
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            throw new JsonSchemaException($"{path} must be a JSON schema: an object, true or false");
        }

        foreach (var word in schema.EnumerateObject())
        {
            CheckWord(word.Name, word.Value, $"{path}.{word.Name}", depth + 1);
        }
    }

    private void CheckWord(string word, JsonElement value, string path, int depth)
    {
        switch (word)
        {
            case "type":
                CheckType(value, path);
                break;
            case "properties" or "$defs" or "definitions" or "dependentSchemas":
                CheckMembers(value, path, depth, isPattern: false);
                break;
            case "patternProperties":
                CheckMembers(value, path, depth, isPattern: true);
                break;
            case "items" when value.ValueKind == JsonValueKind.Array:
            case "prefixItems" or "allOf" or "anyOf" or "oneOf":
                CheckList(value, path, depth);
                break;
            case "items" or "additionalProperties" or "additionalItems" or "contains" or "propertyNames" or "not" or "if" or "then" or "else":
                Check(value, path, depth);
                break;
            case "required":
                Demand(IsListOf(value, JsonValueKind.String), path, "a list of names");
                break;
            case "enum":
                Demand(value.ValueKind == JsonValueKind.Array, path, "a list of values");
                break;
            case "pattern":
                Demand(value.ValueKind == JsonValueKind.String, path, "a regular expression");
                Compile(value.GetString()!, path);
                break;
            case "$ref":
                var target = value.ValueKind == JsonValueKind.String ? _schema.Resolve(value.GetString()!) : null;
                var isPlace = target is { ValueKind: JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False };
                Demand(isPlace, path, "a place in this schema, such as #/$defs/name");
                _targets.Enqueue((target!.Value, $"schema{value.GetString()}"));
                break;
            case "minimum" or "maximum" or "multipleOf":
                Demand(value.ValueKind == JsonValueKind.Number, path, "a number");
                break;
            case "minLength" or "maxLength" or "minItems" or "maxItems" or "minProperties" or "maxProperties" or "minContains" or "maxContains":
                Demand(value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var count) && count >= 0, path, "a whole number from 0");
                break;
            default:
                break;
        }
    }

    private static void CheckType(JsonElement value, string path)
    {
        var names = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : new List<JsonElement> { value };
        Demand(
            names.Count > 0 && names.TrueForAll(name => name.ValueKind == JsonValueKind.String && SchemaValidation.IsType(name.GetString()!)),
            path,
            "one of string, number, integer, boolean, object, array and null, or a list of them");
    }

    private void CheckMembers(JsonElement value, string path, int depth, bool isPattern)
    {
        Demand(value.ValueKind == JsonValueKind.Object, path, "an object of schemas");
        foreach (var member in value.EnumerateObject())
        {
            if (isPattern)
            {
                Compile(member.Name, path);
            }

            Check(member.Value, $"{path}.{member.Name}", depth);
        }
    }

    private void CheckList(JsonElement value, string path, int depth)
    {
        Demand(value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0, path, "a list of schemas");
        foreach (var (index, item) in value.EnumerateArray().Index())
        {
            Check(item, $"{path}[{index}]", depth);
        }
    }

    private void Compile(string pattern, string path)
    {
        try
        {
            // What is wrong is said of the pattern as it was written.
            _ = new Regex(pattern, RegexOptions.CultureInvariant, PatternTimeLimit);
            _patterns[pattern] = new Regex(SchemaPattern.Translate(pattern), PatternOptions, PatternTimeLimit);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw new JsonSchemaException($"{path} is no regular expression this server can use: {exception.Message}", exception);
        }
    }

    private static bool IsListOf(JsonElement value, JsonValueKind kind) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == kind);

    private static void Demand(bool isMet, string path, string demand)
    {
        if (!isMet)
        {
            throw new JsonSchemaException($"{path} must be {demand}");
        }
    }
}
