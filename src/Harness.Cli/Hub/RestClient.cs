using System.Net.Http.Headers;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Cli.Hub;

/// <summary>A client of a server's REST routes, for what is asked once. Disposed when done.</summary>
internal sealed class RestClient : IDisposable
{
    private static readonly JsonSerializerOptions Options = new() { MaxDepth = JsonDepth.MaxKept };
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(5);

    private readonly HttpClient _http;

    /// <param name="socket">The address of the server's <c>/ws</c>.</param>
    /// <param name="apiKey">The server's key; null for none.</param>
    public RestClient(Uri socket, string? apiKey)
    {
        var address = new UriBuilder(socket) { Scheme = socket.Scheme == "wss" ? "https" : "http" };
        address.Path = address.Path[..^"/ws".Length] + "/";
        _http = new HttpClient { BaseAddress = address.Uri, Timeout = TimeLimit };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (apiKey is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        }
    }

    /// <summary>Asks for a document.</summary>
    /// <exception cref="RunException">The server cannot be reached, or refuses.</exception>
    public Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);

    /// <summary>Sends a document.</summary>
    /// <exception cref="RunException">The server cannot be reached, or refuses.</exception>
    public Task<JsonElement> PostAsync(string path, object body, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) }, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<JsonElement> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using (request)
            {
                using var response = await _http.SendAsync(request, cancellationToken);
                var json = await response.Content.ReadFromJsonAsync<JsonElement>(Options, cancellationToken);
                return response.IsSuccessStatusCode
                    ? json
                    : throw new RunException($"{_http.BaseAddress} refuses it: {json.Text("message") ?? response.ReasonPhrase}");
            }
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or NotSupportedException
            || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new RunException($"Cannot ask the server at {_http.BaseAddress}: {e.GetBaseException().Message}", e);
        }
    }
}
