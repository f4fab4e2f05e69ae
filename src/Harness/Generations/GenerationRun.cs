using System.Text;
using System.Text.Json;
using Harness.Agents;
using Harness.Executions;
using Harness.Schemas;

namespace Harness.Generations;

/// <summary>One generation, from the request to its result. For one thread at a time.</summary>
internal sealed class GenerationRun(
    AgentCatalog agents, ChatModels models, ConversationMemory memory, GenerationRequest request, GenerationEvents events, CancellationToken stop)
{
    private const string Delegate = "delegate_task";

    // A model that does not wait would keep its thread to the end of the answer. After the first part, and then after so many, others have
    // their turn: the first words of many answers at once come early.
    private const int PartsAtATime = 32;

    private readonly List<ModelToolCall> _calls = [];
    private readonly List<ToolOutcome> _outcomes = [];
    private GenerationStage _stage = GenerationStage.Setup;
    private TokenUsage _usage;
    private string? _shown;
    private string _provider = "";
    private string _model = "";
    private int _stepsLeft;
    private long _length;

    /// <summary>Runs it. What goes wrong is a result; only a cancelled token throws.</summary>
    public async Task<ExecutionResult> RunAsync(AgentDefinition agent)
    {
        try
        {
            (_, _provider, _model) = models.Resolve(agent);
            _stepsLeft = request.MaxSteps ?? Generator.MaxStepsOf(agent);
            await events.WriteAsync($"Agent {agent.Id} answers with {_provider}/{_model}, at most {_stepsLeft} steps");
            var answer = await AnswerAsync(agent, await MessagesAsync(agent));
            var value = request.Schema is null ? default : Accept(answer.Text);
            if (request.Schema is not null)
            {
                await ShowAsync(value);
            }

            Remember(agent, answer.Text);
            await events.WriteAsync($"Finished: {answer.Reason}, {_usage.Prompt} tokens read, {_usage.Completion} written");
            if (request.Schema is null)
            {
                await events.FinishAsync(answer.Reason, _usage);
            }

            return new ExecutionResult(ExecutionStatus.Completed) { Details = Describe(answer, value, failure: null) };
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            // An agent's or model's own words; anything else broke while the answer was worked on.
            var stage = e is AgentException || _stage == GenerationStage.Setup ? _stage : GenerationStage.Iteration;
            return new ExecutionResult(ExecutionStatus.Failed, e.Message) { Details = Describe(answer: null, default, stage) };
        }
    }

    /// <summary>Asks the model, does what it asks for, and asks again, until it has said all or the steps are used up.</summary>
    private async Task<Answer> AnswerAsync(AgentDefinition agent, List<ChatMessage> messages)
    {
        var (model, _, name) = models.Resolve(agent);
        var subAgents = agents.SubAgentsOf(agent);
        var tools = agents.ToolsOf(agent).ToList();
        if (subAgents.Count > 0)
        {
            tools.Add(DelegateTool(subAgents));
        }

        // Sub-agents write text; only the agent that was asked makes the object.
        var isObject = request.Schema is not null && events.SubAgent is null;
        var text = new StringBuilder();
        var reason = "length";
        while (_stepsLeft-- > 0)
        {
            var prompt = new ChatPrompt(name, [.. messages])
            {
                Tools = tools,
                Schema = isObject ? request.Schema!.Document : default,
                Settings = request.Settings,
            };
            var step = await StepAsync(model, prompt, isObject);
            if (isObject)
            {
                // What was said before a tool was called is no part of it.
                text.Clear();
            }

            text.Append(step.Text);
            reason = step.Reason;
            if (step.Calls.Count == 0)
            {
                break;
            }

            messages.Add(new ChatMessage("assistant", step.Text) { ToolCalls = step.Calls });
            foreach (var call in step.Calls)
            {
                var outcome = new ToolOutcome(call, await UseAsync(call, tools, subAgents));
                _outcomes.Add(outcome);
                await events.ToolResultAsync(outcome);
                messages.Add(new ChatMessage("tool", TextOf(outcome.Result)) { ToolCallId = call.Id });
            }
        }

        return new Answer(text.ToString(), reason, []);
    }

    private async Task<Answer> StepAsync(IChatModel model, ChatPrompt prompt, bool isObject)
    {
        _stage = GenerationStage.Stream;
        var (text, calls, reason) = (new StringBuilder(), new List<ModelToolCall>(), "unknown");
        var (shown, taken) = (0, 0);
        await foreach (var part in model.StreamAsync(prompt, stop))
        {
            switch (part)
            {
                case ModelText piece:
                    text.Append(piece.Text);
                    CheckLength(piece.Text.Length);
                    if (!isObject)
                    {
                        await events.TextAsync(piece.Text);
                    }
                    else if (text.Length - shown > shown / 32)
                    {
                        shown = await ShowPartAsync(text.ToString(), shown);
                    }

                    break;
                case ModelReasoning thought:
                    CheckLength(thought.Text.Length);
                    await events.ReasoningAsync(thought.Text);
                    break;
                case ModelToolCall call:
                    calls.Add(call);
                    _calls.Add(call);
                    await events.WriteAsync($"Calls the tool {Excerpt.Of(call.Name, [])}");
                    await events.ToolCallAsync(call);
                    break;
                case ModelFinish finish:
                    reason = finish.Reason;
                    _usage += finish.Usage;
                    break;
            }

            if (taken++ % PartsAtATime == 0)
            {
                await TurnQueue.ToGoOn;
            }
        }

        return new Answer(text.ToString(), reason, calls);
    }

    // A model that never ends must not fill the memory.
    private void CheckLength(int more)
    {
        _length += more;
        if (_length > models.MaxReplyLength)
        {
            throw new AgentException(
                $"The model answered more than {models.MaxReplyLength} characters; raise Harness:Agents:MaxReplyBytes if that is right");
        }
    }

    // The longer the object, the rarer: every part repeats all of it.
    private async ValueTask<int> ShowPartAsync(string text, int shown)
    {
        if (PartialJson.Read(WithoutFence(text)) is { } part && JsonDepth.Refuse(part) is null)
        {
            await ShowAsync(part);
        }

        return text.Length;
    }

    private async ValueTask ShowAsync(JsonElement part)
    {
        var written = AgentJson.ToText(part);
        if (written != _shown)
        {
            _shown = written;
            await events.ObjectAsync(part);
        }
    }

    private async Task<JsonElement> UseAsync(ModelToolCall call, List<AgentTool> tools, IReadOnlyList<AgentDefinition> subAgents)
    {
        var tool = tools.FirstOrDefault(tool => tool.Name == call.Name);
        if (tool is null)
        {
            return Problem($"There is no tool '{Excerpt.Of(call.Name, [])}'; there are {string.Join(", ", tools.Select(tool => tool.Name))}");
        }

        if (tool.Parameters.Validate(call.Arguments, "") is { Count: > 0 } problems)
        {
            return Problem($"The arguments do not fit: {Word(problems)}");
        }

        try
        {
            return tool.Name == Delegate && subAgents.Count > 0
                ? await PassOnAsync(call, subAgents)
                : JsonSerializer.SerializeToElement(await tool.Execute(call.Arguments, stop), AgentJson.Values);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            await events.WriteAsync($"The tool {tool.Name} failed: {Excerpt.Of(e.Message, [])}");
            return Problem(e.Message);
        }
    }

    /// <summary>Lets sub-agents work on a task, one after the other; they share the steps that are left.</summary>
    private async Task<JsonElement> PassOnAsync(ModelToolCall call, IReadOnlyList<AgentDefinition> subAgents)
    {
        var task = call.Arguments.GetProperty("task").GetString()!;
        var speaker = events.SubAgent;
        var answers = new Dictionary<string, string>();
        foreach (var id in call.Arguments.GetProperty("targetAgents").EnumerateArray().Select(name => name.GetString()!).Distinct())
        {
            var subAgent = subAgents.First(agent => agent.Id == id);
            await events.WriteAsync($"Passes the task on to {id}");
            events.SubAgent = subAgent;
            try
            {
                var answer = await AnswerAsync(subAgent, [.. Instructions(subAgent), new ChatMessage("user", task)]);
                answers[id] = answer.Text.Length > 0 || _stepsLeft > 0 ? answer.Text : "No steps are left for this task";
            }
            finally
            {
                events.SubAgent = speaker;
            }
        }

        return JsonSerializer.SerializeToElement(answers, AgentJson.Values);
    }

    private static AgentTool DelegateTool(IReadOnlyList<AgentDefinition> subAgents)
    {
        var ids = string.Join(',', subAgents.Select(agent => $"\"{agent.Id}\""));
        var words = string.Join("; ", subAgents.Select(agent => $"{agent.Id}: {agent.Description}"));
        var parameters = JsonElement.Parse($$"""
            {"type":"object","properties":{"task":{"type":"string"},"targetAgents":{"type":"array","minItems":1,
            "items":{"type":"string","enum":[{{ids}}] } } },"required":["task","targetAgents"]}
            """);
        return new AgentTool(
            Delegate,
            $"Passes a task on to other agents and gives back their answers. {words}",
            (_, _) => Task.FromResult<object?>(null),
            parameters);
    }

    private async ValueTask<List<ChatMessage>> MessagesAsync(AgentDefinition agent)
    {
        var earlier = Key(agent) is { } key ? await memory.RecallAsync(key, request.ContextLimit, stop) : [];
        return [.. Instructions(agent), .. earlier, .. request.Input];
    }

    private IEnumerable<ChatMessage> Instructions(AgentDefinition agent)
    {
        var context = request.Settings.Context;
        var text = context.ValueKind == JsonValueKind.Object && context.GetPropertyCount() > 0
            ? $"{agent.Instructions}\n\nContext of this request: {AgentJson.ToText(context)}".TrimStart()
            : agent.Instructions;
        return text.Length > 0 ? [new ChatMessage("system", text)] : [];
    }

    private void Remember(AgentDefinition agent, string answer)
    {
        if (Key(agent) is { } key)
        {
            memory.Remember(key, [.. Said, new ChatMessage("assistant", answer)]);
        }
    }

    private IEnumerable<ChatMessage> Said => request.Input.Where(message => message.Role is "user" or "assistant");

    private ConversationKey? Key(AgentDefinition agent) =>
        request.ConversationId is { } conversation ? new ConversationKey(agent.Id, request.UserId ?? "", conversation) : null;

    private JsonElement Accept(string text)
    {
        JsonElement value;
        try
        {
            value = JsonElement.Parse(WithoutFence(text));
        }
        catch (JsonException e)
        {
            throw new AgentException($"Schema validation failed: Expected object, received \"{Excerpt.Of(text, [])}\", which is no JSON", e);
        }

        if (JsonDepth.Refuse(value) is not null)
        {
            throw new AgentException($"Schema validation failed: the object is nested deeper than {JsonDepth.MaxValue} levels; ask for a flatter one");
        }

        var problems = request.Schema!.Validate(value, "");
        return problems.Count == 0 ? value : throw new AgentException($"Schema validation failed: {Word(problems)}");
    }

    // As clients of agents know it: "Expected string, received number at address.city".
    private static string Word(IReadOnlyList<SchemaIssue> issues) => string.Join("; ", issues.Select(issue =>
    {
        var what = issue.IsMissing ? "Required" : issue.Expected is { } expected ? $"Expected {expected}, received {issue.Received}" : issue.Message;
        return issue.Path.Length == 0 ? what : $"{what} at {issue.Path.TrimStart('.')}";
    }));

    // Many models put JSON between fences, whatever they are told.
    private static string WithoutFence(string text)
    {
        text = text.Trim();
        if (!text.StartsWith("```", StringComparison.Ordinal))
        {
            return text;
        }

        var line = text.IndexOf('\n', StringComparison.Ordinal);
        text = line < 0 ? "" : text[(line + 1)..];
        var end = text.LastIndexOf("```", StringComparison.Ordinal);
        return (end < 0 ? text : text[..end]).Trim();
    }

    private byte[] Describe(Answer? answer, JsonElement value, GenerationStage? failure) => AgentJson.Object(json =>
    {
        json.WriteString("provider", _provider);
        json.WriteString("model", _model);
        json.WriteString("input", request.Input.LastOrDefault(message => message.Role == "user")?.Text ?? "");
        StoredConversations.WriteMessages(json, [.. Said]);
        if (value.ValueKind != JsonValueKind.Undefined)
        {
            json.WritePropertyName("object");
            value.WriteTo(json);
        }
        else if (answer is not null)
        {
            json.WriteString("text", answer.Text);
        }

        GenerationEvents.WriteUsage(json, _usage);
        if (answer is not null)
        {
            json.WriteString("finishReason", answer.Reason);
        }

        json.WriteStartArray("toolCalls");
        _calls.ForEach(call => GenerationEvents.WriteCall(json, call));
        json.WriteEndArray();
        json.WriteStartArray("toolResults");
        _outcomes.ForEach(outcome => GenerationEvents.WriteOutcome(json, outcome, LogEvent.MaxDataBytes));
        json.WriteEndArray();
        if (failure is { } stage)
        {
            json.WriteString("failure", stage.ToString().ToLowerInvariant());
        }
    });

    private static JsonElement Problem(string message) =>
        JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["error"] = message }, AgentJson.Values);

    private static string TextOf(JsonElement result) =>
        result.ValueKind == JsonValueKind.String ? result.GetString()! : AgentJson.ToText(result);

    private sealed record Answer(string Text, string Reason, IReadOnlyList<ModelToolCall> Calls);
}
