using System.CommandLine;
using Harness.Agents;

namespace Harness.Cli;

/// <summary>The flags that say which agent is tested and how it is reached; names and short forms are those of the Voiceflow CLI.</summary>
internal sealed class AgentFlags
{
    private readonly Dictionary<string, Option<string>> _options = new()
    {
        [nameof(AgentOptions.Default)] = new("--agent")
        {
            Description = "Agent of suites that name none: voiceflow, demo, scripted, webhook or openai [default: voiceflow with a key, scripted with a script, else demo]",
            HelpName = "name",
        },
        [nameof(AgentOptions.ScriptFile)] = new("--agent-script")
        {
            Description = "Rules file (YAML) of the scripted agent",
            HelpName = "file",
        },
        [nameof(AgentOptions.VoiceflowApiKey)] = new("--voiceflow-api-key", "-x")
        {
            Description = "Voiceflow API key [env: VF_API_KEY]",
            HelpName = "key",
        },
        [nameof(AgentOptions.VoiceflowSubdomain)] = new("--voiceflow-subdomain", "-b")
        {
            Description = "Voiceflow private-cloud subdomain [env: VF_SUBDOMAIN]",
            HelpName = "name",
        },
        [nameof(AgentOptions.VoiceflowRuntimeUrl)] = new("--voiceflow-runtime-url")
        {
            Description = "Base URL of the Voiceflow runtime [env: VF_RUNTIME_URL]",
            HelpName = "url",
        },
        [nameof(AgentOptions.VoiceflowApiUrl)] = new("--voiceflow-api-url")
        {
            Description = "Base URL of the Voiceflow API [env: VF_API_URL]",
            HelpName = "url",
        },
        [nameof(AgentOptions.VoiceflowAnalyticsUrl)] = new("--voiceflow-analytics-url")
        {
            Description = "Base URL of the Voiceflow analytics API [env: VF_ANALYTICS_URL]",
            HelpName = "url",
        },
        [nameof(AgentOptions.OpenAIApiKey)] = new("--open-api-key", "-z")
        {
            Description = "Key of the OpenAI-compatible endpoint [env: OPENAI_API_KEY]",
            HelpName = "key",
        },
        [nameof(AgentOptions.OpenAIBaseUrl)] = new("--openai-base-url")
        {
            Description = "Base URL of the OpenAI-compatible endpoint [env: OPENAI_BASE_URL]",
            HelpName = "url",
        },
    };

    public void AddTo(Command command)
    {
        foreach (var option in _options.Values)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The flags that were given, as configuration: what was not given leaves environment and defaults alone.</summary>
    public IEnumerable<KeyValuePair<string, string?>> ToSettings(ParseResult parsed) =>
        from option in _options
        where parsed.GetResult(option.Value) is { Implicit: false }
        select KeyValuePair.Create($"{AgentOptions.Section}:{option.Key}", parsed.GetValue(option.Value));
}
