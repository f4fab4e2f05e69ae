using System.Text.RegularExpressions;

namespace Harness.Agents;

/// <summary>Where a Voiceflow conversation goes and with which key.</summary>
internal sealed partial class VoiceflowTarget
{
    private const string DefaultRuntime = "https://general-runtime.voiceflow.com";

    private VoiceflowTarget(string runtime, string key, string? environment) =>
        (Runtime, Key, Environment) = (runtime, key, environment);

    /// <summary>Base URL without a slash at its end.</summary>
    public string Runtime { get; }

    /// <summary>The Dialog Manager key; a secret.</summary>
    public string Key { get; }

    /// <summary>What goes out as <c>versionID</c>; null for none.</summary>
    public string? Environment { get; }

    /// <summary>
    /// Where: the request's runtime URL, else its subdomain, else the configured URL, else the configured subdomain, else the public
    /// cloud. The server's own key goes only to the server's own URL, to Voiceflow's domain over https, and to this machine.
    /// </summary>
    /// <exception cref="AgentException">There is no key for this address, or something in it cannot be used; says what to set.</exception>
    public static VoiceflowTarget Resolve(AgentSettings settings, AgentOptions options)
    {
        var configured = Url(options.VoiceflowRuntimeUrl, "VF_RUNTIME_URL");
        var runtime = Url(settings.RuntimeUrl, "voiceflow_runtime_url")
            ?? Cloud(settings.Subdomain, "voiceflow_subdomain")
            ?? configured
            ?? Cloud(options.VoiceflowSubdomain, "VF_SUBDOMAIN")
            ?? DefaultRuntime;

        var environment = HeaderText(settings.Environment, "The environment name");
        if (HeaderText(settings.ApiKey, "The request's api_key") is { } requested)
        {
            return new VoiceflowTarget(runtime, requested, environment);
        }

        var key = HeaderText(options.VoiceflowApiKey, "VF_API_KEY") ?? throw new AgentException(
            "The voiceflow agent needs a Dialog Manager API key: set VF_API_KEY, --voiceflow-api-key or the request's api_key, "
            + "or leave the agent out to talk to the built-in demo agent");
        return runtime == configured || MayHaveServerKey(new Uri(runtime))
            ? new VoiceflowTarget(runtime, key, environment)
            : throw new AgentException(
                $"The server's Voiceflow key is not sent to {runtime}: a request with its own runtime URL needs its own api_key");
    }

    private static bool MayHaveServerKey(Uri runtime)
    {
        var host = runtime.IdnHost;
        var voiceflow = host.Equals("voiceflow.com", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".voiceflow.com", StringComparison.OrdinalIgnoreCase);
        return AgentUrl.IsLoopback(runtime) || (voiceflow && runtime.Scheme == Uri.UriSchemeHttps);
    }

    private static string? Url(string? text, string setting) =>
        string.IsNullOrWhiteSpace(text) ? null : AgentUrl.Parse(text, setting).GetLeftPart(UriPartial.Path).TrimEnd('/');

    private static string? Cloud(string? subdomain, string setting)
    {
        if (string.IsNullOrWhiteSpace(subdomain))
        {
            return null;
        }

        subdomain = subdomain.Trim();
        return subdomain.Length <= 200 && Labels.IsMatch(subdomain)
            ? $"https://general-runtime.{subdomain}.voiceflow.com"
            : throw new AgentException(
                $"{setting} must be a plain subdomain such as 'staging' (letters, digits, hyphens, dots between), "
                + $"not '{Excerpt.Of(subdomain, [])}'");
    }

    private static string? HeaderText(string? text, string what)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        text = text.Trim();
        return text.All(character => character is >= ' ' and <= '~')
            ? text
            : throw new AgentException($"{what} holds a character that cannot be sent (a line break, or a letter outside ASCII)");
    }

    [GeneratedRegex(@"\A[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\z")]
    private static partial Regex Labels { get; }
}
