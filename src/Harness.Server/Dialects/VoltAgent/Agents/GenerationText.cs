using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Harness.Executions;
using Harness.Generations;
using Harness.Server.Transports.Rest;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>
/// Writes a generation's events as this API does (VoltAgent Core API, "Streaming Endpoints (SSE)"): <c>data: {…,"timestamp":…,"type":…}</c>
/// and nothing else on the stream of who asked, since its clients take a block that begins otherwise for no event; with an <c>id:</c> before
/// it for clients that come back.
/// </summary>
internal sealed class GenerationText(Execution execution, bool hasIds) : IEventText
{
    private const string Cancelled = "Operation cancelled by user";

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly byte[] _idPrefix = Encoding.ASCII.GetBytes($"id: {execution.Epoch}-");

    /// <inheritdoc/>
    public object Key { get; } = (typeof(GenerationText), hasIds);

    /// <inheritdoc/>
    public bool IsDone => false;

    /// <inheritdoc/>
    public void WriteOpening(IBufferWriter<byte> output)
    {
        if (hasIds)
        {
            output.Write("retry: 2000\n\n"u8);
        }
    }

    /// <inheritdoc/>
    public void WriteHeartbeat(IBufferWriter<byte> output) => output.Write(": hb\n\n"u8);

    /// <inheritdoc/>
    public void WriteEnd(IBufferWriter<byte> output)
    {
        // The result's own event is the last one.
    }

    /// <inheritdoc/>
    public void WriteTruncation(LogRange range, IBufferWriter<byte> output)
    {
        WriteHead(range.Last, output);
        output.Write(execution.Log.DescribeTruncation(range).Span);
        output.Write("\n\n"u8);
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> json, long sequence, IBufferWriter<byte> output)
    {
        var frame = EventFrame.Read(json);
        if (frame.Type.SequenceEqual("event"u8))
        {
            WriteEvent(frame, sequence, output);
        }
        else if (frame.Type.SequenceEqual("result"u8))
        {
            WriteResult(frame, sequence, output);
        }
    }

    // The event's own members, then when and what: no JSON is read to write it.
    private void WriteEvent(EventFrame frame, long sequence, IBufferWriter<byte> output)
    {
        WriteHead(sequence, output);
        output.Write(frame.Data[..^1]);
        output.Write(",\"timestamp\":\""u8);
        output.Write(frame.Time);
        output.Write("\",\"type\":\""u8);
        output.Write(frame.Name);
        output.Write("\"}\n\n"u8);
    }

    private void WriteResult(EventFrame frame, long sequence, IBufferWriter<byte> output)
    {
        WriteHead(sequence, output);
        var result = JsonElement.Parse(frame.Data, JsonDepth.Kept);
        var time = Encoding.ASCII.GetString(frame.Time);
        using (var json = new Utf8JsonWriter(output, Plain))
        {
            json.WriteStartObject();
            switch (ExecutionStatusWords.Parse(result.GetProperty("status").GetString()!))
            {
                case ExecutionStatus.Completed:
                    json.WriteBoolean("done", true);
                    json.WriteString("type", "completion");
                    json.WriteString("timestamp", time);
                    break;
                case ExecutionStatus.Canceled:
                    WriteError(json, Text(result, "cancel_reason") ?? Cancelled, "USER_CANCELLED", time);
                    break;
                default:
                    WriteError(json, Text(result, "error") ?? "", CodeOf(Generator.StageIn(result)), time);
                    break;
            }

            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }

    private static void WriteError(Utf8JsonWriter json, string message, string code, string time)
    {
        json.WriteString("error", message);
        json.WriteString("timestamp", time);
        json.WriteString("type", "error");
        json.WriteString("code", code);
    }

    private static string CodeOf(GenerationStage? stage) => stage switch
    {
        GenerationStage.Setup => "SETUP_ERROR",
        GenerationStage.Iteration => "ITERATION_ERROR",
        _ => "STREAM_ERROR",
    };

    private static string? Text(JsonElement result, string name) => result.TryGetProperty(name, out var text) ? text.GetString() : null;

    private void WriteHead(long sequence, IBufferWriter<byte> output)
    {
        if (hasIds)
        {
            output.Write(_idPrefix);
            var digits = output.GetSpan(20);
            Utf8Formatter.TryFormat(sequence, digits, out var written);
            output.Advance(written);
            output.Write("\n"u8);
        }

        output.Write("data: "u8);
    }
}
