using System.Text;
using System.Text.Json;
using Harness.Agents;
using Harness.Executions;

namespace Harness.Generations;

/// <summary>Reads the chunks of one streamed chat completion. Tool calls come in pieces and are given when the answer ends.</summary>
/// <param name="call">Whose answer it is.</param>
/// <param name="maxLength">Characters of its tool calls and its refusal at most: they are kept to the end.</param>
internal sealed class OpenAIChatAnswer(AgentCall call, int maxLength)
{
    // Up to here a double is exact, and sums stay far from the end of a long.
    private const double MaxCount = 1L << 53;

    private readonly List<PendingCall> _calls = [];
    private readonly Dictionary<int, PendingCall> _lastAt = [];
    private readonly TextPieces _reasoning = new();
    private readonly TextPieces _text = new();
    private readonly TextPieces _refusal = new();
    private readonly StringBuilder _refused = new();
    private bool _hasText;
    private string? _reason;
    private TokenUsage _usage;
    private long _length;

    /// <summary>What a chunk says.</summary>
    /// <exception cref="AgentException">It is an error of the endpoint, or a tool call or a refusal that does not end.</exception>
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

    /// <summary>The tool calls, if the answer was not cut, and the end.</summary>
    /// <param name="wasAnnounced">Whether the endpoint has said that nothing more comes; some do not give a reason then.</param>
    /// <exception cref="AgentException">All that came is a refusal.</exception>
    /// <exception cref="InvalidDataException">The answer broke off, or the arguments of a call are no JSON.</exception>
    public IReadOnlyList<ModelPart> End(bool wasAnnounced)
    {
        if (_reason is null && !wasAnnounced)
        {
            throw new InvalidDataException("The language model's answer broke off before its end");
        }

        var parts = new List<ModelPart>();
        Add(_reasoning.End(), isThought: true, parts);
        Add(_text.End(), isThought: false, parts);
        var wasCut = _reason is "length" or "content_filter";
        if (!wasCut)
        {
            // Of one that was cut the arguments may be missing: without them a tool could do more than it was asked for.
            parts.AddRange(_calls.Select(call => call.ToCall()));
        }

        if (!_hasText && _calls.Count == 0 && _refused.Append(_refusal.End()).Length > 0)
        {
            throw call.Declined(_refused.ToString());
        }

        return [.. parts, new ModelFinish(_calls.Count > 0 && !wasCut ? "tool-calls" : Reason(_reason ?? "stop"), _usage)];
    }

    private List<ModelPart> Read(JsonElement chunk)
    {
        if (Find(chunk, "error") is { } error)
        {
            throw new AgentException($"The language model broke off: {Excerpt.Of(Repair(error.GetRawText()).ToArray(), call.Secrets)}");
        }

        if (Find(chunk, "usage") is { ValueKind: JsonValueKind.Object } usage)
        {
            _usage = new TokenUsage(Count(usage, "prompt_tokens") ?? _usage.Prompt, Count(usage, "completion_tokens") ?? _usage.Completion);
        }

        var parts = new List<ModelPart>();
        if (Find(chunk, "choices") is { } choices && choices.GetArrayLength() > 0)
        {
            _reason = Text(choices[0], "finish_reason") ?? _reason;
            if (Find(choices[0], "delta") is { } delta)
            {
                ReadDelta(delta, parts);
            }
        }

        return parts;
    }

    private void ReadDelta(JsonElement delta, List<ModelPart> parts)
    {
        if ((Find(delta, "reasoning_content") ?? Find(delta, "reasoning")) is { ValueKind: JsonValueKind.String } thought)
        {
            Add(_reasoning.Read(thought), isThought: true, parts);
        }

        if (Find(delta, "content") is { } content)
        {
            ReadContent(content, isThought: false, parts);
        }

        if (Find(delta, "refusal") is { ValueKind: JsonValueKind.String } refusal)
        {
            var piece = _refusal.Read(refusal);
            _refused.Append(piece);
            _length += piece.Length;
        }

        if (Find(delta, "tool_calls") is { } calls)
        {
            foreach (var piece in calls.EnumerateArray())
            {
                ReadCall(piece);
            }
        }

        if (_length > maxLength)
        {
            throw call.TooLong(maxLength);
        }
    }

    private void ReadCall(JsonElement piece)
    {
        var (index, id) = (Find(piece, "index")?.GetInt32(), Text(piece, "id"));
        var function = Find(piece, "function");
        var name = function is { } named ? Text(named, "name") : null;
        var pending = PendingOf(index, id, name);
        if (pending.Id.Length == 0 && id is not null)
        {
            pending.Id = id;
            _length += id.Length;
        }

        var arguments = function is { } given && Find(given, "arguments") is { } next ? pending.Pieces.Read(next) : "";
        pending.Name += name;
        pending.Arguments.Append(arguments);
        _length += 1L + (name?.Length ?? 0) + arguments.Length;
    }

    // Some endpoints give every call the index 0, some give none: there a name with another id begins the next call, and one with none where there
    // is no index, or the last call is whole.
    private PendingCall PendingOf(int? index, string? id, string? name)
    {
        var last = index is { } at ? _lastAt.GetValueOrDefault(at) : _calls.LastOrDefault();
        var isNext = name is not null && (id is null ? index is null || last?.IsWhole == true : last?.Id.Length > 0 && last.Id != id);
        if (last is null || isNext)
        {
            last = new PendingCall();
            _lastAt[index ?? _calls.Count] = last;
            _calls.Add(last);
        }

        return last;
    }

    // A text, or a list of parts: texts, and thoughts whose content is such a list itself.
    private void ReadContent(JsonElement content, bool isThought, List<ModelPart> parts)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            Add((isThought ? _reasoning : _text).Read(content), isThought, parts);
            return;
        }

        foreach (var part in content.EnumerateArray().Where(part => part.ValueKind == JsonValueKind.Object))
        {
            var type = Text(part, "type");
            if (type is "text" or "thinking" && Find(part, type) is { } inner)
            {
                ReadContent(inner, isThought || type == "thinking", parts);
            }
        }
    }

    private void Add(string text, bool isThought, List<ModelPart> parts)
    {
        if (text.Length > 0)
        {
            _hasText |= !isThought;
            parts.Add(isThought ? new ModelReasoning(text) : new ModelText(text));
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

    // Some endpoints count in floating point, as in 12.0; an answer is good whatever is said of its tokens.
    private static long? Count(JsonElement usage, string name) =>
        Find(usage, name) is { ValueKind: JsonValueKind.Number } found && found.TryGetDouble(out var count) && count is >= 0 and <= MaxCount
            ? (long)count
            : null;

    // Some endpoints write "" where others write nothing.
    private static string? Text(JsonElement value, string name) =>
        Find(value, name) is { } text && TextPieces.Whole(text) is { Length: > 0 } whole ? whole : null;

    private static ReadOnlyMemory<byte> Repair(string json) => JsonRepair.Apply(Encoding.UTF8.GetBytes(json));

    private sealed class PendingCall
    {
        /// <summary>As the endpoint calls it; empty: it has not said.</summary>
        public string Id { get; set; } = "";

        public string Name { get; set; } = "";

        public StringBuilder Arguments { get; } = new();

        /// <summary>True when its arguments want no more pieces.</summary>
        public bool IsWhole
        {
            get
            {
                try
                {
                    return Arguments.Length > 0 && JsonElement.Parse(Repair(Arguments.ToString()).Span).ValueKind == JsonValueKind.Object;
                }
                catch (JsonException)
                {
                    return false;
                }
            }
        }

        /// <summary>Of the arguments: what is cut between two of their pieces.</summary>
        public TextPieces Pieces { get; } = new();

        public ModelToolCall ToCall()
        {
            try
            {
                Arguments.Append(Pieces.End());
                var id = Id.Length > 0 ? Id : $"call_{Guid.NewGuid():N}";
                return new ModelToolCall(id, Name, JsonElement.Parse(Repair(Arguments.Length == 0 ? "{}" : Arguments.ToString()).Span));
            }
            catch (JsonException e)
            {
                throw new InvalidDataException(
                    $"The language model asked for the tool '{Excerpt.Of(Name, [])}' with arguments that are no JSON", e);
            }
        }
    }
}
