using System.Buffers;
using System.Globalization;
using System.Text;

namespace Harness.Executions;

/// <summary>
/// The status document of an execution: <c>id, status, started_at, completed_at, logs, error</c> in this order (the seed's
/// <c>TestStatusResponse</c>), then what PROTOCOL adds. Written from the log's own bytes; nothing is decoded.
/// </summary>
internal static class ExecutionDocument
{
    // Names and errors come from clients and agents: a document must fit a 1 MiB message whatever they say.
    private const int MaxTextBytes = 8 * 1024;

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
        json.Write("}"u8);
        return json.WrittenMemory;
    }

    /// <summary>The whole document with the record: the preamble, the newest lines, the closing line.</summary>
    public static ReadOnlyMemory<byte> Full(
        string id, ExecutionRequest request, ExecutionState state, ExecutionLog log, ReadOnlyMemory<byte> details, ExecutionOptions options)
    {
        var json = new ArrayBufferWriter<byte>(1024);
        WriteHead(json, id, state);
        json.Write(",\"logs\":["u8);
        foreach (var line in request.Preamble)
        {
            Separate(json);
            WriteString(json, line);
        }

        var (from, truncated) = log.CopyNewestLines(options.MaxRecordBytes, json);
        if (request.ClosingLine?.Invoke(state) is { } closingLine)
        {
            Separate(json);
            WriteString(json, closingLine);
        }

        json.Write("]"u8);
        if (state.Error is not null)
        {
            json.Write(",\"error\":"u8);
            WriteString(json, state.Error);
        }

        if (truncated)
        {
            json.Write(Encoding.UTF8.GetBytes($",\"logs_truncated\":true,\"logs_from\":{from}"));
        }

        WriteFacts(json, request);
        WriteDetails(json, details.Span, options.MaxDetailsBytes);
        json.Write("}"u8);
        return json.WrittenMemory;
    }

    /// <summary>A comma, unless this is the first element of its array.</summary>
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
            $"{{\"id\":\"{id}\",\"status\":\"{state.Status.ToWire()}\",\"started_at\":\"{Time(state.StartedAt)}\""));
        if (state.CompletedAt is { } completedAt)
        {
            json.Write(Encoding.UTF8.GetBytes($",\"completed_at\":\"{Time(completedAt)}\""));
        }
    }

    private static void WriteFacts(ArrayBufferWriter<byte> json, ExecutionRequest request)
    {
        foreach (var (name, value) in request.Facts)
        {
            json.Write(","u8);
            WriteString(json, name);
            json.Write(":"u8);
            WriteString(json, value);
        }
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
    private static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
