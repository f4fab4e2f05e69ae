using System.Runtime.CompilerServices;
using System.Text.Json;
using Harness.Agents;

namespace Harness.Generations;

/// <summary>
/// A model whose answers are rules: those of the scripted agent (docs/agents.md), with two traces of their own. A
/// <c>{ type: tool-call, payload: { name, args } }</c> asks for a tool, and what follows it is said when the tool has answered, with
/// <c>{result}</c> for its answer; an <c>{ type: object, payload: … }</c> answers where an object is asked for. Without one, an object is made
/// up to fit the schema.
/// </summary>
internal sealed class ScriptedChat(Script script, TimeSpan tokenDelay, int maxReplyLength, TimeProvider time) : IChatModel
{
    private const string ToolCall = "tool-call";
    private const string Object = "object";
    private const int PieceLength = 6;

    /// <summary>The same script, when its tool calls can be made.</summary>
    /// <exception cref="AgentException">One names no tool.</exception>
    public static Script Check(Script script, ScriptNode root)
    {
        var traces = script.Rules.Append(script.Fallback).OfType<ScriptRule>().SelectMany(rule => rule.Reply);
        return traces.All(trace => trace.Type != ToolCall || NameOf(trace.Payload).Length > 0)
            ? script
            : throw root.Error("a tool-call has a payload such as { name: current_time, args: {} }");
    }

    public async IAsyncEnumerable<ModelPart> StreamAsync(
        ChatPrompt prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var asked = prompt.Messages.Index().LastOrDefault(message => message.Item.Role == "user");
        var answered = prompt.Messages.Skip(asked.Index).Where(message => message.Role == "tool").ToList();
        var (traces, delay) = Answer(prompt, asked.Item?.Text ?? "", answered);
        if (answered.Count == 0 && delay > TimeSpan.Zero)
        {
            await Task.Delay(delay, time, cancellationToken);
        }

        var (text, call) = prompt.Schema.ValueKind == JsonValueKind.Undefined
            ? Read(traces)
            : (ReadObject(traces, prompt.Schema, asked.Item?.Text ?? ""), null);
        var cut = CutAt(text, prompt.Settings.StopSequences);
        var (tokens, reason) = (0L, call is null ? "stop" : "tool-calls");
        var began = time.GetTimestamp();
        foreach (var token in prompt.Schema.ValueKind == JsonValueKind.Undefined ? Words(text[..cut]) : Pieces(text))
        {
            if (tokens == prompt.Settings.MaxTokens)
            {
                (reason, call) = ("length", null);
                break;
            }

            // Reckoned from the first token: what one is late the next need not be.
            if (tokens++ * tokenDelay - time.GetElapsedTime(began) is var wait && wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, time, cancellationToken);
            }

            cancellationToken.ThrowIfCancellationRequested();
            yield return new ModelText(token);
        }

        if (call is not null)
        {
            yield return call with { Id = $"call_{Guid.NewGuid():N}" };
        }

        yield return new ModelFinish(reason, new TokenUsage(prompt.Messages.Sum(message => (message.Text.Length + 3L) / 4), tokens));
    }

    /// <summary>The traces that are still to be said, with their placeholders filled, and how long the first of them takes.</summary>
    private (IReadOnlyList<ScriptTrace> Traces, TimeSpan Delay) Answer(ChatPrompt prompt, string said, List<ChatMessage> answered)
    {
        var variables = new Dictionary<string, JsonElement>(script.Variables, StringComparer.Ordinal);
        if (prompt.Settings.Context.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in prompt.Settings.Context.EnumerateObject())
            {
                variables[property.Name] = property.Value;
            }
        }

        var learned = answered.Count > 0 ? Learned(answered[^1].Text) : [];
        foreach (var (name, value) in learned)
        {
            variables[name] = value;
        }

        var turn = ScriptTurn.Read(AgentTurn.Text(said));
        var rule = script.Rules.FirstOrDefault(rule => rule.When.Holds(turn, variables)) ?? script.Fallback;
        if (rule is null)
        {
            return ([], TimeSpan.Zero);
        }

        // A rule that forgets still has the answer of the tool that it called.
        var text = new ScriptText(turn, variables, maxReplyLength);
        rule.Change(variables, script.Variables.Concat(learned), text);
        var left = rule.Reply.AsEnumerable();
        foreach (var _ in answered)
        {
            left = left.SkipWhile(trace => trace.Type != ToolCall).Skip(1);
        }

        return ([.. left.Select(trace => trace with { Payload = text.Fill(trace.Payload) })], rule.Delay);
    }

    private static (string Text, ModelToolCall? Call) Read(IReadOnlyList<ScriptTrace> traces)
    {
        var said = traces.TakeWhile(trace => trace.Type != ToolCall).Where(trace => trace.Type != Object)
            .Select(trace => TraceReader.Read(trace.Type, trace.Payload).Message).OfType<string>();
        var text = string.Join('\n', said);
        if (traces.FirstOrDefault(trace => trace.Type == ToolCall) is not { } call)
        {
            return (text, null);
        }

        var args = call.Payload.TryGetProperty("args", out var given) ? given : JsonElement.Parse("{}");
        return (text.Length > 0 ? text + "\n" : "", new ModelToolCall("", NameOf(call.Payload), args));
    }

    private static string ReadObject(IReadOnlyList<ScriptTrace> traces, JsonElement schema, string said)
    {
        var written = traces.FirstOrDefault(trace => trace.Type == Object)?.Payload;
        return AgentJson.ToText(written ?? SchemaSample.Make(schema, said));
    }

    // What a tool has answered is {result}, and each member of it is a variable too.
    private static List<KeyValuePair<string, JsonElement>> Learned(string result)
    {
        IEnumerable<JsonProperty> members = PartialJson.Read(result) is { ValueKind: JsonValueKind.Object } read ? read.EnumerateObject() : [];
        return
        [
            KeyValuePair.Create("result", JsonSerializer.SerializeToElement(result)),
            .. members.Select(member => KeyValuePair.Create(member.Name, member.Value)),
        ];
    }

    private static string NameOf(JsonElement call) =>
        call.ValueKind == JsonValueKind.Object && call.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString()!
            : "";

    private static int CutAt(string text, IReadOnlyList<string> stops) => stops
        .Select(stop => stop.Length == 0 ? -1 : text.IndexOf(stop, StringComparison.Ordinal))
        .Where(at => at >= 0).Append(text.Length).Min();

    private static IEnumerable<string> Words(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = start;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            // Each with the white space behind it.
            while (end < text.Length && char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            yield return text[start..end];
            start = end;
        }
    }

    // JSON has long stretches without a space.
    private static IEnumerable<string> Pieces(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = Math.Min(text.Length, start + PieceLength);
            end += end < text.Length && char.IsHighSurrogate(text[end - 1]) ? 1 : 0;
            yield return text[start..end];
            start = end;
        }
    }
}
