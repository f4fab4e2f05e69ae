using System.Text.Json;
using System.Text.Json.Serialization;
using Harness.Generations;

namespace Harness.Server.Dialects.VoltAgent.Agents;

// Wire names are those of the VoltAgent Core API.

/// <summary>An agent in the list.</summary>
internal record AgentSummary(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("description")] string Description,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("model")] string Model,
    [property: JsonPropertyName("tools")] IReadOnlyList<ToolSummary> Tools,
    [property: JsonPropertyName("subAgents")] IReadOnlyList<SubAgentSummary> SubAgents,
    [property: JsonPropertyName("memory")] MemorySummary Memory,
    [property: JsonPropertyName("isTelemetryEnabled")] bool IsTelemetryEnabled)
{
    /// <summary>As an agent is registered, and whether it works now.</summary>
    public static AgentSummary From(AgentDefinition agent, AgentCatalog catalog, Generator generator) => new(
        agent.Id,
        agent.DisplayName,
        agent.Description,
        WordOf(agent, generator),
        Generator.ModelOf(agent).Name,
        [.. catalog.ToolsOf(agent).Select(tool => new ToolSummary(tool.Name, tool.Description, tool.Parameters.Document))],
        [.. catalog.SubAgentsOf(agent).Select(subAgent => SubAgentSummary.From(subAgent, generator))],
        MemorySummary.InMemory,
        IsTelemetryEnabled: false);

    /// <summary>What an agent does now.</summary>
    public static string WordOf(AgentDefinition agent, Generator generator) => generator.IsWorking(agent) ? "working" : "idle";
}

/// <summary>One agent, with what the list leaves out.</summary>
internal sealed record AgentDetails(
    AgentSummary Summary,
    [property: JsonPropertyName("instructions")] string Instructions,
    [property: JsonPropertyName("maxSteps")] int MaxSteps) : AgentSummary(Summary)
{
    /// <summary>The inherited members are written one by one.</summary>
    [JsonIgnore]
    public AgentSummary Summary { get; init; } = Summary;
}

/// <summary>A tool of an agent.</summary>
internal sealed record ToolSummary(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("description")] string Description,
    [property: JsonPropertyName("parameters")] JsonElement Parameters);

/// <summary>An agent that another one may pass tasks on to.</summary>
internal sealed record SubAgentSummary(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("description")] string Description,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("model")] string Model)
{
    /// <summary>As it is registered, and whether it works now.</summary>
    public static SubAgentSummary From(AgentDefinition agent, Generator generator) =>
        new(agent.Id, agent.DisplayName, agent.Description, AgentSummary.WordOf(agent, generator), Generator.ModelOf(agent).Name);
}

/// <summary>Where conversations are remembered.</summary>
internal sealed record MemorySummary(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("available")] bool IsAvailable,
    [property: JsonPropertyName("status")] string Status)
{
    /// <summary>In the process.</summary>
    public static MemorySummary InMemory { get; } = new("InMemory", IsAvailable: true, "idle");
}

/// <summary>A page of an agent's generations, the newest first.</summary>
internal sealed record HistoryPage(
    [property: JsonPropertyName("entries")] IReadOnlyList<HistoryEntry> Entries,
    [property: JsonPropertyName("pagination")] Pagination Pagination);
