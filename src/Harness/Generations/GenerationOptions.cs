using System.ComponentModel.DataAnnotations;

namespace Harness.Generations;

/// <summary>
/// Where named agents and their models come from, and what is remembered of them, bound from the configuration section
/// <c>Harness:Generations</c>. The agents themselves are in <see cref="AgentSection"/>.
/// </summary>
public sealed class GenerationOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Harness:Generations";

    /// <summary>A folder of YAML files, one agent each; null: none.</summary>
    public string? AgentFolder { get; set; }

    /// <summary>Where models are asked for, by the provider's name; beside those that are known by themselves.</summary>
    [Required]
    public Dictionary<string, ProviderSetting> Providers { get; set; } = [];

    /// <summary>Whether the agent <c>demo</c> is there although other agents are. Default: true.</summary>
    public bool Demo { get; set; } = true;

    /// <summary>Conversations remembered at most, of all agents together; the one unused longest is forgotten first. Default: 10,000.</summary>
    [Range(0, 10_000_000)]
    public int MaxConversations { get; set; } = 10_000;

    /// <summary>Messages remembered of one conversation; older ones are forgotten. Default: 200.</summary>
    [Range(2, 100_000)]
    public int MaxMessages { get; set; } = 200;

    /// <summary>Bytes that remembered conversations take in memory, about; past it the one unused longest is forgotten. Default: 64 MiB.</summary>
    [Range(1024, long.MaxValue)]
    public long MaxMemoryBytes { get; set; } = 64 * 1024 * 1024;
}

/// <summary>An OpenAI-compatible endpoint.</summary>
public sealed class ProviderSetting
{
    /// <summary>Base URL (<c>NAME_BASE_URL</c>); null: the known one.</summary>
    public string? BaseUrl { get; set; }

    /// <summary>Key (<c>NAME_API_KEY</c>); null or empty: none.</summary>
    public string? ApiKey { get; set; }
}
