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
    private static readonly byte[] LineHead = Pack(writer =>
    {
        writer.WriteMapHeader(5);
        writer.WriteString("type");
        writer.WriteString("log");
        writer.WriteString("id");
    });

    private static readonly byte[] MessageName = Pack(writer => writer.WriteString("message"));
    private static readonly byte[] SequenceName = Pack(writer => writer.WriteString("seq"));
    private static readonly byte[] TimestampName = Pack(writer => writer.WriteString("ts"));

    private PackedEvent()
    {
    }

    public static PackedEvent Shared { get; } = new();

    public object Key => this;

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
            return;
        }

        writer.WriteRaw(LineHead);
        writer.WriteString(line.Id);
        writer.WriteRaw(MessageName);
        if (line.Message.Contains((byte)'\\'))
        {
            JsonTranscoder.ToMessagePack(line.Message, writer);
        }
        else
        {
            writer.WriteString(line.Message[1..^1]);
        }

        writer.WriteRaw(SequenceName);
        writer.WriteInteger(sequence);
        writer.WriteRaw(TimestampName);
        writer.WriteString(line.Timestamp);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Write(ReadOnlySpan<byte> json, long sequence, IBufferWriter<byte> output)
    {
        using var writer = new MessagePackWriter(json.Length);
        Write(json, sequence, writer);
        output.Write(writer.Written);
    }

    private static byte[] Pack(Action<MessagePackWriter> write)
    {
        using var writer = new MessagePackWriter(capacity: 32);
        write(writer);
        return writer.Written.ToArray();
    }
}
