using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;

namespace Harness.Executions;

/// <summary>
/// Encodes the frames of one execution: UTF-8 JSON (PROTOCOL, "Server to client") behind the header of an unmasked WebSocket text
/// frame, so that the same bytes serve every socket. For one thread at a time.
/// </summary>
internal sealed class FrameEncoder
{
    private const int TimestampLength = 24;
    private const int MaxSequenceDigits = 19;

    private readonly byte[] _logPrefix;
    private readonly byte[] _timestamp = new byte[TimestampLength];
    private readonly string _id;
    private long _timestampMilliseconds = long.MinValue;

    public FrameEncoder(string id)
    {
        _id = id;
        _logPrefix = [.. LogBegin, .. Encoding.UTF8.GetBytes(id), .. BeforeMessage, (byte)'"'];
    }

    /// <summary>How every log frame's JSON begins; the execution's id follows.</summary>
    public static ReadOnlySpan<byte> LogBegin => "{\"type\":\"log\",\"id\":\""u8;

    /// <summary>What stands between the id and the message, a JSON string.</summary>
    public static ReadOnlySpan<byte> BeforeMessage => "\",\"message\":"u8;

    private static ReadOnlySpan<byte> SequenceName => ",\"seq\":"u8;

    private static ReadOnlySpan<byte> TimestampName => ",\"ts\":\""u8;

    private static ReadOnlySpan<byte> FrameEnd => "\"}"u8;

    /// <summary>The head of a frame that carries a document: <c>{"type":…,"id":…,"message":…,"data":</c>.</summary>
    public byte[] Head(string type, string? message = null) => Encoding.UTF8.GetBytes(
        $"{{\"type\":\"{type}\",\"id\":\"{_id}\",{(message is null ? "" : $"\"message\":\"{message}\",")}\"data\":");

    /// <summary>The head of a typed event: <c>{"type":"event","id":…,"name":…,"data":</c>.</summary>
    public byte[] EventHead(ReadOnlySpan<byte> name) => Encoding.UTF8.GetBytes(
        $"{{\"type\":\"event\",\"id\":\"{_id}\",\"name\":\"{Encoding.ASCII.GetString(name)}\",\"data\":");

    /// <summary>Bytes of a log frame with this line.</summary>
    public int SizeOfLog(int escapedLength, long sequence) =>
        WebSocketFrame.SizeOf(_logPrefix.Length + escapedLength + 1 + TailLength(sequence));

    /// <summary>Bytes of a frame with this head and document.</summary>
    public static int SizeOfDocument(int headLength, int dataLength, long sequence) =>
        WebSocketFrame.SizeOf(headLength + dataLength + TailLength(sequence));

    /// <summary>Writes a log frame; the destination is exactly <see cref="SizeOfLog"/> long.</summary>
    /// <returns>The line as it stands in the frame.</returns>
    public ReadOnlySpan<byte> WriteLog(Span<byte> destination, ReadOnlySpan<byte> line, long sequence, DateTimeOffset at)
    {
        destination = WriteLogPrefix(destination);
        var length = JsonText.Escape(line, destination);
        destination[length] = (byte)'"';
        WriteTail(destination[(length + 1)..], sequence, at);
        return destination[..length];
    }

    /// <summary>As <see cref="WriteLog"/>, of a line that is escaped already.</summary>
    public void WriteEscapedLog(Span<byte> destination, ReadOnlySpan<byte> escaped, long sequence, DateTimeOffset at)
    {
        destination = WriteLogPrefix(destination);
        escaped.CopyTo(destination);
        destination[escaped.Length] = (byte)'"';
        WriteTail(destination[(escaped.Length + 1)..], sequence, at);
    }

    /// <summary>Writes a frame with a document; the destination is exactly <see cref="SizeOfDocument"/> long.</summary>
    /// <returns>The JSON in the frame.</returns>
    public ReadOnlySpan<byte> WriteDocument(
        Span<byte> destination, ReadOnlySpan<byte> head, ReadOnlySpan<byte> data, long sequence, DateTimeOffset at)
    {
        destination = destination[WebSocketFrame.WriteHeader(destination)..];
        head.CopyTo(destination);
        data.CopyTo(destination[head.Length..]);
        WriteTail(destination[(head.Length + data.Length)..], sequence, at);
        return destination;
    }

    /// <summary>Where in a log frame's JSON the inside of its message string lies, without parsing; false for other frames.</summary>
    public bool TryGetLine(ReadOnlySpan<byte> json, long sequence, out int start, out int length)
    {
        start = _logPrefix.Length;
        length = json.Length - start - 1 - TailLength(sequence);
        return json.StartsWith(_logPrefix);
    }

    /// <summary>The time in a frame's JSON, as it stands there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ReadOnlySpan<byte> TimestampOf(ReadOnlySpan<byte> json) => json[^(TimestampLength + FrameEnd.Length)..^FrameEnd.Length];

    private Span<byte> WriteLogPrefix(Span<byte> destination)
    {
        destination = destination[WebSocketFrame.WriteHeader(destination)..];
        _logPrefix.CopyTo(destination);
        return destination[_logPrefix.Length..];
    }

    /// <summary>Bytes behind the message of a frame, or behind its document.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int TailLength(long sequence) =>
        SequenceName.Length + Digits(sequence) + TimestampName.Length + TimestampLength + FrameEnd.Length;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WriteTail(Span<byte> destination, long sequence, DateTimeOffset at)
    {
        SequenceName.CopyTo(destination);
        destination = destination[SequenceName.Length..];
        Utf8Formatter.TryFormat(sequence, destination, out var digits);
        destination = destination[digits..];
        TimestampName.CopyTo(destination);
        destination = destination[TimestampName.Length..];
        FormatTimestamp(at);
        _timestamp.CopyTo(destination);
        FrameEnd.CopyTo(destination[TimestampLength..]);
    }

    // Lines come in bursts: most share their millisecond with the one before.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FormatTimestamp(DateTimeOffset at)
    {
        var milliseconds = at.UtcTicks / TimeSpan.TicksPerMillisecond;
        if (milliseconds != _timestampMilliseconds)
        {
            // 2026-11-21T17:00:00.1234567Z
            Span<byte> time = stackalloc byte[28];
            at.UtcDateTime.TryFormat(time, out _, "O");
            time[..(TimestampLength - 1)].CopyTo(_timestamp);
            _timestamp[^1] = (byte)'Z';
            _timestampMilliseconds = milliseconds;
        }
    }

    private static int Digits(long value)
    {
        var digits = 1;
        for (var limit = 10L; digits < MaxSequenceDigits && value >= limit; limit *= 10)
        {
            digits++;
        }

        return digits;
    }
}
