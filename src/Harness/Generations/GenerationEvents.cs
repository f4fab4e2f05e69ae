using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Generations;

/// <summary>
/// What a generation says in its log: typed events <c>text, reasoning, tool-call, tool-result, object, finish</c>
/// (docs/protocol.md). For one thread at a time: all events share one buffer.
/// </summary>
internal sealed class GenerationEvents(ExecutionLog log, CancellationToken stop) : IDisposable
{
    // Longer pieces are sent in several; three bytes a character is the most there can be, and an escape may take six.
    private const int MaxPiece = 32 * 1024;

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _bytes = new(256);
    private readonly Utf8JsonWriter _json = new(Stream.Null, Plain);

    /// <summary>The sub-agent that speaks; null: the agent itself.</summary>
    public AgentDefinition? SubAgent { get; set; }

    /// <summary>Appends a line of the record.</summary>
    public ValueTask WriteAsync(string line) => log.WriteAsync(line, stop);

    /// <summary>The next piece of the text.</summary>
    public ValueTask TextAsync(string text) => PieceAsync("text", text);

    /// <summary>The next piece of the model's thoughts.</summary>
    public ValueTask ReasoningAsync(string text) => PieceAsync("reasoning", text);

    /// <summary>A tool that is asked for.</summary>
    public ValueTask ToolCallAsync(ModelToolCall call)
    {
        Begin();
        _json.WritePropertyName("toolCall");
        WriteCall(_json, call);
        return EndAsync("tool-call");
    }

    /// <summary>What a tool answered.</summary>
    public ValueTask ToolResultAsync(ToolOutcome outcome)
    {
        Begin();
        _json.WritePropertyName("toolResult");
        WriteOutcome(_json, outcome, LogEvent.MaxDataBytes - 1024);
        return EndAsync("tool-result");
    }

    /// <summary>The object as far as it has come. One that does not fit an event is left out; the result has it.</summary>
    public ValueTask ObjectAsync(JsonElement value)
    {
        Begin();
        _json.WritePropertyName("object");
        value.WriteTo(_json);
        return EndAsync("object");
    }

    /// <summary>The end of the text.</summary>
    public ValueTask FinishAsync(string reason, TokenUsage usage)
    {
        Begin();
        _json.WriteString("finishReason", reason);
        WriteUsage(_json, usage);
        return EndAsync("finish");
    }

    /// <summary>Writes a tool call as an object.</summary>
    public static void WriteCall(Utf8JsonWriter json, ModelToolCall call)
    {
        json.WriteStartObject();
        json.WriteString("toolCallId", call.Id);
        json.WriteString("toolName", call.Name);
        json.WritePropertyName("args");
        WriteValue(json, call.Arguments);
        json.WriteEndObject();
    }

    /// <summary>Writes what a tool answered as an object.</summary>
    public static void WriteOutcome(Utf8JsonWriter json, ToolOutcome outcome, int maxBytes)
    {
        json.WriteStartObject();
        json.WriteString("toolCallId", outcome.Call.Id);
        json.WriteString("toolName", outcome.Call.Name);
        if (outcome.Result.GetRawText().Length > maxBytes / 3)
        {
            json.WriteString("result", $"[cut: the result has {outcome.Result.GetRawText().Length} characters]");
        }
        else
        {
            json.WritePropertyName("result");
            WriteValue(json, outcome.Result);
        }

        json.WriteEndObject();
    }

    /// <summary>Writes the property <c>usage</c>.</summary>
    public static void WriteUsage(Utf8JsonWriter json, TokenUsage usage)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("promptTokens", usage.Prompt);
        json.WriteNumber("completionTokens", usage.Completion);
        json.WriteNumber("totalTokens", usage.Prompt + usage.Completion);
        json.WriteEndObject();
    }

    /// <summary>Gives the writer back.</summary>
    public void Dispose() => _json.Dispose();

    // The model and the tool have it as it is; who watches could not read it.
    private static void WriteValue(Utf8JsonWriter json, JsonElement value)
    {
        if (JsonDepth.Refuse(value) is null)
        {
            value.WriteTo(json);
        }
        else
        {
            json.WriteStringValue($"[cut: nested deeper than {JsonDepth.MaxValue} levels]");
        }
    }

    private async ValueTask PieceAsync(string name, string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var length = Math.Min(MaxPiece, text.Length - start);
            if (start + length < text.Length && char.IsHighSurrogate(text[start + length - 1]))
            {
                length--;
            }

            Begin();
            _json.WriteString(name, text.AsSpan(start, length));
            await EndAsync(name);
            start += length;
        }
    }

    private void Begin()
    {
        _bytes.ResetWrittenCount();
        _json.Reset(_bytes);
        _json.WriteStartObject();
    }

    private ValueTask EndAsync(string name)
    {
        if (SubAgent is { } agent)
        {
            _json.WriteString("subAgentId", agent.Id);
            _json.WriteString("subAgentName", agent.DisplayName);
        }

        _json.WriteEndObject();
        _json.Flush();
        return _bytes.WrittenCount <= LogEvent.MaxDataBytes ? log.EmitAsync(name, _bytes.WrittenMemory, stop) : ValueTask.CompletedTask;
    }
}

/// <summary>What became of a tool call.</summary>
/// <param name="Call">The call.</param>
/// <param name="Result">What the tool gave back, or <c>{"error":"…"}</c>.</param>
internal sealed record ToolOutcome(ModelToolCall Call, JsonElement Result);
