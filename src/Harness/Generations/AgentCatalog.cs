using Harness.Agents;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Harness.Generations;

/// <summary>The agents that can be called by name, and the tools they can use. Fixed from the start; thread-safe.</summary>
public sealed class AgentCatalog
{
    /// <summary>The agent that is there without being registered.</summary>
    public const string DemoId = "demo";

    private readonly OrderedDictionary<string, AgentDefinition> _agents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AgentTool> _tools = new(StringComparer.Ordinal);

    /// <summary>Collects what code, the configuration and the folder register, in this order.</summary>
    /// <exception cref="AgentException">An agent cannot be used; the message says which and what to change.</exception>
    public AgentCatalog(
        IEnumerable<AgentDefinition> agents,
        IEnumerable<AgentTool> tools,
        IOptions<GenerationOptions> options,
        IConfiguration configuration,
        TimeProvider time)
    {
        AddTool(CurrentTime(time));
        foreach (var tool in tools)
        {
            AddTool(tool);
        }

        var settings = options.Value;
        var folder = string.IsNullOrWhiteSpace(settings.AgentFolder) ? [] : AgentFile.ReadFolder(settings.AgentFolder);
        foreach (var agent in agents.Concat(AgentSection.Read(configuration)).Concat(folder))
        {
            Check(agent);
            if (!_agents.TryAdd(agent.Id, agent))
            {
                throw new AgentException($"There are two agents '{agent.Id}'; give one of them another id");
            }
        }

        if (settings.Demo)
        {
            _agents.TryAdd(DemoId, Demo);
        }

        foreach (var agent in _agents.Values)
        {
            CheckReferences(agent);
        }
    }

    /// <summary>All agents, in the order they were registered; the demo agent last.</summary>
    public IReadOnlyList<AgentDefinition> Agents => [.. _agents.Values];

    /// <summary>The agent with this id; null: there is none.</summary>
    public AgentDefinition? Find(string id) => _agents.GetValueOrDefault(id);

    /// <summary>The tools of an agent, without those for its sub-agents.</summary>
    public IReadOnlyList<AgentTool> ToolsOf(AgentDefinition agent) => [.. agent.Tools.Select(name => _tools[name])];

    /// <summary>The agents that an agent may pass tasks on to.</summary>
    public IReadOnlyList<AgentDefinition> SubAgentsOf(AgentDefinition agent) => [.. agent.SubAgents.Select(id => _agents[id])];

    private static AgentDefinition Demo { get; } = new()
    {
        Id = DemoId,
        Name = "Harness demo",
        Description = "Answers from a script: no key, no network",
        Instructions = "You are the demo agent of Harness.",
        Tools = ["current_time"],
        TokenDelay = TimeSpan.FromMilliseconds(10),
    };

    private static AgentTool CurrentTime(TimeProvider time) => new(
        "current_time",
        "The date and time of this moment, in UTC",
        (_, _) => Task.FromResult<object?>(new Dictionary<string, string> { ["utc"] = $"{time.GetUtcNow():yyyy-MM-dd HH:mm:ss}" }));

    private void AddTool(AgentTool tool)
    {
        if (!_tools.TryAdd(tool.Name, tool))
        {
            throw new AgentException($"There are two tools '{tool.Name}'; give one of them another name");
        }
    }

    private static void Check(AgentDefinition agent)
    {
        var good = agent.Id.Length is > 0 and <= 64 && agent.Id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_');
        if (!good || agent.MaxSteps < 1)
        {
            throw new AgentException(good
                ? $"The agent '{agent.Id}' has maxSteps {agent.MaxSteps}; it takes 1 or more"
                : $"The agent's id '{Excerpt.Of(agent.Id, [])}' cannot be used; it has 1 to 64 letters, digits, dots, dashes and underscores");
        }
    }

    private void CheckReferences(AgentDefinition agent)
    {
        if (agent.Tools.FirstOrDefault(name => !_tools.ContainsKey(name)) is { } tool)
        {
            throw new AgentException(
                $"The agent '{agent.Id}' uses the tool '{tool}', which is not registered; there are {string.Join(", ", _tools.Keys)}");
        }

        if (agent.SubAgents.FirstOrDefault(id => !_agents.ContainsKey(id)) is { } other)
        {
            throw new AgentException(
                $"The agent '{agent.Id}' passes tasks on to '{other}', which is not registered; there are {string.Join(", ", _agents.Keys)}");
        }
    }
}
