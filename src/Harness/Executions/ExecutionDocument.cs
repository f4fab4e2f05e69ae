using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Harness.Executions;

/// <summary>
/// The status document of an execution: <c>id, status, started_at, completed_at, logs, error</c> in this order (the seed's
/// <c>TestStatusResponse</c>), then what PROTOCOL adds. Written from the log's own bytes; nothing is decoded.
/// </summary>
internal static class ExecutionDocument
{
    // Names and errors come from clients and agents: a document must fit a 1 MiB message whatever they say.
    public const int MaxTextBytes = 8 * 1024;

    /// <summary>The document of the first frame: nothing has been said yet but the greeting.</summary>
    public static ReadOnlyMemory<byte> Opening(string id, ExecutionRequest request, ExecutionState state)
    {
        var json = new ArrayBufferWriter<byte>(256);
        WriteHead(json, id, state);
        json.Write(",\"logs\":["u8);
        WriteString(json, request.Greeting);
        json.Write("]"u8);
        WriteFacts(json, request);
        json.Write("}"u8);
        return json.WrittenMemory;
    }

    /// <summary>The document of a status that changed by itself: no lines, since they have been sent.</summary>
    public static ReadOnlyMemory<byte> Change(string id, ExecutionRequest request, ExecutionState state)
    {
        var json = new ArrayBufferWriter<byte>(256);
        WriteHead(json, id, state);
        json.Write(",\"logs\":[]"u8);
        WriteFacts(json, request);
        WriteSuspension(json, state);
        json.Write("}"u8);
        return json.WrittenMemory;
    }

    /// <summary>The whole document with the record: the preamble, the newest lines, the closing line; or a page of lines; or none.</summary>
    /// <returns>The newest lines in it.</returns>
    public static LineQuote Write(
        ArrayBufferWriter<byte> json,
        string id,
        ExecutionRequest request,
        ExecutionState state,
        LogRecord record,
        ReadOnlyMemory<byte> details,
        ExecutionOptions options,
        RecordLines lines)
    {
        // Room for all of it.
        json.GetSpan(1024 + (lines == RecordLines.Newest ? (int)Math.Clamp(record.LineBytesAtMost, 0, options.MaxRecordBytes) : 0));
        WriteHead(json, id, state);
        json.Write(",\"logs\":["u8);
        var (note, quote) = lines switch
        {
            { IsNone: true } => ("", default),
            { From: > 0 } => (WritePage(json, record, lines, options), default),
            _ => WriteRecord(json, request, state, record, options),
        };
        json.Write("]"u8);
        if (state.Error is not null)
        {
            json.Write(",\"error\":"u8);
            WriteString(json, state.Error);
        }

        json.Write(Encoding.UTF8.GetBytes(note));
        if (state.CancelReason is not null)
        {
            json.Write(",\"cancel_reason\":"u8);
            WriteString(json, state.CancelReason);
        }

        WriteFacts(json, request);
        WriteSuspension(json, state);
        WriteDetails(json, details.Span, options.MaxDetailsBytes);
        json.Write("}"u8);
        return quote;
    }

    /// <summary>One item of a list.</summary>
    public static ReadOnlyMemory<byte> Item(Execution execution)
    {
        var (json, request, state) = (new ArrayBufferWriter<byte>(512), execution.Request, execution.State);
        json.Write(Encoding.UTF8.GetBytes($"{{\"id\":\"{execution.Id}\",\"kind\":\"{request.Kind}\",\"name\":"));
        WriteString(json, request.Name);
        json.Write(Encoding.UTF8.GetBytes($",\"status\":\"{state.Status.ToWire()}\",\"labels\":"));
        WriteLabels(json, request);
        WriteTimes(json, state);
        json.Write(Encoding.UTF8.GetBytes($",\"seq\":{execution.Log.LastSequence},\"epoch\":\"{execution.Epoch}\"}}"));
        return json.WrittenMemory;
    }

    /// <summary>A comma, unless this is the first element of its array.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Separate(ArrayBufferWriter<byte> json)
    {
        if (json.WrittenSpan[^1] != (byte)'[')
        {
            json.Write(","u8);
        }
    }

    private static void WriteHead(ArrayBufferWriter<byte> json, string id, ExecutionState state)
    {
        json.Write(Encoding.UTF8.GetBytes(
            $"{{\"id\":\"{id}\",\"status\":\"{state.Status.ToWire()}\""));
        WriteTimes(json, state);
    }

    private static void WriteTimes(ArrayBufferWriter<byte> json, ExecutionState state)
    {
        json.Write(",\"started_at\":\""u8);
        WriteTime(json, state.StartedAt);
        if (state.CompletedAt is { } completedAt)
        {
            json.Write("\",\"completed_at\":\""u8);
            WriteTime(json, completedAt);
        }

        json.Write("\""u8);
    }

    private static (string Note, LineQuote Quote) WriteRecord(
        ArrayBufferWriter<byte> json, ExecutionRequest request, ExecutionState state, LogRecord record, ExecutionOptions options)
    {
        foreach (var line in request.Preamble)
        {
            Separate(json);
            WriteString(json, line);
        }

        var at = json.WrittenCount;
        var (from, truncated) = record.CopyNewestLines(options.MaxRecordBytes, json);
        var quote = new LineQuote(from, at, json.WrittenCount - at);
        if (request.ClosingLine?.Invoke(state) is { } closingLine)
        {
            Separate(json);
            WriteString(json, closingLine);
        }

        return (truncated ? $",\"logs_truncated\":true,\"logs_from\":{from}" : "", quote);
    }

    // A page is read by sequence: the lines that are no frames have none.
    private static string WritePage(ArrayBufferWriter<byte> json, LogRecord record, RecordLines lines, ExecutionOptions options)
    {
        var (first, next) = record.CopyLines(lines.From, lines.Limit, options.MaxRecordBytes, json);
        return first > lines.From ? $",\"logs_truncated\":true,\"logs_from\":{first},\"logs_next\":{next}" : $",\"logs_next\":{next}";
    }

    private static void WriteFacts(ArrayBufferWriter<byte> json, ExecutionRequest request)
    {
        if (request.Labels.Count > 0)
        {
            json.Write(",\"labels\":"u8);
            WriteLabels(json, request);
        }

        foreach (var (name, value) in request.Facts)
        {
            json.Write(","u8);
            WriteString(json, name);
            json.Write(":"u8);
            WriteString(json, value);
        }
    }

    private static void WriteSuspension(ArrayBufferWriter<byte> json, ExecutionState state)
    {
        if (state is not { Status: ExecutionStatus.Suspended, Suspension: { } suspension })
        {
            return;
        }

        json.Write(",\"suspension\":{\"suspended_at\":\""u8);
        WriteTime(json, suspension.At);
        json.Write("\""u8);
        if (suspension.Reason is { } reason)
        {
            json.Write(",\"reason\":"u8);
            WriteString(json, reason);
        }

        WriteDetails(json, suspension.Details.Span, LogEvent.MaxDataBytes);
        json.Write("}"u8);
    }

    private static void WriteLabels(ArrayBufferWriter<byte> json, ExecutionRequest request)
    {
        var separator = "{";
        foreach (var (name, value) in request.Labels)
        {
            json.Write(Encoding.UTF8.GetBytes(separator));
            WriteString(json, name);
            json.Write(":"u8);
            WriteString(json, value);
            separator = ",";
        }

        json.Write(request.Labels.Count == 0 ? "{}"u8 : "}"u8);
    }

    // The members of one JSON object become members of another: the braces go.
    private static void WriteDetails(ArrayBufferWriter<byte> json, ReadOnlySpan<byte> details, int maxBytes)
    {
        var members = details.Trim(" \r\n\t"u8);
        if (members.Length <= 2)
        {
            return;
        }

        if (members.Length > maxBytes)
        {
            json.Write(",\"details_truncated\":true"u8);
            return;
        }

        json.Write(","u8);
        json.Write(members[1..^1]);
    }

    private static void WriteString(ArrayBufferWriter<byte> json, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        if (utf8.Length > MaxTextBytes)
        {
            utf8 = [.. utf8.AsSpan(0, JsonText.CutAt(utf8, MaxTextBytes)), .. "… [cut]"u8];
        }

        json.Write("\""u8);
        json.Advance(JsonText.Escape(utf8, json.GetSpan(JsonText.EscapedLength(utf8))));
        json.Write("\""u8);
    }

    // RFC 3339 with as many digits of the second as are not zero, as the reference server writes its times.
    private static void WriteTime(ArrayBufferWriter<byte> json, DateTimeOffset time)
    {
        // 2026-11-21T17:00:00.1230000Z: always these 28 characters.
        var text = json.GetSpan(28);
        time.UtcDateTime.TryFormat(text, out var length, "O", CultureInfo.InvariantCulture);
        length = text[..(length - 1)].TrimEnd((byte)'0').TrimEnd((byte)'.').Length;
        text[length] = (byte)'Z';
        json.Advance(length + 1);
    }
}
