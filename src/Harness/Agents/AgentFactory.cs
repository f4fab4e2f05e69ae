using Microsoft.Extensions.Options;

namespace Harness.Agents;

/// <summary>Makes the agent that a request asks for. Thread-safe; shares connections between agents.</summary>
public sealed class AgentFactory
{
    private readonly AgentOptions _options;

    /// <summary>Reads its options once.</summary>
    public AgentFactory(IOptions<AgentOptions> options) => _options = options.Value;

    /// <summary>Who answers suites that name no agent and bring no key, in plain words for the start banner.</summary>
    public string DefaultDescription => Create(new AgentSettings()).Description;

    /// <summary>The agent that the settings, completed by the server's options, ask for.</summary>
    /// <exception cref="AgentException">The settings name no connector we have, or lack what it needs; the message says what to set.</exception>
    public IAgent Create(AgentSettings settings) =>
        throw new AgentException($"No agent for {settings} yet ({_options.Default})");

    /// <summary>The OpenAI-compatible model of this server.</summary>
    /// <exception cref="AgentException">No key is set; the message says which.</exception>
    public ILanguageModel CreateModel() => throw new AgentException($"No model yet {_options.OpenAIBaseUrl}");
}
