using System.Runtime.InteropServices;
using System.Text.Json;

namespace Harness.Executions;

/// <summary>How deep JSON may be nested. .NET's own limit, and that of many clients, is 64 levels.</summary>
public static class JsonDepth
{
    /// <summary>
    /// Deepest nesting of one value that workflows and agents are given or give: frames, answers and lists put up to ten levels around it, and
    /// clients with a limit of 64 still read those.
    /// </summary>
    public const int MaxValue = 50;

    /// <summary>Deepest nesting of an event's data; a body that has more is refused.</summary>
    public const int MaxEvent = 64;

    /// <summary>Deepest nesting that is read of what is in a log, in a store, or comes from a server: more than can get there.</summary>
    public const int MaxKept = 512;

    /// <summary>For reading what is kept: it was taken once, and is not refused any more.</summary>
    public static JsonDocumentOptions Kept { get; } = new() { MaxDepth = MaxKept };

    /// <summary>Null when the value is flat enough; else what is wrong, to go after its name.</summary>
    public static string? Refuse(JsonElement value)
    {
        if (value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
        {
            return null;
        }

        var reader = new Utf8JsonReader(JsonMarshal.GetRawUtf8Value(value), new JsonReaderOptions { MaxDepth = MaxKept });
        while (reader.Read())
        {
            if (reader.CurrentDepth >= MaxValue && reader.TokenType is (JsonTokenType.StartObject or JsonTokenType.StartArray))
            {
                return $"is nested deeper than {MaxValue} levels; send what is inside as a text, or less of it";
            }
        }

        return null;
    }
}
