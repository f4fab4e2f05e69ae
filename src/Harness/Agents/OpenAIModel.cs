using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.Http.Headers;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;

namespace Harness.Agents;

/// <summary>Chat completions of any OpenAI-compatible endpoint, through the official package.</summary>
internal sealed class OpenAIModel : ILanguageModel
{
    private readonly AgentHttp _http;
    private readonly OpenAIEndpoint _endpoint;
    private readonly TimeSpan _timeLimit;
    private readonly ApiKeyCredential _credential;
    private readonly OpenAIClientOptions _options;

    public OpenAIModel(AgentHttp http, OpenAIEndpoint endpoint, TimeSpan timeLimit)
    {
        _http = http;
        _endpoint = endpoint;
        _timeLimit = timeLimit;
        _credential = new ApiKeyCredential(endpoint.Key);
        _options = new OpenAIClientOptions
        {
            Endpoint = new Uri(endpoint.BaseUrl),
            NetworkTimeout = timeLimit,
            // The package would wait for as long as the endpoint says; a test run shows a refusal instead.
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            Transport = new HttpClientPipelineTransport(http.Client),
        };
    }

    /// <inheritdoc/>
    public async Task<string> CompleteAsync(ModelPrompt prompt, CancellationToken cancellationToken)
    {
        var call = Call(prompt);
        var content = AgentJson.Object(json => Write(json, prompt));
        var answer = await _http.RunAsync(call, stop => SendAsync(prompt.Model, content, call, stop), cancellationToken);
        if (answer.Status is < 200 or >= 300)
        {
            throw call.Refused(answer);
        }

        try
        {
            var choice = JsonElement.Parse(answer.Body).GetProperty("choices")[0].GetProperty("message").GetProperty("content");
            return choice.GetString() ?? throw call.Unusable(answer.Body, "a text in choices[0].message.content");
        }
        catch (Exception exception) when (exception
            is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            throw call.Unusable(answer.Body, "a text in choices[0].message.content", exception);
        }
    }

    private async Task<HttpAnswer> SendAsync(string model, byte[] content, AgentCall call, CancellationToken cancellationToken)
    {
        var request = new RequestOptions
        {
            BufferResponse = false,
            CancellationToken = cancellationToken,
            ErrorOptions = ClientErrorBehaviors.NoThrow,
        };
        var client = new ChatClient(model, _credential, _options);
        using var body = BinaryContent.Create(BinaryData.FromBytes(content));
        var result = await client.CompleteChatAsync(body, request);
        using var response = result.GetRawResponse();
        var answer = response.ContentStream is { } stream ? await _http.ReadAsync(stream, call, cancellationToken) : [];
        _ = RetryConditionHeaderValue.TryParse(response.Headers.TryGetValue("Retry-After", out var later) ? later : null, out var retryAfter);
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
