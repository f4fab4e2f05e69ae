using System.Net.Http.Headers;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Agents;

/// <summary>A Voiceflow project, over the Dialog Manager API's interact call without streaming.</summary>
internal sealed class VoiceflowAgent : IAgent
{
    private readonly AgentHttp _http;
    private readonly VoiceflowTarget _target;
    private readonly AgentCall _call;

    public VoiceflowAgent(AgentHttp http, VoiceflowTarget target, TimeSpan timeLimit)
    {
        _http = http;
        _target = target;
        _call = new AgentCall
        {
            Peer = "Voiceflow",
            Address = target.Runtime,
            AddressSetting = "the runtime URL (voiceflow_runtime_url, VF_RUNTIME_URL) and the subdomain",
            TimeLimit = timeLimit,
            Secrets = [target.Key],
            Advice = Advice,
        };
    }

    /// <inheritdoc/>
    public string Name => "voiceflow";

    /// <inheritdoc/>
    public string Description => $"voiceflow ({_target.Runtime})";

    /// <inheritdoc/>
    public IConversation Open(string userId)
    {
        // A path segment of dots alone would name another path.
        if (userId.Trim('.').Length == 0)
        {
            throw new AgentException("A Voiceflow user id must hold more than dots");
        }

        return new Conversation(this, $"{_target.Runtime}/state/user/{Uri.EscapeDataString(userId)}");
    }

    private string Environment => _target.Environment is { } name ? $"the environment '{name}'" : "the environment";

    private string? Advice(int status) => status switch
    {
        401 or 403 => "Set VF_API_KEY, --voiceflow-api-key or the request's api_key to a Dialog Manager API key (VF.DM.…) "
            + "of the project, or leave the key out to talk to the built-in demo agent",
        404 => $"Check the runtime URL, and that {Environment} exists and is published",
        400 => $"Check that the API key belongs to the project and that {Environment} exists and is published",
        _ => null,
    };

    private async Task<byte[]> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.TryAddWithoutValidation("accept", "application/json");
        request.Headers.TryAddWithoutValidation("Authorization", _target.Key);
        if (_target.Environment is not null)
        {
            request.Headers.TryAddWithoutValidation("versionID", _target.Environment);
        }

        return await _http.SendAsync(request, _call, cancellationToken);
    }

    // A value of another kind than the one that is read makes JsonElement throw InvalidOperationException.
    private T Parse<T>(byte[] body, string expected, Func<JsonElement, T> read)
    {
        try
        {
            return read(JsonElement.Parse(JsonRepair.Apply(body).Span));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw _call.Unusable(body, expected, exception);
        }
    }

    private sealed class Conversation(VoiceflowAgent agent, string state) : IConversation
    {
        public async Task<AgentReply> SendAsync(AgentTurn turn, CancellationToken cancellationToken)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{state}/interact?logs=off")
            {
                Content = new ByteArrayContent(Body(turn)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
            };
            var body = await agent.SendAsync(request, cancellationToken);
            return agent.Parse(body, "a JSON array of traces", Traces);
        }

        public async Task<JsonElement> GetVariablesAsync(CancellationToken cancellationToken)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, state);
            var body = await agent.SendAsync(request, cancellationToken);
            return agent.Parse(body, "the user's state with its variables", Variables);
        }

        private static AgentReply Traces(JsonElement answer) => new([.. answer.EnumerateArray().Select(TraceReader.Read)]);

        private static JsonElement Variables(JsonElement answer) =>
            answer.TryGetProperty("variables", out var variables) && variables.ValueKind == JsonValueKind.Object
                ? variables
                : throw new InvalidOperationException("No object of variables");

        private static byte[] Body(AgentTurn turn) => AgentJson.Object(json =>
        {
            json.WriteStartObject("action");
            json.WriteString("type", turn.Type);
            if (turn.Payload is { ValueKind: not JsonValueKind.Undefined } payload)
            {
                json.WritePropertyName("payload");
                payload.WriteTo(json);
            }

            json.WriteEndObject();
            if (turn.Variables is { Count: > 0 } variables)
            {
                json.WriteStartObject("state");
                json.WriteVariables(variables);
                json.WriteEndObject();
            }
        });
    }
}
