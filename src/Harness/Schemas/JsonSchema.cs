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
    private static readonly JsonSchemaExporterOptions Exported = new() { TreatNullObliviousAsNonNullable = true };

    private readonly IReadOnlyDictionary<string, Regex> _patterns;

    private JsonSchema(JsonElement document)
    {
        Document = document;
        _patterns = SchemaCheck.Run(this);
    }

    /// <summary>The schema as it was written.</summary>
    public JsonElement Document { get; }

    /// <summary>Takes a schema.</summary>
    /// <param name="document">A JSON object, or true or false; copied.</param>
    /// <exception cref="JsonSchemaException">It is none; says where and what to change.</exception>
    public static JsonSchema Parse(JsonElement document) => new(document.Clone());

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
