using System.Text.Json;

namespace Harness.Generations;

/// <summary>Writes a prompt as the body of a streamed chat completion.</summary>
internal static class OpenAIChatBody
{
    // What the request itself says is not for options to change.
    private static readonly HashSet<string> Own = new(StringComparer.Ordinal)
    {
        "model", "messages", "stream", "stream_options", "tools", "response_format", "temperature", "max_tokens", "max_completion_tokens",
        "top_p", "frequency_penalty", "presence_penalty", "seed", "stop",
    };

    /// <summary>Writes the members of the body.</summary>
    public static void Write(Utf8JsonWriter json, ChatPrompt prompt, string provider)
    {
        json.WriteString("model", prompt.Model);
        json.WriteBoolean("stream", true);
        json.WriteStartObject("stream_options");
        json.WriteBoolean("include_usage", true);
        json.WriteEndObject();
        WriteSettings(json, prompt.Settings, provider);
        json.WriteStartArray("messages");
        foreach (var message in prompt.Messages)
        {
            WriteMessage(json, message);
        }

        json.WriteEndArray();
        WriteTools(json, prompt.Tools);
        WriteSchema(json, prompt.Schema);
    }

    private static void WriteSettings(Utf8JsonWriter json, GenerationSettings settings, string provider)
    {
        Number("temperature", settings.Temperature);

        // The newer models of OpenAI refuse the older name, other providers do not know the newer one.
        Number(provider == "openai" ? "max_completion_tokens" : "max_tokens", settings.MaxTokens);
        Number("top_p", settings.TopP);
        Number("frequency_penalty", settings.FrequencyPenalty);
        Number("presence_penalty", settings.PresencePenalty);
        Number("seed", settings.Seed);
        if (settings.StopSequences.Count > 0)
        {
            json.WritePropertyName("stop");
            JsonSerializer.Serialize(json, settings.StopSequences);
        }

        if (settings.ProviderOptions.ValueKind == JsonValueKind.Object)
        {
            var options = settings.ProviderOptions.TryGetProperty(provider, out var own) && own.ValueKind == JsonValueKind.Object
                ? own
                : settings.ProviderOptions;
            foreach (var option in options.EnumerateObject().Where(option => !Own.Contains(option.Name)))
            {
                option.WriteTo(json);
            }
        }

        void Number(string name, double? value)
        {
            if (value is { } number)
            {
                json.WriteNumber(name, number);
            }
        }
    }

    private static void WriteMessage(Utf8JsonWriter json, ChatMessage message)
    {
        json.WriteStartObject();
        json.WriteString("role", message.Role);
        if (message.ToolCallId is { } id)
        {
            json.WriteString("tool_call_id", id);
        }

        if (message.Attachments.Count == 0)
        {
            json.WriteString("content", message.Text);
        }
        else
        {
            WriteParts(json, message);
        }

        if (message.ToolCalls.Count > 0)
        {
            WriteCalls(json, message.ToolCalls);
        }

        json.WriteEndObject();
    }

    private static void WriteParts(Utf8JsonWriter json, ChatMessage message)
    {
        json.WriteStartArray("content");
        if (message.Text.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("type", "text");
            json.WriteString("text", message.Text);
            json.WriteEndObject();
        }

        foreach (var attachment in message.Attachments)
        {
            var type = attachment.FileName is null ? "image_url" : "file";
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteStartObject(type);
            json.WriteString(attachment.FileName is null ? "url" : "file_data", DataUrl(attachment));
            if (attachment.FileName is { } name)
            {
                json.WriteString("filename", name);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string DataUrl(ChatAttachment attachment) =>
        attachment.Data.StartsWith("data:", StringComparison.Ordinal) || attachment.Data.StartsWith("http", StringComparison.Ordinal)
            ? attachment.Data
            : $"data:{attachment.MediaType ?? "image/png"};base64,{attachment.Data}";

    private static void WriteCalls(Utf8JsonWriter json, IReadOnlyList<ModelToolCall> calls)
    {
        json.WriteStartArray("tool_calls");
        foreach (var call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id", call.Id);
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", call.Name);
            json.WriteString("arguments", call.Arguments.GetRawText());
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteTools(Utf8JsonWriter json, IReadOnlyList<AgentTool> tools)
    {
        if (tools.Count == 0)
        {
            return;
        }

        json.WriteStartArray("tools");
        foreach (var tool in tools)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", tool.Name);
            json.WriteString("description", tool.Description);
            json.WritePropertyName("parameters");
            tool.Parameters.Document.WriteTo(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteSchema(Utf8JsonWriter json, JsonElement schema)
    {
        if (schema.ValueKind == JsonValueKind.Undefined)
        {
            return;
        }

        json.WriteStartObject("response_format");
        json.WriteString("type", "json_schema");
        json.WriteStartObject("json_schema");
        json.WriteString("name", "object");
        json.WritePropertyName("schema");
        schema.WriteTo(json);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
