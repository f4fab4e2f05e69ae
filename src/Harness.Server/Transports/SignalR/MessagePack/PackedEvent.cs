using System.Buffers;
using System.Runtime.CompilerServices;
using Harness.Executions;

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>
/// An event of a log as MessagePack, the same as its JSON would become. Nearly all events are lines, whose layout is known, and of those only the
/// message may need a look.
/// </summary>
internal sealed class PackedEvent : IFrameFormat
{
    private PackedEvent()
    {
    }

    public static PackedEvent Shared { get; } = new();

    public object Key => this;

    // {"type": "log", "id":
    private static ReadOnlySpan<byte> LineHead =>
    [
        MessagePackCode.FixMap | 5,
        MessagePackCode.FixString | 4, (byte)'t', (byte)'y', (byte)'p', (byte)'e',
        MessagePackCode.FixString | 3, (byte)'l', (byte)'o', (byte)'g',
        MessagePackCode.FixString | 2, (byte)'i', (byte)'d',
    ];

    private static ReadOnlySpan<byte> MessageName =>
        [MessagePackCode.FixString | 7, (byte)'m', (byte)'e', (byte)'s', (byte)'s', (byte)'a', (byte)'g', (byte)'e'];

    private static ReadOnlySpan<byte> SequenceName => [MessagePackCode.FixString | 3, (byte)'s', (byte)'e', (byte)'q'];

    private static ReadOnlySpan<byte> TimestampName => [MessagePackCode.FixString | 2, (byte)'t', (byte)'s'];

    /// <summary>Writes one.</summary>
    /// <param name="json">The event as a log gave it.</param>
    /// <param name="sequence">Its sequence.</param>
    /// <param name="writer">Where it goes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(ReadOnlySpan<byte> json, long sequence, MessagePackWriter writer)
    {
        if (!LogFrame.TryRead(json, sequence, out var line))
        {
            JsonTranscoder.ToMessagePack(json, writer);
        }
        else if (line.Message.Contains((byte)'\\'))
        {
            writer.Advance(WriteHead(line, writer.Reserve(json.Length)));
            JsonTranscoder.ToMessagePack(line.Message, writer);
            writer.Advance(WriteTail(line, sequence, writer.Reserve(json.Length)));
        }
        else
        {
            writer.Advance(WriteLine(line, sequence, writer.Reserve(json.Length)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Write(ReadOnlySpan<byte> json, long sequence, IBufferWriter<byte> output)
    {
        if (LogFrame.TryRead(json, sequence, out var line) && !line.Message.Contains((byte)'\\'))
        {
            output.Advance(WriteLine(line, sequence, output.GetSpan(json.Length)));
            return;
        }

        using var writer = new MessagePackWriter(json.Length);
        Write(json, sequence, writer);
        output.Write(writer.Written);
    }

    // A line is shorter than its JSON, whose quotes, commas and colons take more than the headers here: so much room is enough.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int WriteLine(scoped in LogFrame line, long sequence, Span<byte> room)
    {
        var length = WriteHead(line, room);
        length += MessagePackWriter.WriteString(line.Message[1..^1], room[length..]);
        return length + WriteTail(line, sequence, room[length..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int WriteHead(scoped in LogFrame line, Span<byte> room)
    {
        LineHead.CopyTo(room);
        var length = LineHead.Length;
        length += MessagePackWriter.WriteString(line.Id, room[length..]);
        MessageName.CopyTo(room[length..]);
        return length + MessageName.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int WriteTail(scoped in LogFrame line, long sequence, Span<byte> room)
    {
        SequenceName.CopyTo(room);
        var length = SequenceName.Length;
        length += MessagePackWriter.WriteInteger((ulong)sequence, room[length..]);
        TimestampName.CopyTo(room[length..]);
        length += TimestampName.Length;
        return length + MessagePackWriter.WriteString(line.Timestamp, room[length..]);
    }
}
