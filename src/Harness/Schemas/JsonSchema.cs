using System.Text.Json;
using System.Text.Json.Schema;
using System.Text.RegularExpressions;

namespace Harness.Schemas;

/// <summary>
/// A JSON schema that values are really held to: types, <c>enum</c>, <c>const</c>, numbers, texts, arrays, objects, <c>allOf</c>,
/// <c>anyOf</c>, <c>oneOf</c>, <c>not</c>, <c>if</c>, and <c>$ref</c> within the document. <c>format</c> and words that are not known are
/// notes for people, as the standard has it. Immutable, thread-safe.
/// </summary>
public sealed class JsonSchema
{
    private const int MaxDepth = 64;

    // A pattern of a client's schema must not be able to hold a thread.
    private const RegexOptions PatternOptions = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private static readonly TimeSpan PatternTimeLimit = TimeSpan.FromSeconds(1);

    private static readonly JsonSchemaExporterOptions Exported = new() { TreatNullObliviousAsNonNullable = true };

    private readonly Dictionary<string, Regex> _patterns = new(StringComparer.Ordinal);

    private JsonSchema(JsonElement document) => Document = document;

    /// <summary>The schema as it was written.</summary>
    public JsonElement Document { get; }

    /// <summary>Takes a schema.</summary>
    /// <param name="document">A JSON object, or true or false; copied.</param>
    /// <exception cref="JsonSchemaException">It is none; says where and what to change.</exception>
    public static JsonSchema Parse(JsonElement document)
    {
        var schema = new JsonSchema(document.Clone());
        schema.Check(schema.Document, "schema", 0);
        return schema;
    }

    /// <summary>The schema of a .NET type as it is written to JSON; null for a type that allows anything, such as <see cref="JsonElement"/>.</summary>
    public static JsonSchema? Of(Type type, JsonSerializerOptions options)
    {
        var node = options.GetJsonSchemaAsNode(type, Exported);
        return node.GetValueKind() == JsonValueKind.Object && node.AsObject().Count > 0
            ? Parse(JsonSerializer.SerializeToElement(node))
            : null;
    }

    /// <summary>What is wrong with a value, twenty things at most; empty: nothing.</summary>
    /// <param name="value">The value; one that is undefined is held to be missing.</param>
    /// <param name="name">What the value is called in the messages.</param>
    public IReadOnlyList<SchemaIssue> Validate(JsonElement value, string name = "value") =>
        value.ValueKind == JsonValueKind.Undefined
            ? [SchemaIssue.Missing(name)]
            : new SchemaValidation(this).Run(value, name);

    /// <summary>The schema that a <c>$ref</c> of this document means; null: there is none.</summary>
    internal JsonElement? Resolve(string reference)
    {
        if (reference == "#")
        {
            return Document;
        }

        if (!reference.StartsWith("#/", StringComparison.Ordinal))
        {
            return null;
        }

        var found = Document;
        foreach (var part in reference[2..].Split('/'))
        {
            var name = Uri.UnescapeDataString(part).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty(name, out found))
            {
                return null;
            }
        }

        return found;
    }

    /// <summary>The compiled form of a pattern of this schema.</summary>
    internal Regex PatternOf(string pattern) => _patterns[pattern];

    // What would never match, or always, is found here and not when the first value comes.
    private void Check(JsonElement schema, string path, int depth)
    {
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
            case "items" or "additionalProperties" or "additionalItems" or "contains" or "propertyNames" or "not" or "if" or "then" or "else"
                when value.ValueKind != JsonValueKind.Array:
                Check(value, path, depth);
                break;
            case "items" or "prefixItems" or "allOf" or "anyOf" or "oneOf":
                CheckList(value, path, depth);
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
                var isPlace = value.ValueKind == JsonValueKind.String
                    && Resolve(value.GetString()!) is { ValueKind: JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False };
                Demand(isPlace, path, "a place in this schema, such as #/$defs/name");
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
            _patterns[pattern] = new Regex(pattern, PatternOptions, PatternTimeLimit);
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

/// <summary>One thing that is wrong with a value.</summary>
/// <param name="Path">Where, such as <c>input.items[2].name</c>.</param>
/// <param name="Message">What, as the rest of a sentence that begins with the path.</param>
public sealed record SchemaIssue(string Path, string Message)
{
    /// <summary>What would have fitted, in the schema's words; null: the type is not what is wrong.</summary>
    public string? Expected { get; init; }

    /// <summary>What came in its place, beside <see cref="Expected"/>.</summary>
    public string? Received { get; init; }

    /// <summary>True when nothing is there.</summary>
    public bool IsMissing { get; init; }

    /// <summary>The whole sentence.</summary>
    public override string ToString() => $"{Path} {Message}";

    internal static SchemaIssue Missing(string path) => new(path, "is missing") { IsMissing = true };

    /// <summary>Several as one text.</summary>
    public static string Join(IEnumerable<SchemaIssue> issues) => string.Join("; ", issues);
}

/// <summary>A schema that is none. The message says where and what to change.</summary>
public sealed class JsonSchemaException : Exception
{
    /// <inheritdoc cref="JsonSchemaException"/>
    public JsonSchemaException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
