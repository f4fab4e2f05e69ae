using System.Text.Json;

namespace Harness.Agents;

/// <summary>A value of a script with its place, so that whoever reads it can say what is wrong where.</summary>
internal readonly record struct ScriptNode(JsonElement Value, string Path, ScriptSource Source)
{
    /// <summary>An error about this value that says what to change.</summary>
    public AgentException Error(string message) => new($"{Source.Where(Path)}: {message}");

    /// <summary>A property; null when it is not there or null.</summary>
    public ScriptNode? Find(string name) =>
        Value.TryGetProperty(name, out var property) && property.ValueKind != JsonValueKind.Null
            ? new ScriptNode(property, Path.Length == 0 ? name : $"{Path}.{name}", Source)
            : null;

    /// <summary>The value, which must be an object with no other properties than these.</summary>
    public ScriptNode Object(params ReadOnlySpan<string> names)
    {
        if (Value.ValueKind != JsonValueKind.Object)
        {
            throw Error($"a mapping is expected here, with {List(names)}");
        }

        foreach (var property in Value.EnumerateObject())
        {
            if (!names.Contains(property.Name))
            {
                throw (Find(property.Name) ?? this).Error($"'{Excerpt.Of(property.Name, [])}' is not known here; known are {List(names)}");
            }
        }

        return this;
    }

    /// <summary>The items of a list.</summary>
    public IEnumerable<ScriptNode> Items()
    {
        var (path, source) = (Path, Source);
        return Value.ValueKind == JsonValueKind.Array
            ? Value.EnumerateArray().Select((item, index) => new ScriptNode(item, $"{path}[{index}]", source))
            : throw Error("a list is expected here");
    }

    /// <summary>The names and values of a mapping.</summary>
    public IEnumerable<(string Name, ScriptNode Value)> Properties()
    {
        var (path, source) = (Path, Source);
        return Value.ValueKind == JsonValueKind.Object
            ? Value.EnumerateObject().Select(item => (item.Name, new ScriptNode(item.Value, $"{path}.{item.Name}", source)))
            : throw Error("a mapping of names to values is expected here");
    }

    /// <summary>A text; a number or a boolean is taken as it is written.</summary>
    public string Text() => Value.ValueKind switch
    {
        JsonValueKind.String => Value.GetString()!,
        JsonValueKind.Number => Value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => throw Error("a text is expected here"),
    };

    /// <summary>One text, or a list of them that is not empty.</summary>
    public IReadOnlyList<string> Texts()
    {
        if (Value.ValueKind != JsonValueKind.Array)
        {
            return [Text()];
        }

        var texts = Items().Select(item => item.Text()).ToArray();
        return texts.Length > 0 ? texts : throw Error("a text or a list of texts is expected here; the list is empty");
    }

    private static string List(ReadOnlySpan<string> names) => string.Join(", ", names);
}
