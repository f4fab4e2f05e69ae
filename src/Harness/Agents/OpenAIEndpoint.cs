namespace Harness.Agents;

/// <summary>Where chat completions are asked for and with which key.</summary>
/// <param name="BaseUrl">Without a slash at its end.</param>
/// <param name="Key">A secret; a placeholder for a local endpoint that takes none.</param>
internal sealed record OpenAIEndpoint(string BaseUrl, string Key)
{
    private const string DefaultBaseUrl = "https://api.openai.com/v1";

    // The package insists on a key; local model servers ignore it.
    private const string NoKey = "none";

    /// <summary>The server's endpoint. Requests cannot choose another: the server's key would go there.</summary>
    /// <exception cref="AgentException">It needs a key and has none, or has no usable URL.</exception>
    public static OpenAIEndpoint Resolve(AgentOptions options, string what)
    {
        var url = AgentUrl.Parse(string.IsNullOrWhiteSpace(options.OpenAIBaseUrl) ? DefaultBaseUrl : options.OpenAIBaseUrl, "OPENAI_BASE_URL");
        var key = options.OpenAIApiKey?.Trim() ?? "";
        if (key.Length == 0 && !AgentUrl.IsLoopback(url))
        {
            throw new AgentException($"{what} needs OPENAI_API_KEY (or --open-api-key); OPENAI_BASE_URL on this machine works without");
        }

        return key.All(character => character is > ' ' and <= '~')
            ? new OpenAIEndpoint(AgentUrl.Show(url), key.Length == 0 ? NoKey : key)
            : throw new AgentException("OPENAI_API_KEY holds a character that cannot be sent (a space, a line break, or a letter outside ASCII)");
    }

    /// <summary>Says where, never the key.</summary>
    public override string ToString() => BaseUrl;
}
