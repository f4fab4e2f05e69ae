using System.Net;

namespace Harness.Server.Tests.Transports.Rest;

/// <summary>A client of server-sent events that sees the lines as they came.</summary>
internal sealed class EventReader : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private EventReader(HttpResponseMessage response, Stream body) => (_response, _lines) = (response, new StreamReader(body));

    public HttpResponseMessage Response => _response;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<EventReader> OpenAsync(HttpClient client, string path, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path)
        {
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
        };
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new EventReader(response, await response.Content.ReadAsStreamAsync(Stop));
    }

    /// <summary>The lines up to the next empty one; null at the end.</summary>
    public async Task<string?> ReadAsync()
    {
        var block = new List<string>();
        while (await _lines.ReadLineAsync(Stop) is { } line)
        {
            if (line.Length == 0)
            {
                return string.Join('\n', block);
            }

            block.Add(line);
        }

        Assert.Empty(block);
        return null;
    }

    /// <summary>All that is left, by block.</summary>
    public async Task<List<string>> ReadToEndAsync()
    {
        var blocks = new List<string>();
        while (await ReadAsync() is { } block)
        {
            blocks.Add(block);
        }

        return blocks;
    }

    public void Dispose()
    {
        _lines.Dispose();
        _response.Dispose();
    }
}
