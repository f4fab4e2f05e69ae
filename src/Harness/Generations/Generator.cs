using System.Collections.Concurrent;
using System.Text.Json;
using Harness.Agents;
using Harness.Executions;

namespace Harness.Generations;

/// <summary>Makes executions out of requests to agents. Thread-safe.</summary>
public sealed class Generator(AgentCatalog agents, ChatModels models, ConversationMemory memory)
{
    /// <summary>The kind of these executions.</summary>
    public const string Kind = "generation";

    /// <summary>The label that every generation has: its agent's id.</summary>
    public const string AgentLabel = "agent";

    /// <summary>The label of a generation for somebody: who.</summary>
    public const string UserLabel = "user";

    /// <summary>The label of a generation that is part of a conversation: which.</summary>
    public const string ConversationLabel = "conversation";

    // Agents whose models answer now, and how many times.
    private readonly ConcurrentDictionary<string, int> _working = new(StringComparer.Ordinal);

    /// <summary>
    /// A generation that is ready to be started. While it runs its log has typed events; its result's details are one object:
    /// <c>provider, model, input, text</c> or <c>object, usage, finishReason, toolCalls, toolResults</c>, <c>messages</c> where the input was
    /// more than one, and <c>failure</c>
    /// (a <see cref="GenerationStage"/> in lower case) when it failed.
    /// </summary>
    /// <exception cref="ExecutionInputException">There is no such agent, or its context is nested too deep.</exception>
    public ExecutionPlan Plan(GenerationRequest request)
    {
        var agent = agents.Find(request.Agent) ?? throw new ExecutionInputException(
            $"There is no agent '{Excerpt.Of(request.Agent, [])}'; there are {string.Join(", ", agents.Agents.Select(agent => agent.Id))}");
        if ((JsonDepth.Refuse(request.Settings.Context) ?? JsonDepth.Refuse(request.Settings.ProviderOptions)) is { } problem)
        {
            throw new ExecutionInputException($"What is sent for the agent or its provider {problem}");
        }

        var labels = new Dictionary<string, string> { [AgentLabel] = agent.Id };
        Label(UserLabel, request.UserId);
        Label(ConversationLabel, request.ConversationId);
        return new ExecutionPlan(
            new ExecutionRequest { Kind = Kind, Name = agent.DisplayName, Greeting = "Generation started", Labels = labels },
            async (log, stop) =>
            {
                _working.AddOrUpdate(agent.Id, 1, (_, count) => count + 1);
                try
                {
                    using var events = new GenerationEvents(log, stop);
                    return await new GenerationRun(agents, models, memory, request, events, stop).RunAsync(agent);
                }
                finally
                {
                    _working.AddOrUpdate(agent.Id, 0, (_, count) => count - 1);
                }
            });

        void Label(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                labels[name] = value;
            }
        }
    }

    /// <summary>Whether a generation of this agent runs now.</summary>
    public bool IsWorking(AgentDefinition agent) => _working.GetValueOrDefault(agent.Id) > 0;

    /// <summary>The model that answers for an agent now: its provider and its name there.</summary>
    public static (string Provider, string Name) ModelOf(AgentDefinition agent) => ChatModels.Split(agent.Model);

    /// <summary>Calls to models at most, where a request does not say.</summary>
    public static int MaxStepsOf(AgentDefinition agent) => agent.MaxSteps ?? Math.Max(10, 10 * agent.SubAgents.Count);

    /// <summary>Where a failed generation failed, from its result's details; null: the details do not say.</summary>
    public static GenerationStage? StageIn(JsonElement details) =>
        details.ValueKind == JsonValueKind.Object && details.TryGetProperty("failure", out var failure)
            && Enum.TryParse<GenerationStage>(failure.GetString(), ignoreCase: true, out var stage)
            ? stage
            : null;
}
