using System.Net;
using System.Text;
using System.Text.Json;

namespace Harness.Server.Tests.Dialects.VoltAgent.Workflows;

/// <summary>A client of this API's server-sent events, as the seed's examples read them: lines that begin with <c>data: </c>.</summary>
internal sealed class StreamOf : IDisposable
{
    private readonly StreamReader _lines;
    private string _id = "";

    private StreamOf(HttpResponseMessage response, Stream body) => (Response, _lines) = (response, new StreamReader(body));

    public HttpResponseMessage Response { get; }

    /// <summary>For each event read, the id a client would come back with.</summary>
    public List<string> Ids { get; } = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static Task<StreamOf> PostAsync(HttpClient client, string path, string json) =>
        OpenAsync(client, new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") });

    public static Task<StreamOf> GetAsync(HttpClient client, string path, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        return OpenAsync(client, request);
    }

    /// <summary>The next event; null at the end.</summary>
    public async Task<JsonElement?> ReadAsync()
    {
        while (await _lines.ReadLineAsync(Stop) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                _id = line[4..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                Ids.Add(_id);
                return JsonElement.Parse(line[6..]);
            }
        }

        return null;
    }

    /// <summary>Events up to and with the first of this type.</summary>
    public async Task<List<JsonElement>> ReadUntilAsync(string type)
    {
        var events = new List<JsonElement>();
        do
        {
            events.Add(await ReadAsync() ?? throw new InvalidOperationException($"The stream ended without {type}"));
        }
        while (events[^1].Text("type") != type);
        return events;
    }

    public async Task<List<JsonElement>> ReadToEndAsync()
    {
        var events = new List<JsonElement>();
        while (await ReadAsync() is { } json)
        {
            events.Add(json);
        }

        return events;
    }

    public void Dispose()
    {
        _lines.Dispose();
        Response.Dispose();
    }

    private static async Task<StreamOf> OpenAsync(HttpClient client, HttpRequestMessage request)
    {
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new StreamOf(response, await response.Content.ReadAsStreamAsync(Stop));
    }
}
