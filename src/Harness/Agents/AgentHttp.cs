using System.Buffers;
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

    // Much more than an error shows, see Excerpt.
    private const int MaxRefusalBytes = 64 * 1024;

    private static readonly TimeSpan ConnectTimeLimit = TimeSpan.FromSeconds(15);

    // Long enough to be worth keeping, short enough that a change in DNS is seen.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    private static readonly string? Version = typeof(AgentHttp).Assembly.GetName().Version?.ToString(3);

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

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
        Client = new HttpClient(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            // Some gateways refuse callers without a name.
            DefaultRequestHeaders = { UserAgent = { new ProductInfoHeaderValue("Harness", Version) } },
        };
    }

    /// <summary>Longest answer that is read.</summary>
    public int MaxReplyBytes => _maxReplyBytes;

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

    /// <summary>Reads a body to its end, and no more than the limit of it. A byte order mark is left out.</summary>
    /// <exception cref="AgentException">It is longer than the limit.</exception>
    public async Task<byte[]> ReadAsync(Stream body, AgentCall call, CancellationToken cancellationToken)
    {
        var read = await ReadAsync(body, _maxReplyBytes, cancellationToken);
        return read.Length <= _maxReplyBytes ? read : throw call.TooLong(_maxReplyBytes);
    }

    /// <summary>Reads as much of the body of a refusal as an error can show.</summary>
    public static Task<byte[]> ReadRefusalAsync(Stream body, CancellationToken cancellationToken) =>
        ReadAsync(body, MaxRefusalBytes, cancellationToken);

    /// <summary>Closes all connections.</summary>
    public void Dispose() => Client.Dispose();

    private async Task<HttpAnswer> SendOnceAsync(HttpRequestMessage request, AgentCall call, CancellationToken cancellationToken)
    {
        using var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var read = response.IsSuccessStatusCode
            ? await ReadAsync(body, call, cancellationToken)
            : await ReadRefusalAsync(body, cancellationToken);
        return new HttpAnswer((int)response.StatusCode, read, response.Headers.RetryAfter);
    }

    // At most one buffer more than the limit.
    private static async Task<byte[]> ReadAsync(Stream body, int limit, CancellationToken cancellationToken)
    {
        using var read = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            while (read.Length <= limit && await body.ReadAsync(buffer, cancellationToken) is > 0 and var count)
            {
                read.Write(buffer, 0, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var bytes = read.ToArray();
        return bytes.AsSpan().StartsWith(ByteOrderMark) ? bytes[ByteOrderMark.Length..] : bytes;
    }
}
