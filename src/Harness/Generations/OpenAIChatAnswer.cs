using System.Text;
using System.Text.Json;
using Harness.Agents;

namespace Harness.Generations;

/// <summary>Reads the chunks of one streamed chat completion. Tool calls come in pieces and are given when the answer ends.</summary>
/// <param name="call">Whose answer it is.</param>
/// <param name="maxLength">Characters of its tool calls at most: they are kept to the end.</param>
internal sealed class OpenAIChatAnswer(AgentCall call, int maxLength)
{
    private readonly SortedDictionary<int, PendingCall> _calls = [];
    private string? _reason;
    private TokenUsage _usage;
    private long _length;

    /// <summary>What a chunk says.</summary>
    /// <exception cref="AgentException">It is an error of the endpoint, or a tool call that does not end.</exception>
    /// <exception cref="InvalidDataException">It is no chunk.</exception>
    public IReadOnlyList<ModelPart> Read(string chunk)
    {
        try
        {
            return Read(JsonElement.Parse(chunk));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException(
                $"The language model sent \"{Excerpt.Of(chunk, call.Secrets)}\" where a chunk of a chat completion was expected", e);
        }
    }

    /// <summary>The tool calls, and the end.</summary>
    /// <param name="wasAnnounced">Whether the endpoint has said that nothing more comes; some do not give a reason then.</param>
    /// <exception cref="InvalidDataException">The answer broke off, or the arguments of a call are no JSON.</exception>
    public IReadOnlyList<ModelPart> End(bool wasAnnounced)
    {
        if (_reason is null && !wasAnnounced)
        {
            throw new InvalidDataException("The language model's answer broke off before its end");
        }

        var calls = _calls.Values.Select(call => call.ToCall());
        return [.. calls, new ModelFinish(_calls.Count > 0 ? "tool-calls" : Reason(_reason ?? "stop"), _usage)];
    }

    private List<ModelPart> Read(JsonElement chunk)
    {
        if (Find(chunk, "error") is { } error)
        {
            throw new AgentException($"The language model broke off: {Excerpt.Of(Encoding.UTF8.GetBytes(error.GetRawText()), call.Secrets)}");
        }

        if (Find(chunk, "usage") is { } usage)
        {
            _usage = new TokenUsage(
                Find(usage, "prompt_tokens")?.GetInt64() ?? _usage.Prompt, Find(usage, "completion_tokens")?.GetInt64() ?? _usage.Completion);
        }

        var parts = new List<ModelPart>();
        if (Find(chunk, "choices") is { } choices && choices.GetArrayLength() > 0)
        {
            _reason = Find(choices[0], "finish_reason")?.GetString() ?? _reason;
            if (Find(choices[0], "delta") is { } delta)
            {
                ReadDelta(delta, parts);
            }
        }

        return parts;
    }

    private void ReadDelta(JsonElement delta, List<ModelPart> parts)
    {
        var reasoning = Find(delta, "reasoning_content") ?? Find(delta, "reasoning");
        if (reasoning is { ValueKind: JsonValueKind.String } && reasoning.Value.GetString() is { Length: > 0 } thought)
        {
            parts.Add(new ModelReasoning(thought));
        }

        if (Find(delta, "content")?.GetString() is { Length: > 0 } text)
        {
            parts.Add(new ModelText(text));
        }

        if (Find(delta, "tool_calls") is not { } calls)
        {
            return;
        }

        foreach (var piece in calls.EnumerateArray())
        {
            var index = Find(piece, "index")?.GetInt32() ?? _calls.Count;
            var pending = _calls.TryGetValue(index, out var begun) ? begun : _calls[index] = new PendingCall();
            pending.Id = Find(piece, "id")?.GetString() ?? pending.Id;
            var (name, arguments) = Find(piece, "function") is { } function
                ? (Find(function, "name")?.GetString(), Find(function, "arguments")?.GetString())
                : default;
            pending.Name += name;
            pending.Arguments.Append(arguments);
            _length += 1L + (name?.Length ?? 0) + (arguments?.Length ?? 0);
        }

        if (_length > maxLength)
        {
            throw call.TooLong(maxLength);
        }
    }

    private static string Reason(string reason) => reason switch
    {
        "stop" or "length" => reason,
        "content_filter" => "content-filter",
        "tool_calls" => "tool-calls",
        _ => "unknown",
    };

    private static JsonElement? Find(JsonElement value, string name) =>
        value.TryGetProperty(name, out var found) && found.ValueKind != JsonValueKind.Null ? found : null;

    private sealed class PendingCall
    {
        public string Id { get; set; } = "";

        public string Name { get; set; } = "";

        public StringBuilder Arguments { get; } = new();

        public ModelToolCall ToCall()
        {
            try
            {
                return new ModelToolCall(Id, Name, JsonElement.Parse(Arguments.Length == 0 ? "{}" : Arguments.ToString()));
            }
            catch (JsonException e)
            {
                throw new InvalidDataException(
                    $"The language model asked for the tool '{Excerpt.Of(Name, [])}' with arguments that are no JSON", e);
            }
        }
    }
}
