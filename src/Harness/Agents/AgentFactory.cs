using Microsoft.Extensions.Options;

namespace Harness.Agents;

/// <summary>
/// Makes the agent that a request asks for. Thread-safe; all its agents and models share connections. An agent remembers its users
/// only while it lives, so each call to <see cref="Create"/> begins with none.
/// </summary>
public sealed class AgentFactory : IDisposable
{
    private const string Connectors = "voiceflow, demo, scripted, webhook, openai";

    private static readonly Lazy<Script> Demo = new(ScriptReader.ReadDemo);

    private readonly AgentOptions _options;
    private readonly TimeProvider _time;
    private readonly AgentHttp _http;

    // A file with a mistake is read again at the next request; a good one is read once.
    private readonly Lazy<Script> _scriptFile;

    /// <summary>Reads its options once, connects to nobody.</summary>
    /// <param name="options">The server's side of every request.</param>
    /// <param name="time">The clock of time limits and delays; null: the system's.</param>
    public AgentFactory(IOptions<AgentOptions> options, TimeProvider? time = null)
    {
        _options = options.Value;
        _time = time ?? TimeProvider.System;
        _http = new AgentHttp(_options.MaxReplyBytes, _time);
        _scriptFile = new Lazy<Script>(() => ScriptReader.ReadFile(_options.ScriptFile!), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>A model that takes the endpoint's place, such as a <see cref="ScriptedModel"/>; null: the endpoint.</summary>
    public ILanguageModel? Model { get; init; }

    /// <summary>Who answers suites that name no agent and bring no key, in plain words for the start banner.</summary>
    /// <exception cref="AgentException">The server's own settings cannot be used; the message says what to set.</exception>
    public string DefaultDescription => Create(new AgentSettings()).Description;

    /// <summary>The agent that the settings, completed by the server's options, ask for.</summary>
    /// <exception cref="AgentException">The settings name no connector we have, or lack what it needs; the message says what to set.</exception>
    public IAgent Create(AgentSettings settings)
    {
        AgentJson.RequireUnicode(settings.Options, "The request's agent");
        var asked = Given(settings.Connector) ?? Given(_options.Default);
        return asked?.ToLowerInvariant() switch
        {
            null => CreateDefault(settings),
            "voiceflow" => new VoiceflowAgent(_http, VoiceflowTarget.Resolve(settings, _options), _options.CallTimeLimit),
            "demo" => CreateDemo("built-in scripted agent"),
            "scripted" => CreateScripted(settings),
            "webhook" => CreateWebhook(settings),
            "openai" => CreateOpenAI(settings),
            _ => throw new AgentException($"There is no agent '{Excerpt.Of(asked, [])}'; valid are {Connectors}"),
        };
    }

    /// <summary>
    /// The language model of this server: <see cref="Model"/>, else the answers file, else the OpenAI-compatible endpoint. With an
    /// answers file each call gives a model that begins with the first answer; ask once for each run.
    /// </summary>
    /// <exception cref="AgentException">No key is set, or the file cannot be used; the message says which.</exception>
    public ILanguageModel CreateModel() =>
        LocalModel() ?? CreateModel(OpenAIEndpoint.Resolve(_options, "A language model"));

    /// <summary>Closes the connections that its agents and models share.</summary>
    public void Dispose() => _http.Dispose();

    private IAgent CreateDefault(AgentSettings settings)
    {
        if (Given(settings.ApiKey) is not null || Given(_options.VoiceflowApiKey) is not null)
        {
            return Create(settings with { Connector = "voiceflow" });
        }

        return Given(_options.ScriptFile) is null
            ? CreateDemo("built-in scripted agent; no Voiceflow key is set")
            : CreateScripted(settings);
    }

    private ScriptedAgent CreateScripted(AgentSettings settings)
    {
        // A request brings rules and never a path: what is on the server's disk is not for it to name.
        if (AgentJson.Find(settings.Options, "rules") is not null)
        {
            var script = ScriptReader.ReadRequest(settings.Options);
            return CreateScripted($"{script.Name}, rules of the request", script);
        }

        return Given(_options.ScriptFile) is { } file
            ? CreateScripted($"{_scriptFile.Value.Name}, {Path.GetFileName(file)}", _scriptFile.Value)
            : CreateDemo("built-in scripted agent; neither the request nor the server has a script");
    }

    private WebhookAgent CreateWebhook(AgentSettings settings) =>
        new(_http, WebhookSettings.Read(settings.Options, _options.CallTimeLimit), settings.Environment);

    // It is asked for at every start, and its rules are not.
    private ScriptedAgent CreateDemo(string words) => CreateScripted("demo", words, Demo);

    private ScriptedAgent CreateScripted(string words, Script script) => CreateScripted("scripted", words, new Lazy<Script>(script));

    private ScriptedAgent CreateScripted(string name, string words, Lazy<Script> script) =>
        new(name, $"{name} ({words})", script, _options.MaxReplyBytes, _time);

    private OpenAIAgent CreateOpenAI(AgentSettings settings)
    {
        var chosen = OpenAISettings.Read(settings.Options);
        if (LocalModel() is { } local)
        {
            return new OpenAIAgent(local, chosen, "a scripted model");
        }

        var endpoint = OpenAIEndpoint.Resolve(_options, "The openai agent");
        return new OpenAIAgent(CreateModel(endpoint), chosen, $"{chosen.Model} at {endpoint.BaseUrl}");
    }

    private ILanguageModel? LocalModel() =>
        Model ?? (Given(_options.ModelScriptFile) is { } file ? ScriptedModel.ReadFile(file) : null);

    private OpenAIModel CreateModel(OpenAIEndpoint endpoint) => new(_http, endpoint, _options.CallTimeLimit);

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
