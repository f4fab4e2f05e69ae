using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Harness.Tests.Agents;

/// <summary>A request as it came in. Header names match whatever their case; the body is read as UTF-8.</summary>
internal sealed record FakeRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>An answer to send.</summary>
internal sealed record FakeAnswer(int Status, string Body)
{
    /// <summary>Header lines beside Content-Type and Content-Length, such as <c>Retry-After: 5</c>.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];

    /// <summary>Whether only the first half of the body is sent, and the rest never.</summary>
    public bool Stalls { get; init; }

    public static implicit operator FakeAnswer(string json) => new(200, json);
}

/// <summary>
/// A real HTTP/1.1 server on 127.0.0.1 for tests. The function answers each request; null leaves the client waiting for ever.
/// It shows what came in and whether a waiting client went away.
/// </summary>
internal sealed class FakeHttp : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<FakeRequest, FakeAnswer?> _answer;
    private readonly ConcurrentQueue<FakeRequest> _requests = new();
    private readonly Channel<FakeRequest> _arrivals = Channel.CreateUnbounded<FakeRequest>();
    private readonly TaskCompletionSource _abandoned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Task _accepting;

    public FakeHttp(Func<FakeRequest, FakeAnswer?> answer)
    {
        _answer = answer;
        _listener.Start();
        Url = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _accepting = AcceptAsync();
    }

    /// <summary>Base URL, without a slash at its end.</summary>
    public string Url { get; }

    /// <summary>All requests so far, in the order they came in.</summary>
    public IReadOnlyList<FakeRequest> Requests => [.. _requests];

    /// <summary>Completes when a client closed its connection while it waited for an answer.</summary>
    public Task Abandoned => _abandoned.Task;

    /// <summary>The next request that nobody took yet; waits for it.</summary>
    public ValueTask<FakeRequest> NextAsync(CancellationToken cancellationToken) => _arrivals.Reader.ReadAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        await Task.WhenAll(_connections);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The server is closed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var owned = client;
        var stream = client.GetStream();
        try
        {
            while (await ReadAsync(stream) is { } request)
            {
                _requests.Enqueue(request);
                _arrivals.Writer.TryWrite(request);
                var answer = _answer(request);
                if (answer is not null)
                {
                    await WriteAsync(stream, answer);
                }

                if (answer is { Stalls: false })
                {
                    continue;
                }

                _ = await stream.ReadAsync(new byte[1], _stop.Token);
                _abandoned.TrySetResult();
                return;
            }
        }
        catch (IOException)
        {
            _abandoned.TrySetResult();
        }
        catch (OperationCanceledException)
        {
            // The server is closed.
        }
    }

    private async Task<FakeRequest?> ReadAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (!Encoding.ASCII.GetString([.. head.TakeLast(4)]).EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
            {
                return null;
            }

            head.Add(one[0]);
        }

        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).Select(line => line.Split(':', 2)).ToDictionary(
            line => line[0], line => line[1].Trim(), StringComparer.OrdinalIgnoreCase);
        var body = new byte[headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, null) : 0];
        await stream.ReadExactlyAsync(body, _stop.Token);
        var words = lines[0].Split(' ');
        return new FakeRequest(words[0], words[1], headers, Encoding.UTF8.GetString(body));
    }

    private async Task WriteAsync(NetworkStream stream, FakeAnswer answer)
    {
        var body = Encoding.UTF8.GetBytes(answer.Body);
        var head = string.Join(
            "\r\n",
            [$"HTTP/1.1 {answer.Status} Fake", "Content-Type: application/json", $"Content-Length: {body.Length}", .. answer.Headers, "", ""]);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _stop.Token);
        await stream.WriteAsync(answer.Stalls ? body.AsMemory(0, body.Length / 2) : body, _stop.Token);
    }
}
