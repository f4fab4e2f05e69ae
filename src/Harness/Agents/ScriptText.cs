using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Harness.Agents;

/// <summary>Fills the placeholders of one reply, within a limit for all of it: variables that hold themselves would double each turn.</summary>
internal sealed partial class ScriptText
{
    private readonly ScriptTurn _turn;
    private readonly IReadOnlyDictionary<string, JsonElement> _variables;
    private readonly int _maxLength;
    private int _left;

    /// <param name="turn">What it answers.</param>
    /// <param name="variables">Looked at when a placeholder is filled, not before.</param>
    /// <param name="maxLength">In characters, for all texts together.</param>
    public ScriptText(ScriptTurn turn, IReadOnlyDictionary<string, JsonElement> variables, int maxLength)
    {
        _turn = turn;
        _variables = variables;
        _maxLength = maxLength;
        _left = maxLength;
    }

    /// <summary>The value with placeholders filled in all of its strings, property names aside.</summary>
    /// <exception cref="AgentException">The reply is too long.</exception>
    public JsonElement Fill(JsonElement template)
    {
        if (template.ValueKind == JsonValueKind.Undefined)
        {
            return template;
        }

        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            Write(json, template);
        }

        return JsonElement.Parse(bytes.WrittenSpan);
    }

    private void Write(Utf8JsonWriter json, JsonElement template)
    {
        switch (template.ValueKind)
        {
            case JsonValueKind.String:
                json.WriteStringValue(Fill(template.GetString()!));
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in template.EnumerateArray())
                {
                    Write(json, item);
                }

                json.WriteEndArray();
                break;
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (var property in template.EnumerateObject())
                {
                    json.WritePropertyName(property.Name);
                    Write(json, property.Value);
                }

                json.WriteEndObject();
                break;
            default:
                template.WriteTo(json);
                break;
        }
    }

    private string Fill(string template)
    {
        Take(template.Length);
        return template.Contains('{', StringComparison.Ordinal)
            ? Placeholder.Replace(template, match => Value(match.Groups["name"].Value) ?? match.Value)
            : template;
    }

    private string? Value(string name)
    {
        var value = _turn.Captures.GetValueOrDefault(name)
            ?? (name == "text" ? _turn.Said : null)
            ?? (_variables.TryGetValue(name, out var variable) ? variable.ToString() : null);
        Take(value?.Length ?? 0);
        return value;
    }

    private void Take(int length)
    {
        _left -= length;
        if (_left < 0)
        {
            throw new AgentException($"The script's reply is longer than {_maxLength} characters; does a variable hold itself?");
        }
    }

    [GeneratedRegex(@"\{(?<name>[A-Za-z_][A-Za-z0-9_]*)\}")]
    private static partial Regex Placeholder { get; }
}
