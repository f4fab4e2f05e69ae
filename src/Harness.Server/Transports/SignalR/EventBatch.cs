using System.Text.Json;
using System.Text.Json.Serialization;
using Harness.Executions;
using Harness.Server.Transports.SignalR.MessagePack;

namespace Harness.Server.Transports.SignalR;

/// <summary>
/// Events that follow each other, as one item of a stream: <c>{"events":[…]}</c> in both protocols. It is a piece of the log's own memory,
/// valid until the next batch is asked for; the hub has written it by then.
/// </summary>
[JsonConverter(typeof(Converter))]
internal sealed class EventBatch : IMessagePackWritable
{
    /// <summary>Events in one batch at most.</summary>
    public const int MaxEvents = 256;

    /// <summary>A batch takes no further event once it has so many bytes: long lines do not add up to a giant message.</summary>
    public const int EnoughBytes = 64 * 1024;

    private const string Events = "events";

    private readonly ReadOnlyMemory<byte> _frames;
    private readonly int _count;

    private EventBatch(ReadOnlyMemory<byte> frames, int count)
    {
        _frames = frames;
        _count = count;
    }

    /// <summary>The next batch of the frames a log keeps, cut off their front. There is at least one frame.</summary>
    public static EventBatch TakeFrom(ref ReadOnlyMemory<byte> frames)
    {
        var (length, count) = (0, 0);
        while (length < frames.Length && count < MaxEvents && length < EnoughBytes)
        {
            var (start, payload) = WebSocketFrame.Measure(frames.Span[length..]);
            length += start + payload;
            count++;
        }

        var batch = new EventBatch(frames[..length], count);
        frames = frames[length..];
        return batch;
    }

    /// <summary>A batch of one event that is in no log.</summary>
    public static EventBatch Of(ReadOnlySpan<byte> json) => new(WebSocketFrame.Of(json), 1);

    public void WriteTo(MessagePackWriter writer)
    {
        writer.WriteMapHeader(1);
        writer.WriteString(Events);
        writer.WriteArrayHeader(_count);
        for (var frames = _frames.Span; !frames.IsEmpty;)
        {
            JsonTranscoder.ToMessagePack(Next(ref frames), writer);
        }
    }

    private void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartArray(Events);
        for (var frames = _frames.Span; !frames.IsEmpty;)
        {
            writer.WriteRawValue(Next(ref frames), skipInputValidation: true);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static ReadOnlySpan<byte> Next(scoped ref ReadOnlySpan<byte> frames)
    {
        var (start, length) = WebSocketFrame.Measure(frames);
        var json = frames.Slice(start, length);
        frames = frames[(start + length)..];
        return json;
    }

    private sealed class Converter : JsonConverter<EventBatch>
    {
        public override EventBatch Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("The hub only writes these");

        public override void Write(Utf8JsonWriter writer, EventBatch value, JsonSerializerOptions options) => value.WriteTo(writer);
    }
}
