using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Harness.Executions;
using Harness.Server.Transports.SignalR.MessagePack;

namespace Harness.Server.Transports.SignalR;

/// <summary>
/// Events that follow each other, as one item of a stream: <c>{"events":[…]}</c> in both protocols. It is a piece of the log's own memory,
/// valid until the next batch is asked for; the hub has written it by then. How many events it has is found out when they are written: that is when
/// their memory is touched for the first time.
/// </summary>
/// <param name="frames">Frames the log gave, for one batch or more. There is at least one frame.</param>
/// <param name="first">Sequence of the first of them.</param>
/// <param name="cursor">The cursor that gave them, if others may read the same.</param>
internal sealed class EventBatch(ReadOnlyMemory<byte> frames, long first, LogCursor? cursor = null) : IMessagePackWritable
{
    /// <summary>Events in one batch at most.</summary>
    public const int MaxEvents = 256;

    /// <summary>
    /// Bytes of frames in one batch at most, unless it is one event that is longer: long lines do not add up to a giant message. With what is around
    /// them they fit into an array of 64 KiB.
    /// </summary>
    public const int MaxBytes = 60 * 1024;

    private const string Events = "events";

    // What is left from this batch on, and how much of it is this batch; nothing until that is known.
    private ReadOnlyMemory<byte> _frames = frames;
    private long _first = first;
    private int _length;
    private int _count;

    /// <summary>Bytes of this batch and of those behind it.</summary>
    public int Remaining => _frames.Length;

    // An event is shorter in MessagePack, most of them by far.
    public int ExpectedBytes => Math.Min(_frames.Length, Math.Max(MaxBytes, SizeOfFirst(_frames.Span)));

    private static ReadOnlySpan<byte> ItemStart => "{\"type\":2,\"invocationId\":\""u8;

    private static ReadOnlySpan<byte> EventsStart => "\",\"item\":{\"events\":["u8;

    // With the byte that ends each of SignalR's messages.
    private static ReadOnlySpan<byte> ItemEnd => "]}}\u001e"u8;

    /// <summary>A batch of one event that is in no log.</summary>
    public static EventBatch Of(ReadOnlySpan<byte> json) => new(WebSocketFrame.Of(json), first: 0);

    /// <summary>Becomes the next batch of the same frames; false when this was the last.</summary>
    public bool MoveNext()
    {
        Measure();
        (_frames, _first, _length, _count) = (_frames[_length..], _first + _count, 0, 0);
        return !_frames.IsEmpty;
    }

    public void WriteTo(MessagePackWriter writer)
    {
        writer.WriteMapHeader(1);
        writer.WriteString(Events);
        if (TryRender(PackedEvent.Shared, out var text))
        {
            writer.WriteArrayHeader(_count);
            writer.WriteRaw(text.Span);
            return;
        }

        var array = writer.BeginLargeArray();
        var count = 0;
        var rest = _frames.Span;
        while (TryNext(ref rest, ref count, out var json))
        {
            PackedEvent.Write(json, _first + count - 1, writer);
        }

        writer.EndLargeArray(array, count);
        (_length, _count) = (_frames.Length - rest.Length, count);
    }

    /// <summary>Writes it as an item of a stream in SignalR's JSON (HubProtocol.md, "StreamItem"), in one piece.</summary>
    /// <param name="invocationId">The stream.</param>
    /// <param name="output">Where it goes.</param>
    public void WriteItem(string invocationId, IBufferWriter<byte> output)
    {
        var id = JsonEncodedText.Encode(invocationId, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes;

        // The comma behind an event takes less than the header before its frame.
        var room = output.GetSpan(ItemStart.Length + id.Length + EventsStart.Length + ExpectedBytes + ItemEnd.Length);
        var length = 0;
        Append(ItemStart, room, ref length);
        Append(id, room, ref length);
        Append(EventsStart, room, ref length);
        if (TryRender(JsonFormat.Shared, out var text))
        {
            Append(text.Span, room, ref length);
        }
        else
        {
            var count = 0;
            var rest = _frames.Span;
            while (TryNext(ref rest, ref count, out var json))
            {
                Append(json, room, ref length);
                room[length++] = (byte)',';
            }

            (_length, _count) = (_frames.Length - rest.Length, count);
        }

        // No comma behind the last.
        length--;
        Append(ItemEnd, room, ref length);
        output.Advance(length);
    }

    private static int SizeOfFirst(ReadOnlySpan<byte> frames)
    {
        var (start, length) = WebSocketFrame.Measure(frames);
        return start + length;
    }

    private static void Append(ReadOnlySpan<byte> bytes, Span<byte> room, ref int length)
    {
        bytes.CopyTo(room[length..]);
        length += bytes.Length;
    }

    private bool TryRender(IFrameFormat format, out ReadOnlyMemory<byte> text)
    {
        text = default;
        if (cursor?.IsShared != true)
        {
            return false;
        }

        Measure();
        return cursor.TryRender(format, _first, _first + _count - 1, out text);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Measure()
    {
        if (_count == 0)
        {
            var rest = _frames.Span;
            while (TryNext(ref rest, ref _count, out _))
            {
            }

            _length = _frames.Length - rest.Length;
        }
    }

    // The next event of this batch.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryNext(scoped ref ReadOnlySpan<byte> rest, ref int count, out ReadOnlySpan<byte> json)
    {
        json = default;
        if (rest.IsEmpty || count == MaxEvents)
        {
            return false;
        }

        var (start, length) = WebSocketFrame.Measure(rest);
        if (count > 0 && _frames.Length - rest.Length + start + length > MaxBytes)
        {
            return false;
        }

        json = rest.Slice(start, length);
        rest = rest[(start + length)..];
        count++;
        return true;
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
}
