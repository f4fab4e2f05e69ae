using System.Net.Http.Headers;
using System.Text.Json;

namespace Harness.Agents;

/// <summary>Any agent behind a URL: each turn is one POST of JSON. docs/agents.md shows both shapes.</summary>
internal sealed class WebhookAgent : IAgent
{
    private readonly AgentHttp _http;
    private readonly WebhookSettings _settings;
    private readonly string? _environment;
    private readonly AgentCall _call;
    private readonly ConversationStates<State> _states = new();

    public WebhookAgent(AgentHttp http, WebhookSettings settings, string? environment)
    {
        _http = http;
        _settings = settings;
        _environment = environment;
        _call = new AgentCall
        {
            Peer = "The webhook",
            Address = AgentUrl.Show(settings.Url),
            AddressSetting = "the url of the webhook",
            TimeLimit = settings.TimeLimit,
            TimeLimitSetting = "timeout_seconds or Harness:Agents:CallTimeLimit",
            Secrets = [.. settings.Headers.Select(header => header.Value), settings.Url.Query.TrimStart('?')],
            Advice = status => status is 401 or 403 ? "Check the headers of the webhook" : null,
        };
    }

    /// <inheritdoc/>
    public string Name => "webhook";

    /// <inheritdoc/>
    public string Description => $"webhook ({_call.Address})";

    /// <inheritdoc/>
    public IConversation Open(string userId) => new Conversation(this, userId, _states.Get(userId));

    private async Task<(AgentReply Reply, JsonElement Variables)> PostAsync(byte[] content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _settings.Url)
        {
            Content = new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        request.Headers.TryAddWithoutValidation("accept", "application/json");
        foreach (var (name, value) in _settings.Headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var body = await _http.SendAsync(request, _call, cancellationToken);
        try
        {
            return WebhookReply.Read(body);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw _call.Unusable(body, "JSON", exception);
        }
        catch (FormatException exception)
        {
            throw _call.Unusable(body, exception.Message, exception);
        }
    }

    private sealed class State
    {
        private int _turns;

        public ConversationVariables Variables { get; } = new();

        public int NextTurn() => Interlocked.Increment(ref _turns);
    }

    private sealed class Conversation(WebhookAgent agent, string userId, State state) : IConversation
    {
        public async Task<AgentReply> SendAsync(AgentTurn turn, CancellationToken cancellationToken)
        {
            var content = AgentJson.Object(json => Write(json, turn, state.NextTurn()));
            state.Variables.Set(turn.Variables);
            var (reply, variables) = await agent.PostAsync(content, cancellationToken);
            state.Variables.Set(variables);
            return reply;
        }

        public Task<JsonElement> GetVariablesAsync(CancellationToken cancellationToken) => Task.FromResult(state.Variables.ToJson());

        private void Write(Utf8JsonWriter json, AgentTurn turn, int number)
        {
            json.WriteString("user_id", userId);
            json.WriteString("type", turn.Type);
            json.WritePropertyName("payload");
            if (turn.Payload is { ValueKind: not JsonValueKind.Undefined } payload)
            {
                payload.WriteTo(json);
            }
            else
            {
                json.WriteNullValue();
            }

            if (turn is { Type: "text", Payload: { ValueKind: JsonValueKind.String } text })
            {
                json.WritePropertyName("text");
                text.WriteTo(json);
            }

            if (turn.Variables is { Count: > 0 } variables)
            {
                json.WriteVariables(variables);
            }

            if (!string.IsNullOrWhiteSpace(agent._environment))
            {
                json.WriteString("environment", agent._environment);
            }

            json.WriteNumber("turn", number);
        }
    }
}
