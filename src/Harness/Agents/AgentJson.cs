using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Harness.Agents;

/// <summary>JSON that goes to agents and comes from requests.</summary>
internal static class AgentJson
{
    /// <summary>Escapes only what JSON demands; nothing here is put into HTML.</summary>
    public static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>Writes any object, with names as web clients know them.</summary>
    public static readonly JsonSerializerOptions Values = new(JsonSerializerDefaults.Web) { Encoder = Encoder };

    private static readonly JsonWriterOptions Plain = new() { Encoder = Encoder };

    /// <summary>The bytes of one JSON object.</summary>
    /// <exception cref="AgentException">Something in it is text that is not Unicode.</exception>
    public static byte[] Object(Action<Utf8JsonWriter> writeProperties)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes, Plain);
        try
        {
            json.WriteStartObject();
            writeProperties(json);
            json.WriteEndObject();
            json.Flush();
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            throw NotUnicode("The turn", exception);
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>One JSON object of its own, in the order of the collection.</summary>
    /// <exception cref="AgentException">Something in it is text that is not Unicode.</exception>
    public static JsonElement ToElement(IEnumerable<KeyValuePair<string, JsonElement>> values) =>
        JsonElement.Parse(Object(json => json.WriteProperties(values)));

    /// <summary>The value without spaces, with as few escapes as can be.</summary>
    /// <exception cref="InvalidOperationException">Something in it is text that is not Unicode.</exception>
    public static string ToText(JsonElement value)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, Plain))
        {
            value.WriteTo(json);
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>Writes the property <c>variables</c>, in the order of the collection.</summary>
    public static void WriteVariables(this Utf8JsonWriter json, IEnumerable<KeyValuePair<string, JsonElement>> variables)
    {
        json.WriteStartObject("variables");
        json.WriteProperties(variables);
        json.WriteEndObject();
    }

    /// <summary>Looks at all texts of a value, so that nobody meets half a surrogate pair later.</summary>
    /// <param name="value">Undefined is fine.</param>
    /// <param name="what">What it is, for the error.</param>
    /// <exception cref="AgentException">One is not Unicode.</exception>
    public static void RequireUnicode(JsonElement value, string what)
    {
        try
        {
            ReadTexts(value);
        }
        catch (InvalidOperationException exception)
        {
            throw NotUnicode(what, exception);
        }
    }

    /// <summary>The last property of that name of the <c>agent</c> object of a request; null where there is no object, no such property, or a null.</summary>
    /// <param name="options">Read by <see cref="RequireUnicode"/> before.</param>
    /// <param name="name">As <see cref="IsSameName"/> takes it.</param>
    public static JsonElement? Find(JsonElement options, string name)
    {
        if (options.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var value = options.EnumerateObject().LastOrDefault(property => IsSameName(property.Name, name)).Value;
        return value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? null : value;
    }

    /// <summary>Case, underscores and hyphens do not count, so both spellings of both suite formats fit.</summary>
    /// <param name="written">The name as its author wrote it.</param>
    /// <param name="name">In camel case.</param>
    public static bool IsSameName(string written, string name)
    {
        var at = 0;
        foreach (var letter in written)
        {
            if (letter is '_' or '-')
            {
                continue;
            }

            if (at == name.Length || char.ToLowerInvariant(letter) != char.ToLowerInvariant(name[at]))
            {
                return false;
            }

            at++;
        }

        return at == name.Length;
    }

    private static void ReadTexts(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                _ = value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    ReadTexts(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                {
                    _ = property.Name;
                    ReadTexts(property.Value);
                }

                break;
        }
    }

    private static void WriteProperties(this Utf8JsonWriter json, IEnumerable<KeyValuePair<string, JsonElement>> values)
    {
        foreach (var (name, value) in values)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
    }

    private static AgentException NotUnicode(string what, Exception exception) =>
        new($"{what} holds text that is not Unicode (half a surrogate pair)", exception);
}
