using System.Buffers;
using System.Runtime.CompilerServices;
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

    private static readonly byte[] Opening = [.. "{\"events\":["u8];
    private static readonly byte[] Closing = [.. "]}"u8];

    private readonly ReadOnlyMemory<byte> _frames;
    private readonly int _count;
    private readonly LogCursor? _cursor;
    private readonly long _first;

    private EventBatch(ReadOnlyMemory<byte> frames, int count, LogCursor? cursor, long first)
    {
        _frames = frames;
        _count = count;
        _cursor = cursor;
        _first = first;
    }

    /// <summary>The next batch of the frames a log keeps, cut off their front. There is at least one frame.</summary>
    /// <param name="frames">The frames.</param>
    /// <param name="first">Sequence of the first of them; what comes back is that of the next batch.</param>
    /// <param name="cursor">The cursor that gave them, if others may read the same.</param>
    public static EventBatch TakeFrom(ref ReadOnlyMemory<byte> frames, ref long first, LogCursor? cursor = null)
    {
        var (length, count) = (0, 0);
        while (length < frames.Length && count < MaxEvents && length < EnoughBytes)
        {
            var (start, payload) = WebSocketFrame.Measure(frames.Span[length..]);
            length += start + payload;
            count++;
        }

        var batch = new EventBatch(frames[..length], count, cursor, first);
        (frames, first) = (frames[length..], first + count);
        return batch;
    }

    /// <summary>A batch of one event that is in no log.</summary>
    public static EventBatch Of(ReadOnlySpan<byte> json) => new(WebSocketFrame.Of(json), 1, cursor: null, first: 0);

    public void WriteTo(MessagePackWriter writer)
    {
        writer.WriteMapHeader(1);
        writer.WriteString(Events);
        writer.WriteArrayHeader(_count);
        if (TryRender(PackedEvent.Shared, out var text))
        {
            writer.WriteRaw(text.Span);
            return;
        }

        var sequence = _first;
        for (var frames = _frames.Span; !frames.IsEmpty; sequence++)
        {
            PackedEvent.Write(Next(ref frames), sequence, writer);
        }
    }

    private void WriteTo(Utf8JsonWriter writer)
    {
        if (TryRender(JsonFormat.Shared, out var text))
        {
            var opening = new Piece(Opening, before: null);
            var closing = new Piece(Closing, new Piece(text[..^1], opening));
            writer.WriteRawValue(new ReadOnlySequence<byte>(opening, 0, closing, Closing.Length), skipInputValidation: true);
            return;
        }

        writer.WriteStartObject();
        writer.WriteStartArray(Events);
        for (var frames = _frames.Span; !frames.IsEmpty;)
        {
            writer.WriteRawValue(Next(ref frames), skipInputValidation: true);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private bool TryRender(IFrameFormat format, out ReadOnlyMemory<byte> text)
    {
        text = default;
        return _cursor is not null && _cursor.TryRender(format, _first, _first + _count - 1, out text);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

    /// <summary>Elements of an array, each with the comma behind it.</summary>
    private sealed class JsonFormat : IFrameFormat
    {
        public static JsonFormat Shared { get; } = new();

        public object Key => this;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Write(ReadOnlySpan<byte> json, long sequence, IBufferWriter<byte> output)
        {
            output.Write(json);
            output.Write(","u8);
        }
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? before)
        {
            Memory = memory;
            if (before is not null)
            {
                RunningIndex = before.RunningIndex + before.Memory.Length;
                before.Next = this;
            }
        }
    }
}
