using System.Net;
using System.Net.Http.Headers;

namespace Harness.Agents;

/// <summary>What came back over HTTP, whatever its status.</summary>
internal sealed record HttpAnswer(int Status, byte[] Body, RetryConditionHeaderValue? RetryAfter);

/// <summary>
/// The one HTTP client that all agents of a factory share. Thread-safe. It keeps no cookies and follows no redirect, so what a
/// call carries goes to the address of the call and nowhere else.
/// </summary>
internal sealed class AgentHttp : IDisposable
{
    /// <summary>Connections to one host; when all are busy a call waits for the next free one, within its time limit.</summary>
    public const int MaxConnectionsPerHost = 512;

    private static readonly TimeSpan ConnectTimeLimit = TimeSpan.FromSeconds(15);

    // Long enough to be worth keeping, short enough that a change in DNS is seen.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    private readonly int _maxReplyBytes;
    private readonly TimeProvider _time;

    /// <summary>Opens no connection before the first call.</summary>
    /// <param name="maxReplyBytes">Longest answer that is read, counted after decompression.</param>
    /// <param name="time">The clock of time limits.</param>
    public AgentHttp(int maxReplyBytes, TimeProvider time)
    {
        _maxReplyBytes = maxReplyBytes;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.All,
            ConnectTimeout = ConnectTimeLimit,
            MaxConnectionsPerServer = MaxConnectionsPerHost,
            PooledConnectionLifetime = ConnectionLifetime,
            UseCookies = false,
        };
        Client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>For packages that bring their own pipeline; time limits are the caller's then.</summary>
    public HttpClient Client { get; }

    /// <summary>Sends a request and reads all of its answer; every failure is worded by the call.</summary>
    /// <exception cref="AgentException">No answer, a status other than 2xx, or one that is too long.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was cancelled; the connection is closed.</exception>
    public async Task<byte[]> SendAsync(HttpRequestMessage request, AgentCall call, CancellationToken cancellationToken)
    {
        var answer = await RunAsync(call, stop => SendOnceAsync(request, call, stop), cancellationToken);
        return answer.Status is >= 200 and < 300 ? answer.Body : throw call.Refused(answer);
    }

    /// <summary>Runs any call under its time limit, and words what it throws.</summary>
    public Task<T> RunAsync<T>(AgentCall call, Func<CancellationToken, Task<T>> send, CancellationToken cancellationToken) =>
        call.RunAsync(send, _time, cancellationToken);

    /// <summary>Reads a body to its end, or up to one byte more than the limit.</summary>
    /// <exception cref="AgentException">It is longer than the limit.</exception>
    public async Task<byte[]> ReadAsync(Stream body, AgentCall call, CancellationToken cancellationToken)
    {
        using var read = new MemoryStream();
        var buffer = new byte[Math.Min(_maxReplyBytes, 16 * 1024)];
        while (await body.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            if (read.Length + count > _maxReplyBytes)
            {
                throw call.TooLong(_maxReplyBytes);
            }

            read.Write(buffer, 0, count);
        }

        return read.ToArray();
    }

    /// <summary>Closes all connections.</summary>
    public void Dispose() => Client.Dispose();

    private async Task<HttpAnswer> SendOnceAsync(HttpRequestMessage request, AgentCall call, CancellationToken cancellationToken)
    {
        using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return new HttpAnswer((int)response.StatusCode, await ReadAsync(body, call, cancellationToken), response.Headers.RetryAfter);
    }
}
