using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Harness.Executions;

namespace Harness.Workflows;

/// <summary>How the values of workflows are written.</summary>
internal static class WorkflowJson
{
    /// <summary>
    /// Most bytes of one value: an input, what a step gives, what a resume brings. The event that has it must fit the log
    /// (<see cref="LogEvent.MaxDataBytes"/>).
    /// </summary>
    public const int MaxValueBytes = 200 * 1024;

    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.Create(UnicodeRanges.All);

    /// <summary>Values of code: camelCase, numbers are numbers, and what a type requires is required.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        Encoder = Encoder,
        NumberHandling = JsonNumberHandling.Strict,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Null as JSON.</summary>
    public static JsonElement Null { get; } = JsonElement.Parse("null");

    /// <summary>One JSON object, as UTF-8.</summary>
    public static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> members)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = Encoder }))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return bytes.WrittenMemory;
    }

    /// <summary>A member, unless there is no value.</summary>
    public static void WriteValue(this Utf8JsonWriter json, string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Undefined)
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
    }

    /// <summary>A member, unless there is no text.</summary>
    public static void WriteText(this Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
        {
            json.WriteString(name, text);
        }
    }

    /// <summary>The value, or null as JSON when there is none.</summary>
    public static JsonElement OrNull(this JsonElement value) => value.ValueKind == JsonValueKind.Undefined ? Null : value;

    /// <summary>A member as a text; null: there is none.</summary>
    public static string? FindText(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A member, undefined when there is none; its memory is its own.</summary>
    public static JsonElement Member(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value.Clone() : default;

    /// <summary>Null when the value is small and flat enough; else what is wrong, to go after its name.</summary>
    public static string? Refuse(JsonElement value) => JsonDepth.Refuse(value)
        ?? (value.ValueKind != JsonValueKind.Undefined && JsonSerializer.SerializeToUtf8Bytes(value).Length is var bytes and > MaxValueBytes
            ? $"has {bytes} bytes; {MaxValueBytes} are allowed"
            : null);
}
