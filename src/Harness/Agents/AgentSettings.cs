using System.Text.Json;

namespace Harness.Agents;

/// <summary>What a request says about the agent it wants to talk to. What it leaves out comes from <see cref="AgentOptions"/>.</summary>
public sealed record AgentSettings
{
    /// <summary>
    /// The connector: <c>voiceflow</c>, <c>demo</c>, <c>scripted</c>, <c>webhook</c> or <c>openai</c>; null for the server's default
    /// (Voiceflow when there is a key, else the demo agent).
    /// </summary>
    public string? Connector { get; init; }

    /// <summary>The connector's own settings as the request's <c>agent</c> object has them (url, headers, model, instructions, rules, …).</summary>
    public JsonElement Options { get; init; }

    /// <summary>Voiceflow Dialog Manager API key of this request; null for the server's.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Voiceflow environment alias or version id, sent as <c>versionID</c>.</summary>
    public string? Environment { get; init; }

    /// <summary>Voiceflow private-cloud subdomain of this request.</summary>
    public string? Subdomain { get; init; }

    /// <summary>Base URL of the Voiceflow runtime for this request; beats the subdomain.</summary>
    public string? RuntimeUrl { get; init; }

    /// <summary>Base URL of the Voiceflow creator API for this request; kept for later features.</summary>
    public string? ApiUrl { get; init; }

    /// <summary>Base URL of the Voiceflow analytics API for this request; kept for later features.</summary>
    public string? AnalyticsUrl { get; init; }

    /// <summary>Says which connector, never the key.</summary>
    public override string ToString() => $"AgentSettings {{ Connector = {Connector ?? "default"} }}";
}
