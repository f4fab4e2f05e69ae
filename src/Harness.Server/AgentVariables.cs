using Harness.Agents;

namespace Harness.Server;

/// <summary>The environment variables of the Voiceflow CLI (compat/voiceflow 1.6) as configuration.</summary>
internal static class AgentVariables
{
    private static readonly (string Variable, string Option)[] Names =
    [
        ("VF_API_KEY", nameof(AgentOptions.VoiceflowApiKey)),
        ("VF_SUBDOMAIN", nameof(AgentOptions.VoiceflowSubdomain)),
        ("VF_API_URL", nameof(AgentOptions.VoiceflowApiUrl)),
        ("VF_RUNTIME_URL", nameof(AgentOptions.VoiceflowRuntimeUrl)),
        ("VF_ANALYTICS_URL", nameof(AgentOptions.VoiceflowAnalyticsUrl)),
        ("OPENAI_API_KEY", nameof(AgentOptions.OpenAIApiKey)),
        ("OPENAI_BASE_URL", nameof(AgentOptions.OpenAIBaseUrl)),
    ];

    /// <summary>What is set and not empty.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> Read(Func<string, string?> read) =>
        from name in Names
        let value = read(name.Variable)
        where !string.IsNullOrEmpty(value)
        select KeyValuePair.Create($"{AgentOptions.Section}:{name.Option}", (string?)value);
}
