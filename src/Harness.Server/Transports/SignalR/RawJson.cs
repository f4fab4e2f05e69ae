using System.Text.Json;
using System.Text.Json.Serialization;
using Harness.Server.Transports.SignalR.MessagePack;

namespace Harness.Server.Transports.SignalR;

/// <summary>
/// One JSON document that is ready: in the JSON protocol it goes out as it is, in MessagePack transcoded. It is never parsed into objects.
/// </summary>
/// <param name="utf8">The document. It stays valid until the hub has written it.</param>
[JsonConverter(typeof(Converter))]
internal sealed class RawJson(ReadOnlyMemory<byte> utf8) : IMessagePackWritable
{
    public int ExpectedBytes => utf8.Length;

    public void WriteTo(MessagePackWriter writer) => JsonTranscoder.ToMessagePack(utf8.Span, writer);

    private void WriteTo(Utf8JsonWriter writer) => writer.WriteRawValue(utf8.Span, skipInputValidation: true);

    private sealed class Converter : JsonConverter<RawJson>
    {
        public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("The hub only writes these");

        public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) => value.WriteTo(writer);
    }
}
