using Harness.Agents;

namespace Harness.Generations;

/// <summary>An agent that is called by name: who it is, which model answers for it, and what it can do. Immutable.</summary>
public sealed record AgentDefinition
{
    /// <summary>The name that calls it, unique: 1 to 64 letters, digits, dots, dashes and underscores.</summary>
    public required string Id { get; init; }

    /// <summary>A name for people; null: the id.</summary>
    public string? Name { get; init; }

    /// <summary>What it is for; also what other agents know of it that may pass tasks on to it.</summary>
    public string Description { get; init; } = "";

    /// <summary>What the model is told first.</summary>
    public string Instructions { get; init; } = "";

    /// <summary>
    /// <c>provider/model</c> such as <c>openai/gpt-4o-mini</c>, a bare name for a model of <c>openai</c>, or <c>scripted</c>: its rules
    /// answer. Default: <c>scripted</c>.
    /// </summary>
    public string Model { get; init; } = ChatModels.Scripted;

    /// <summary>Names of its tools.</summary>
    public IReadOnlyList<string> Tools { get; init; } = [];

    /// <summary>Ids of the agents it may pass tasks on to.</summary>
    public IReadOnlyList<string> SubAgents { get; init; } = [];

    /// <summary>Calls to models at most; null: ten for each sub-agent, at least ten.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>A model of the program's own, in place of <see cref="Model"/>, which then only names it; null: none.</summary>
    public IChatModel? ChatModel { get; init; }

    /// <summary>What a <c>scripted</c> agent waits between two tokens. Default: nothing.</summary>
    public TimeSpan TokenDelay { get; init; }

    /// <summary>The rules of a <c>scripted</c> agent; null: those of the demo agent.</summary>
    internal Script? Script { get; init; }

    /// <summary>Reads an agent as its YAML file has it: docs/agents.md shows the form.</summary>
    /// <param name="id">Its id, where the text names none.</param>
    /// <param name="yaml">The text.</param>
    /// <exception cref="AgentException">It is no agent; names the line and what to change.</exception>
    public static AgentDefinition Parse(string id, string yaml)
    {
        using var text = new StringReader(yaml);
        return AgentFile.Read(id, id, text);
    }

    /// <summary>What people call it.</summary>
    public string DisplayName => string.IsNullOrWhiteSpace(Name) ? Id : Name;
}
