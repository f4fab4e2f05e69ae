using Harness.Agents;

namespace Harness.Generations;

/// <summary>
/// Providers of OpenAI-compatible endpoints that are known by name, and their environment variables: <c>GROQ_API_KEY</c>,
/// <c>GROQ_BASE_URL</c>. Those of <c>openai</c> are <see cref="AgentOptions"/>'.
/// </summary>
public static class ProviderEnvironment
{
    /// <summary>Base URLs by name.</summary>
    internal static readonly IReadOnlyDictionary<string, string> BaseUrls = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["openai"] = "https://api.openai.com/v1",
        ["ollama"] = "http://localhost:11434/v1",
        ["lmstudio"] = "http://localhost:1234/v1",
        ["groq"] = "https://api.groq.com/openai/v1",
        ["mistral"] = "https://api.mistral.ai/v1",
        ["deepseek"] = "https://api.deepseek.com/v1",
        ["openrouter"] = "https://openrouter.ai/api/v1",
        ["together"] = "https://api.together.xyz/v1",
        ["xai"] = "https://api.x.ai/v1",
    };

    /// <summary>The pairs of section <c>Harness:Generations:Providers</c> for the variables that are set.</summary>
    /// <param name="getVariable">Such as <see cref="Environment.GetEnvironmentVariable(string)"/>; null means unset.</param>
    public static IEnumerable<KeyValuePair<string, string?>> Read(Func<string, string?> getVariable)
    {
        foreach (var provider in BaseUrls.Keys.Where(provider => provider != "openai"))
        {
            foreach (var (suffix, option) in new[] { ("API_KEY", nameof(ProviderSetting.ApiKey)), ("BASE_URL", nameof(ProviderSetting.BaseUrl)) })
            {
                if (getVariable($"{provider.ToUpperInvariant()}_{suffix}") is { } value && !string.IsNullOrWhiteSpace(value))
                {
                    yield return KeyValuePair.Create<string, string?>(Option(provider, option), value.Trim());
                }
            }
        }
    }

    /// <summary>What to tell somebody who is to set a key: a variable where one is read, else the option.</summary>
    internal static string KeyPlace(string provider) => Place(provider, "API_KEY", nameof(ProviderSetting.ApiKey));

    /// <summary>As <see cref="KeyPlace"/>, of the address.</summary>
    internal static string AddressPlace(string provider) => Place(provider, "BASE_URL", nameof(ProviderSetting.BaseUrl));

    /// <summary>The option of a provider.</summary>
    internal static string Option(string provider, string name) =>
        $"{GenerationOptions.Section}:{nameof(GenerationOptions.Providers)}:{provider}:{name}";

    /// <summary>Whether it is a model server for machines of one's own: those ask for no key.</summary>
    internal static bool IsOwnMachine(string provider) =>
        BaseUrls.TryGetValue(provider, out var url) && AgentUrl.IsLoopback(new Uri(url));

    private static string Place(string provider, string suffix, string option) =>
        BaseUrls.ContainsKey(provider) ? $"{provider.ToUpperInvariant()}_{suffix}" : Option(provider, option);
}
