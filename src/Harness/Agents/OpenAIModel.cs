using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.Http.Headers;
using System.Text.Json;
using Harness.Executions;
using OpenAI;
using OpenAI.Chat;

namespace Harness.Agents;

/// <summary>Chat completions of any OpenAI-compatible endpoint, through the official package.</summary>
internal sealed class OpenAIModel : ILanguageModel
{
    private readonly AgentHttp _http;
    private readonly OpenAIEndpoint _endpoint;
    private readonly TimeSpan _timeLimit;
    private readonly ChatClient _client;

    public OpenAIModel(AgentHttp http, OpenAIEndpoint endpoint, TimeSpan timeLimit)
    {
        _http = http;
        _endpoint = endpoint;
        _timeLimit = timeLimit;
        var options = new OpenAIClientOptions
        {
            Endpoint = new Uri(endpoint.BaseUrl),
            NetworkTimeout = timeLimit,
            // The package would wait for as long as the endpoint says; a test run shows a refusal instead.
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            Transport = new HttpClientPipelineTransport(http.Client),
        };
        // The model in the client is for its typed calls, which this does not use: each prompt names its own.
        _client = new ChatClient("none", new ApiKeyCredential(endpoint.Key), options);
    }

    /// <inheritdoc/>
    public async Task<string> CompleteAsync(ModelPrompt prompt, CancellationToken cancellationToken)
    {
        var call = Call(prompt);
        var content = AgentJson.Object(json => Write(json, prompt));
        var answer = await _http.RunAsync(call, stop => SendAsync(content, call, stop), cancellationToken);
        if (answer.Status is < 200 or >= 300)
        {
            throw call.Refused(answer);
        }

        try
        {
            var message = JsonElement.Parse(JsonRepair.Apply(answer.Body).Span).GetProperty("choices")[0].GetProperty("message");
            var text = message.GetProperty("content").GetString();
            if (string.IsNullOrEmpty(text) && AgentJson.Find(message, "refusal") is { ValueKind: JsonValueKind.String } refusal
                && refusal.GetString() is { Length: > 0 } reason)
            {
                throw call.Declined(reason);
            }

            return text ?? throw call.Unusable(answer.Body, "a text in choices[0].message.content");
        }
        catch (Exception exception) when (exception
            is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            throw call.Unusable(answer.Body, "a text in choices[0].message.content", exception);
        }
    }

    private async Task<HttpAnswer> SendAsync(byte[] content, AgentCall call, CancellationToken cancellationToken)
    {
        var request = new RequestOptions
        {
            BufferResponse = false,
            CancellationToken = cancellationToken,
            ErrorOptions = ClientErrorBehaviors.NoThrow,
        };
        using var body = BinaryContent.Create(BinaryData.FromBytes(content));
        var result = await _client.CompleteChatAsync(body, request);
        using var response = result.GetRawResponse();
        var stream = response.ContentStream ?? Stream.Null;
        var answer = response.IsError
            ? await AgentHttp.ReadRefusalAsync(stream, cancellationToken)
            : await _http.ReadAsync(stream, call, cancellationToken);
        var later = response.Headers.TryGetValue("Retry-After", out var header) ? header : null;
        _ = RetryConditionHeaderValue.TryParse(later, out var retryAfter);
        return new HttpAnswer(response.Status, answer, retryAfter);
    }

    private AgentCall Call(ModelPrompt prompt) => new()
    {
        Peer = "The language model",
        Address = _endpoint.BaseUrl,
        AddressSetting = "OPENAI_BASE_URL (--openai-base-url)",
        TimeLimit = _timeLimit,
        Secrets = [_endpoint.Key],
        Advice = status => status switch
        {
            401 or 403 => "Set OPENAI_API_KEY or --open-api-key to a key of this endpoint",
            404 => $"Check OPENAI_BASE_URL, and that it has a model '{prompt.Model}'",
            400 => $"Check the model '{prompt.Model}' and its settings",
            _ => null,
        },
    };

    private static void Write(Utf8JsonWriter json, ModelPrompt prompt)
    {
        json.WriteString("model", prompt.Model);
        if (prompt.Temperature is { } temperature)
        {
            json.WriteNumber("temperature", temperature);
        }

        if (prompt.TopP is { } topP)
        {
            json.WriteNumber("top_p", topP);
        }

        json.WriteStartArray("messages");
        foreach (var message in prompt.Messages)
        {
            json.WriteStartObject();
            json.WriteString("role", message.Role);
            json.WriteString("content", message.Content);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
