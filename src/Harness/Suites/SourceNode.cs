using System.Text;
using System.Text.Json;
using Harness.Agents;

namespace Harness.Suites;

/// <summary>What kind of value stands in a suite's source.</summary>
internal enum SourceKind
{
    Null,
    Text,
    Number,
    Flag,
    List,
    Map,
}

/// <summary>A value as it stands in a suite's source, whatever the format: the one thing that both readers give to the parser.</summary>
internal sealed class SourceNode
{
    private readonly JsonElement _json;

    private SourceNode(SourceKind kind, JsonElement json = default) => (Kind, _json) = (kind, json);

    public SourceKind Kind { get; }

    /// <summary>A scalar as written; empty for lists and maps.</summary>
    public string Text { get; private init; } = "";

    /// <summary>True where a number or a flag in place of a text is meant as the text (YAML needs no quotes).</summary>
    public bool Lenient { get; private init; }

    /// <summary>From 1; 0 where the format has no lines (JSON that came over a wire).</summary>
    public int Line { get; private init; }

    // JSON is looked into only where the parser goes, so that a large request does not become a larger tree.
    public IReadOnlyList<SourceNode> Items
    {
        get => field ??= _json.ValueKind == JsonValueKind.Array ? [.. _json.EnumerateArray().Select(Of)] : [];
        private init;
    }

    public IReadOnlyList<KeyValuePair<string, SourceNode>> Entries
    {
        get => field ??= _json.ValueKind == JsonValueKind.Object ? [.. _json.EnumerateObject().Select(OfMember)] : [];
        private init;
    }

    /// <summary>Values in it with every alias counted where it is used, so that a file of aliases shows its real size.</summary>
    public long Size { get; private init; } = 1;

    public static SourceNode Scalar(SourceKind kind, string text, int line) => new(kind) { Text = text, Line = line, Lenient = true };

    public static SourceNode List(IReadOnlyList<SourceNode> items, int line) =>
        new(SourceKind.List) { Items = items, Line = line, Size = Sum(items) };

    public static SourceNode Map(IReadOnlyList<KeyValuePair<string, SourceNode>> entries, int line) =>
        new(SourceKind.Map) { Entries = entries, Line = line, Size = Sum(entries.Select(entry => entry.Value)) };

    public static SourceNode Of(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => new(SourceKind.Map, json),
        JsonValueKind.Array => new(SourceKind.List, json),
        JsonValueKind.String => new(SourceKind.Text, json) { Text = Decode(json, text => text.GetString()!) },
        JsonValueKind.Number => new(SourceKind.Number, json) { Text = json.GetRawText() },
        JsonValueKind.True or JsonValueKind.False => new(SourceKind.Flag, json) { Text = json.GetRawText() },
        _ => new(SourceKind.Null, json),
    };

    /// <summary>The last member of that name.</summary>
    /// <param name="name">As <see cref="AgentJson.IsSameName"/> takes it.</param>
    /// <param name="written">The name as its author wrote it.</param>
    public SourceNode? Find(string name, out string written)
    {
        for (var index = Entries.Count - 1; index >= 0; index--)
        {
            if (AgentJson.IsSameName(Entries[index].Key, name))
            {
                (written, var value) = Entries[index];
                return value;
            }
        }

        written = name;
        return null;
    }

    /// <summary>The value as JSON, with the types of the YAML 1.2 core schema.</summary>
    public JsonElement ToJson()
    {
        if (_json.ValueKind != JsonValueKind.Undefined)
        {
            return _json.Clone();
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer);
        }

        return JsonElement.Parse(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private static KeyValuePair<string, SourceNode> OfMember(JsonProperty member) =>
        KeyValuePair.Create(Decode(member, named => named.Name), Of(member.Value));

    // JSON may escape one half of a surrogate pair; .NET finds out when the string is read.
    private static string Decode<T>(T source, Func<T, string> read)
    {
        try
        {
            return read(source);
        }
        catch (InvalidOperationException error)
        {
            throw new SuiteFormatException("a string holds one half of a surrogate pair (such as \\ud83d alone); write the whole character", error);
        }
    }

    private static long Sum(IEnumerable<SourceNode> nodes) =>
        nodes.Aggregate(1L, (sum, node) => Math.Min(long.MaxValue / 2, sum + node.Size));

    private void Write(Utf8JsonWriter writer)
    {
        switch (Kind)
        {
            case SourceKind.Map:
                writer.WriteStartObject();
                foreach (var (key, value) in Entries)
                {
                    writer.WritePropertyName(key);
                    value.Write(writer);
                }

                writer.WriteEndObject();
                break;
            case SourceKind.List:
                writer.WriteStartArray();
                foreach (var item in Items)
                {
                    item.Write(writer);
                }

                writer.WriteEndArray();
                break;
            case SourceKind.Number:
                writer.WriteRawValue(YamlScalar.ToJsonNumber(Text));
                break;
            case SourceKind.Flag:
                writer.WriteBooleanValue(YamlScalar.IsTrue(Text));
                break;
            case SourceKind.Text:
                writer.WriteStringValue(Text);
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }
}
