using System.Buffers;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Harness.Cli.Runs;

/// <summary>A suite that runs on a server and is watched over <c>/ws</c>. Any server that speaks the Voiceflow CLI's protocol will do.</summary>
internal sealed class RemoteRun : ISuiteRun
{
    /// <summary>Longest message read from a server, in bytes: a result repeats many lines.</summary>
    private const int MaxMessageBytes = 64 * 1024 * 1024;

    private static readonly TimeSpan ConnectTimeLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CloseTimeLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(20);

    private readonly ClientWebSocket _socket;
    private readonly Uri _address;
    private readonly ArrayBufferWriter<byte> _message = new(16 * 1024);
    private readonly RunEvent _first;

    private RemoteRun(ClientWebSocket socket, Uri address, RunEvent first) => (_socket, _address, _first) = (socket, address, first);

    public string Place => _address.ToString();

    /// <param name="server">http(s) or ws(s), with or without <c>/ws</c>.</param>
    /// <param name="apiKey">The server's key; null for none.</param>
    /// <param name="request">The test execution request as UTF-8 JSON.</param>
    /// <param name="cancellationToken">Ends the wait for the server's first answer.</param>
    /// <exception cref="RunException">The server cannot be reached, or refuses the suite.</exception>
    public static async Task<RemoteRun> StartAsync(
        Uri server, string? apiKey, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var address = SocketAddress(server);
        var socket = await ConnectAsync(address, apiKey, cancellationToken);
        try
        {
            await socket.SendAsync(Execute(request.Span), WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
            var run = new RemoteRun(socket, address, default);
            var first = await run.ReceiveAsync(cancellationToken);
            return first.Type == "error"
                ? throw new RunException($"{address} refuses the suite: {first.Message}")
                : new RemoteRun(socket, address, first);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The address of the socket of a server that is named in any of the usual ways.</summary>
    public static Uri SocketAddress(Uri server)
    {
        var path = server.AbsolutePath.TrimEnd('/');
        return new UriBuilder(server)
        {
            Scheme = server.Scheme is "https" or "wss" ? "wss" : "ws",
            Path = path.EndsWith("/ws", StringComparison.Ordinal) ? path : $"{path}/ws",
        }.Uri;
    }

    public async IAsyncEnumerable<RunEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = _first;
        while (true)
        {
            // Replies to others' questions have no place here, but a lost race (cancelling what has just ended) is told by an error.
            if (next.Id == _first.Id && next.Type != "error")
            {
                yield return next;
            }

            if (next.Type == "result" && next.Id == _first.Id)
            {
                yield break;
            }

            next = await ReceiveAsync(cancellationToken);
        }
    }

    public Task CancelAsync() => _socket.SendAsync(
        JsonSerializer.SerializeToUtf8Bytes(new { action = "cancel", id = _first.Id }),
        WebSocketMessageType.Text,
        endOfMessage: true,
        CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        using (_socket)
        {
            using var limit = new CancellationTokenSource(CloseTimeLimit);
            try
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
            }
            catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
            {
                // A goodbye is a courtesy: the server may be gone.
            }
        }
    }

    private static async Task<ClientWebSocket> ConnectAsync(Uri address, string? apiKey, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.KeepAliveInterval = HeartbeatInterval;
        socket.Options.KeepAliveTimeout = HeartbeatInterval;
        if (apiKey is not null)
        {
            socket.Options.SetRequestHeader("Authorization", $"Bearer {apiKey}");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ConnectTimeLimit);
        try
        {
            await socket.ConnectAsync(address, limit.Token);
            return socket;
        }
        catch (Exception exception) when (exception is WebSocketException || !cancellationToken.IsCancellationRequested)
        {
            var status = (int)socket.HttpStatusCode;
            socket.Dispose();
            throw new RunException(
                status switch
                {
                    401 or 403 when apiKey is null => $"{address} asks for an API key: pass --api-key.",
                    401 or 403 => $"{address} does not accept this API key.",
                    0 when limit.IsCancellationRequested => $"{address} did not answer within {ConnectTimeLimit.TotalSeconds} s.",
                    0 => $"Cannot reach {address}: {exception.GetBaseException().Message}. Start a server with: harness server",
                    _ => $"{address} is no WebSocket of a harness server (HTTP status {status}).",
                },
                exception);
        }
    }

    private static ReadOnlyMemory<byte> Execute(ReadOnlySpan<byte> request)
    {
        var buffer = new ArrayBufferWriter<byte>(request.Length + 64);
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteString("action", "execute");
        writer.WritePropertyName("data");
        writer.WriteRawValue(request);
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private async Task<RunEvent> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            _message.ResetWrittenCount();
            while (true)
            {
                var received = await _socket.ReceiveAsync(_message.GetMemory(4096), cancellationToken);
                _message.Advance(received.Count);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    throw new RunException(
                        $"{_address} closed the connection ({(int?)_socket.CloseStatus} {_socket.CloseStatusDescription}) before the result.");
                }

                if (_message.WrittenCount > MaxMessageBytes)
                {
                    throw new RunException($"{_address} sent a message of more than {MaxMessageBytes} bytes.");
                }

                if (received.EndOfMessage)
                {
                    return RunEvent.Parse(_message.WrittenSpan);
                }
            }
        }
        catch (Exception exception) when (exception is WebSocketException or JsonException)
        {
            throw new RunException($"The connection to {_address} was lost before the result: {exception.Message}", exception);
        }
    }
}
