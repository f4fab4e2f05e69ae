using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Server.Transports.Rest;

namespace Harness.Server.Dialects.VoltAgent.Workflows;

/// <summary>
/// The events of a workflow as this API streams them (compat/voltagent 4): <c>id: SEQ</c>, <c>data: {"type","executionId",…,"timestamp"}</c>.
/// A typed event of the log becomes one by changing its head and tail, without being parsed; what ends a stream is made of the result, so
/// that it is always there and always agrees with the status.
/// </summary>
/// <param name="execution">Whose events.</param>
/// <param name="endsAtSuspension">Whether the stream ends when the workflow is suspended, as in the seed; else it goes on when that does.</param>
internal sealed class WorkflowEventText(Execution execution, bool endsAtSuspension) : IEventText
{
    private const int TimestampLength = 24;

    private readonly int _nameAt = "{\"type\":\"event\",\"id\":\"\",\"name\":\"".Length + execution.Id.Length;
    private readonly byte[] _idMember = Encoding.UTF8.GetBytes($"\",\"executionId\":\"{execution.Id}\",");

    /// <inheritdoc/>
    /// <remarks>A stream that may end at a suspension says what the execution's state is as well: that is no one else's.</remarks>
    public object? Key { get; } = endsAtSuspension ? null : typeof(WorkflowEventText);

    /// <inheritdoc/>
    public bool IsDone { get; private set; }

    /// <inheritdoc/>
    public void WriteOpening(IBufferWriter<byte> output)
    {
        // The reference begins with the first event.
    }

    /// <inheritdoc/>
    public void WriteHeartbeat(IBufferWriter<byte> output) => output.Write(": hb\n\n"u8);

    /// <inheritdoc/>
    public void WriteEnd(IBufferWriter<byte> output)
    {
        // The result was the end.
    }

    /// <inheritdoc/>
    public void WriteTruncation(LogRange range, IBufferWriter<byte> output) => WriteOwn(range.Last, output, json =>
    {
        json.WriteString("type", "truncated");
        json.WriteString("executionId", execution.Id);
        json.WriteNumber("firstSequence", range.First);
        json.WriteNumber("lastSequence", range.Last);
    });

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> json, long sequence, IBufferWriter<byte> output)
    {
        if (LogEvent.Is(json))
        {
            WriteEvent(json, sequence, output);
        }
        else if (json.StartsWith("{\"type\":\"result\""u8))
        {
            WriteResult(JsonElement.Parse(json, JsonDepth.Kept), sequence, output);
        }
        else if (endsAtSuspension && json.StartsWith("{\"type\":\"status\""u8))
        {
            WriteSuspended(JsonElement.Parse(json, JsonDepth.Kept).GetProperty("data"), sequence, output);
        }
    }

    // {"type":"event","id":"E","name":"N","data":{…},"seq":S,"ts":"T"} → {"type":"N","executionId":"E",…,"timestamp":"T"}
    private void WriteEvent(ReadOnlySpan<byte> json, long sequence, IBufferWriter<byte> output)
    {
        var rest = json[_nameAt..];
        var name = rest[..rest.IndexOf((byte)'"')];
        var timestamp = json[^(TimestampLength + 2)..^2];
        var tail = ",\"seq\":".Length + Digits(sequence) + ",\"ts\":\"".Length + TimestampLength + "\"}".Length;
        var members = rest[(name.Length + "\",\"data\":{".Length)..^(tail + 1)];

        WriteId(sequence, output);
        output.Write("data: {\"type\":\""u8);
        output.Write(name);
        output.Write(_idMember);
        output.Write(members);
        output.Write(members.IsEmpty ? "\"timestamp\":\""u8 : ",\"timestamp\":\""u8);
        output.Write(timestamp);
        output.Write("\"}\n\n"u8);
    }

    private void WriteResult(JsonElement frame, long sequence, IBufferWriter<byte> output)
    {
        var (data, timestamp) = (frame.GetProperty("data"), frame.GetProperty("ts").GetString()!);
        var status = WireWords.Of(ExecutionStatusWords.Parse(data.GetProperty("status").GetString()!)!.Value);
        var hasOutput = data.TryGetProperty("output", out var result);
        WriteOwn(sequence: null, output, json =>
        {
            json.WriteString("type", status switch { "completed" => "workflow-complete", "error" => "workflow-error", _ => "workflow-cancelled" });
            json.WriteString("executionId", execution.Id);
            json.WriteString("from", execution.Request.Name);
            if (hasOutput)
            {
                json.WritePropertyName("output");
                result.WriteTo(json);
            }

            json.WriteString("status", status == "completed" ? "success" : status);
            json.WriteString("timestamp", timestamp);
            WriteReason(json, data);
        });
        WriteOwn(sequence, output, json =>
        {
            WriteResultHead(json, status);
            if (hasOutput)
            {
                result.WriteTo(json);
            }
            else
            {
                json.WriteNullValue();
            }

            json.WriteString("endAt", WireWords.Of(data.GetProperty("completed_at").GetDateTimeOffset()));
            WriteReason(json, data);
        });
    }

    private void WriteSuspended(JsonElement data, long sequence, IBufferWriter<byte> output)
    {
        // The one of before a resume does not end what came after it, also when that is another suspension. Nothing follows the last one.
        if (!data.TryGetProperty("suspension", out _) || execution.State.Status != ExecutionStatus.Suspended || sequence < execution.Log.LastSequence)
        {
            return;
        }

        WriteOwn(sequence, output, json =>
        {
            WriteResultHead(json, "suspended");
            json.WriteNullValue();
            json.WriteNull("endAt");
        });
        IsDone = true;
    }

    private void WriteResultHead(Utf8JsonWriter json, string status)
    {
        json.WriteString("type", "workflow-result");
        json.WriteString("executionId", execution.Id);
        json.WriteString("status", status);
        json.WritePropertyName("result");
    }

    private static void WriteReason(Utf8JsonWriter json, JsonElement data)
    {
        if (data.TryGetProperty("error", out var error))
        {
            json.WriteString("error", error.GetString());
        }

        if (data.TryGetProperty("cancel_reason", out var reason))
        {
            json.WriteStartObject("metadata");
            json.WriteString("reason", reason.GetString());
            json.WriteEndObject();
        }
    }

    // An event of several that one frame becomes has no id, except the last: who comes back gets all of them again.
    private static void WriteOwn(long? sequence, IBufferWriter<byte> output, Action<Utf8JsonWriter> members)
    {
        if (sequence is { } id)
        {
            WriteId(id, output);
        }

        output.Write("data: "u8);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }

    private static void WriteId(long sequence, IBufferWriter<byte> output)
    {
        output.Write("id: "u8);
        var span = output.GetSpan(20);
        System.Buffers.Text.Utf8Formatter.TryFormat(sequence, span, out var digits);
        output.Advance(digits);
        output.Write("\n"u8);
    }

    private static int Digits(long value) => value.ToString(CultureInfo.InvariantCulture).Length;
}
