using System.ComponentModel.DataAnnotations;

namespace Harness.Agents;

/// <summary>
/// How agents and language models are reached, bound from the configuration section <c>Harness:Agents</c>. What has members of its own there
/// is an agent that is called by name (docs/generations.md).
/// </summary>
public sealed class AgentOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Harness:Agents";

    /// <summary>Connector for suites that name none; null: Voiceflow when there is a key, else the demo agent.</summary>
    public string? Default { get; set; }

    /// <summary>Voiceflow Dialog Manager API key (<c>VF_API_KEY</c>); null or empty: none.</summary>
    public string? VoiceflowApiKey { get; set; }

    /// <summary>Voiceflow private-cloud subdomain (<c>VF_SUBDOMAIN</c>).</summary>
    public string? VoiceflowSubdomain { get; set; }

    /// <summary>Base URL of the Voiceflow runtime (<c>VF_RUNTIME_URL</c>); beats the subdomain. Default: https://general-runtime.voiceflow.com.</summary>
    public string? VoiceflowRuntimeUrl { get; set; }

    /// <summary>Base URL of the Voiceflow creator API (<c>VF_API_URL</c>).</summary>
    public string? VoiceflowApiUrl { get; set; }

    /// <summary>Base URL of the Voiceflow analytics API (<c>VF_ANALYTICS_URL</c>).</summary>
    public string? VoiceflowAnalyticsUrl { get; set; }

    /// <summary>Key of the OpenAI-compatible endpoint (<c>OPENAI_API_KEY</c>); null or empty: none.</summary>
    public string? OpenAIApiKey { get; set; }

    /// <summary>Base URL of the OpenAI-compatible endpoint (<c>OPENAI_BASE_URL</c>). Default: https://api.openai.com/v1.</summary>
    public string? OpenAIBaseUrl { get; set; }

    /// <summary>Rules file of the server's <c>scripted</c> agent; null: the built-in demo rules.</summary>
    public string? ScriptFile { get; set; }

    /// <summary>
    /// Answers file that takes the endpoint's place for testers and judges (see <see cref="ScriptedModel"/>); null: the endpoint.
    /// </summary>
    public string? ModelScriptFile { get; set; }

    /// <summary>Longest time one call to an agent or model may take. Default: 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan CallTimeLimit { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest answer of an agent that is read, in bytes; a longer one is an error. Default: 8 MiB.</summary>
    [Range(1024, 256 * 1024 * 1024)]
    public int MaxReplyBytes { get; set; } = 8 * 1024 * 1024;
}
