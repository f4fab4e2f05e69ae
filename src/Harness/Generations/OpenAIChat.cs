using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using Harness.Agents;
using OpenAI;
using OpenAI.Chat;

namespace Harness.Generations;

/// <summary>Chat completions of any OpenAI-compatible endpoint as they come, through the official package.</summary>
internal sealed class OpenAIChat : IChatModel
{
    // Of an answer that is no stream, more than an error shows.
    private const int MaxQuoteLength = 4 * 1024;

    private readonly AgentHttp _http;
    private readonly OpenAIEndpoint _endpoint;
    private readonly string _provider;
    private readonly TimeSpan _timeLimit;
    private readonly ChatClient _client;

    public OpenAIChat(AgentHttp http, OpenAIEndpoint endpoint, string provider, TimeSpan timeLimit)
    {
        (_http, _endpoint, _provider, _timeLimit) = (http, endpoint, provider, timeLimit);
        var options = new OpenAIClientOptions
        {
            Endpoint = new Uri(endpoint.BaseUrl),
            // The limit is for each piece of the answer (ReadLineAsync), not for all of it.
            NetworkTimeout = Timeout.InfiniteTimeSpan,
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            Transport = new HttpClientPipelineTransport(http.Client),
        };
        // The model in the client is for its typed calls, which this does not use: each prompt names its own.
        _client = new ChatClient("none", new ApiKeyCredential(endpoint.Key), options);
    }

    public async IAsyncEnumerable<ModelPart> StreamAsync(
        ChatPrompt prompt, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var call = Call(prompt);
        var content = AgentJson.Object(json => OpenAIChatBody.Write(json, prompt, _provider));
        using var response = await _http.RunAsync(call, stop => SendAsync(content, stop), cancellationToken);
        if (response.IsError)
        {
            throw call.Refused(await ReadRefusalAsync(response, call, cancellationToken));
        }

        var lines = new BodyLines(response.ContentStream ?? Stream.Null, call, _http.MaxReplyBytes);
        var answer = new OpenAIChatAnswer(call, _http.MaxReplyBytes);
        var (wasAnnounced, hasChunks, others) = (false, false, new StringBuilder());
        while (!wasAnnounced && await ReadLineAsync(lines, call, cancellationToken) is { } line)
        {
            if (!line.StartsWith("data:", StringComparison.Ordinal))
            {
                if (others.Length <= MaxQuoteLength)
                {
                    others.Append(line).Append('\n');
                }

                continue;
            }

            var chunk = line["data:".Length..].Trim();
            if (chunk.Length == 0)
            {
                continue;
            }

            hasChunks = true;
            wasAnnounced = chunk == "[DONE]";
            foreach (var part in wasAnnounced ? [] : answer.Read(chunk))
            {
                yield return part;
            }
        }

        if (!hasChunks)
        {
            throw call.Unusable(Encoding.UTF8.GetBytes(others.ToString()), "a stream of chunks");
        }

        foreach (var part in answer.End(wasAnnounced))
        {
            yield return part;
        }
    }

    private async Task<PipelineResponse> SendAsync(byte[] content, CancellationToken cancellationToken)
    {
        var request = new RequestOptions
        {
            BufferResponse = false,
            CancellationToken = cancellationToken,
            ErrorOptions = ClientErrorBehaviors.NoThrow,
        };
        using var body = BinaryContent.Create(BinaryData.FromBytes(content));
        return (await _client.CompleteChatAsync(body, request)).GetRawResponse();
    }

    private Task<string?> ReadLineAsync(BodyLines lines, AgentCall call, CancellationToken cancellationToken) =>
        _http.RunAsync(call, lines.ReadAsync, cancellationToken);

    private async Task<HttpAnswer> ReadRefusalAsync(PipelineResponse response, AgentCall call, CancellationToken cancellationToken)
    {
        var stream = response.ContentStream ?? Stream.Null;
        var body = await _http.RunAsync(call, stop => AgentHttp.ReadRefusalAsync(stream, stop), cancellationToken);
        _ = RetryConditionHeaderValue.TryParse(response.Headers.TryGetValue("Retry-After", out var later) ? later : null, out var retryAfter);
        return new HttpAnswer(response.Status, body, retryAfter);
    }

    private AgentCall Call(ChatPrompt prompt) => new()
    {
        Peer = "The language model",
        Address = _endpoint.BaseUrl,
        AddressSetting = ProviderEnvironment.AddressPlace(_provider),
        TimeLimit = _timeLimit,
        Secrets = [_endpoint.Key],
        Advice = status => status switch
        {
            401 or 403 => $"Set {ProviderEnvironment.KeyPlace(_provider)} to a key of this endpoint",
            404 => $"Check {ProviderEnvironment.AddressPlace(_provider)}, and that it has a model '{prompt.Model}'",
            400 => $"Check the model '{prompt.Model}' and the options of the request",
            _ => null,
        },
    };
}
