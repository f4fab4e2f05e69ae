using Harness.Agents;
using Microsoft.Extensions.Options;

namespace Harness.Generations;

/// <summary>Finds the model of an agent by its name. Thread-safe; all models share connections.</summary>
public sealed class ChatModels : IDisposable
{
    /// <summary>The model that rules answer for.</summary>
    public const string Scripted = "scripted";

    // Packages insist on a key; local model servers ignore it.
    private const string NoKey = "none";

    private static readonly Lazy<Script> Demo = new(() => ScriptReader.ReadResource("Harness.Generations.demo.yaml"));

    private readonly AgentOptions _agents;
    private readonly GenerationOptions _options;
    private readonly TimeProvider _time;
    private readonly AgentHttp _http;

    /// <summary>Reads its options once, connects to nobody.</summary>
    public ChatModels(IOptions<AgentOptions> agents, IOptions<GenerationOptions> options, TimeProvider time)
    {
        _agents = agents.Value;
        _options = options.Value;
        _time = time;
        _http = new AgentHttp(_agents.MaxReplyBytes, time);
    }

    /// <summary>Characters of one answer at most, all steps together.</summary>
    internal int MaxReplyLength => _agents.MaxReplyBytes;

    /// <summary>The model, its provider's name, and the name it has there.</summary>
    /// <exception cref="AgentException">There is no such provider, or it lacks a key; the message says what to set.</exception>
    public (IChatModel Model, string Provider, string Name) Resolve(AgentDefinition agent)
    {
        var (provider, name) = Split(agent.Model);
        if (agent.ChatModel is { } own)
        {
            return (own, provider, name);
        }

        return provider == Scripted
            ? (new ScriptedChat(agent.Script ?? Demo.Value, agent.TokenDelay, _agents.MaxReplyBytes, _time), provider, name)
            : (new OpenAIChat(_http, Endpoint(provider), provider, _agents.CallTimeLimit), provider, name);
    }

    /// <summary>The provider and the model's name there. A bare name is a model of <c>openai</c>.</summary>
    internal static (string Provider, string Name) Split(string model)
    {
        var slash = model.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 ? (model[..slash].ToLowerInvariant(), model[(slash + 1)..])
            : model.Length == 0 || model == Scripted ? (Scripted, Scripted)
            : ("openai", model);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _http.Dispose();

    private OpenAIEndpoint Endpoint(string provider)
    {
        var settings = _options.Providers.Where(pair => pair.Key.Equals(provider, StringComparison.OrdinalIgnoreCase));
        var setting = settings.Select(pair => pair.Value).FirstOrDefault() ?? new ProviderSetting();
        var isOpenAI = provider == "openai";
        var address = Given(setting.BaseUrl)
            ?? (isOpenAI ? Given(_agents.OpenAIBaseUrl) : null)
            ?? ProviderEnvironment.BaseUrls.GetValueOrDefault(provider)
            ?? throw new AgentException(
                $"There is no provider '{Excerpt.Of(provider, [])}' of models; known are {Scripted}, "
                + $"{string.Join(", ", ProviderEnvironment.BaseUrls.Keys)}. Another one needs {ProviderEnvironment.Option(provider, nameof(ProviderSetting.BaseUrl))}");
        var url = AgentUrl.Parse(address, $"The base URL of {provider}");
        var key = Given(setting.ApiKey) ?? (isOpenAI ? Given(_agents.OpenAIApiKey) : null);
        if (key is null && !AgentUrl.IsLoopback(url) && !ProviderEnvironment.IsOwnMachine(provider))
        {
            var (place, option) = (ProviderEnvironment.KeyPlace(provider), ProviderEnvironment.Option(provider, nameof(ProviderSetting.ApiKey)));
            throw new AgentException($"The provider {provider} needs a key: set {(place == option ? place : $"{place}, or {option}")}");
        }

        return key is null || key.All(character => character is > ' ' and <= '~')
            ? new OpenAIEndpoint(AgentUrl.Base(url), key ?? NoKey)
            : throw new AgentException(
                $"The key of {provider} holds a character that cannot be sent (a space, a line break, or a letter outside ASCII)");
    }

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
