using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Harness.Workflows;

/// <summary>
/// A value of a file with places for others: <c>{{input.name}}</c>. A text that is one such place becomes the value itself; in a longer text
/// a value is written as text, and nothing where there is none.
/// </summary>
internal sealed class Template
{
    private readonly JsonElement _literal;
    private readonly IReadOnlyList<(string Text, Reference? Reference)>? _parts;
    private readonly IReadOnlyList<Template>? _items;
    private readonly IReadOnlyList<(string Name, Template Value)>? _members;

    private Template(JsonElement literal) => _literal = literal;

    private Template(IReadOnlyList<(string, Reference?)> parts) => _parts = parts;

    private Template(IReadOnlyList<Template> items) => _items = items;

    private Template(IReadOnlyList<(string, Template)> members) => _members = members;

    /// <summary>Steps that are looked at, as <see cref="Reference.StepPath"/>.</summary>
    public IEnumerable<string> StepPaths => (_parts ?? []).Select(part => part.Reference?.StepPath).OfType<string>()
        .Concat((_items ?? []).SelectMany(item => item.StepPaths))
        .Concat((_members ?? []).SelectMany(member => member.Value.StepPaths));

    /// <summary>Reads any value.</summary>
    /// <exception cref="WorkflowFormatException">A place looks at nothing that is there.</exception>
    public static Template Parse(YamlValue value, bool allowsSecrets = false)
    {
        if (value.IsList)
        {
            return new Template([.. value.Items().Select(item => Parse(item, allowsSecrets))]);
        }

        if (value.IsMap)
        {
            return new Template([.. value.AllMembers().Select(member => (member.Name, Parse(member.Value, allowsSecrets)))]);
        }

        var literal = value.Json();
        return literal.ValueKind == JsonValueKind.String && literal.GetString()!.Contains("{{", StringComparison.Ordinal)
            ? new Template(ParseText(literal.GetString()!, value, allowsSecrets))
            : new Template(literal);
    }

    /// <summary>The value of this moment.</summary>
    public JsonElement Evaluate(StepContext context)
    {
        if (_parts is null && _items is null && _members is null)
        {
            return _literal;
        }

        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes))
        {
            Write(json, context);
        }

        return JsonElement.Parse(bytes.WrittenSpan);
    }

    /// <summary>The value of this moment as a text.</summary>
    public string EvaluateText(StepContext context) => AsText(Evaluate(context));

    /// <summary>The value of this moment as a text.</summary>
    /// <param name="context">Where values are.</param>
    /// <param name="encode">
    /// What to write for a value within a longer text, given what stands before it and the value. <c>env</c> is written as it is.
    /// </param>
    public string EvaluateText(StepContext context, Func<string, string, string> encode)
    {
        if (_parts is null or [{ Text: "", Reference: not null }])
        {
            return EvaluateText(context);
        }

        var written = new StringBuilder();
        foreach (var (text, reference) in _parts)
        {
            written.Append(text);
            if (reference is not null)
            {
                var value = AsText(reference.Find(context));
                written.Append(reference.IsEnvironment ? value : encode(written.ToString(), value));
            }
        }

        return written.ToString();
    }

    private void Write(Utf8JsonWriter json, StepContext context)
    {
        if (_members is not null)
        {
            json.WriteStartObject();
            foreach (var (name, value) in _members)
            {
                json.WritePropertyName(name);
                value.Write(json, context);
            }

            json.WriteEndObject();
        }
        else if (_items is not null)
        {
            json.WriteStartArray();
            foreach (var item in _items)
            {
                item.Write(json, context);
            }

            json.WriteEndArray();
        }
        else if (_parts is [{ Text: "", Reference: { } only }])
        {
            only.Find(context).WriteTo(json);
        }
        else if (_parts is not null)
        {
            json.WriteStringValue(string.Concat(_parts.Select(part => part.Text + (part.Reference is { } found ? AsText(found.Find(context)) : ""))));
        }
        else
        {
            _literal.WriteTo(json);
        }
    }

    private static string AsText(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null or JsonValueKind.Undefined => "",
        _ => value.GetRawText(),
    };

    private static List<(string, Reference?)> ParseText(string text, YamlValue place, bool allowsSecrets)
    {
        var parts = new List<(string, Reference?)>();
        var before = new StringBuilder();
        while (text.IndexOf("{{", StringComparison.Ordinal) is var start and >= 0)
        {
            var end = text.IndexOf("}}", start, StringComparison.Ordinal);
            if (end < 0)
            {
                throw place.Error("'{{' has no '}}'");
            }

            before.Append(text.AsSpan(0, start));
            parts.Add((before.ToString(), Reference.Parse(text[(start + 2)..end], place, allowsSecrets)));
            before.Clear();
            text = text[(end + 2)..];
        }

        if (text.Length > 0)
        {
            parts.Add((text, null));
        }

        return parts;
    }
}
