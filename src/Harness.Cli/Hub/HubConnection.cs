using System.Buffers;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Cli.Hub;

/// <summary>One open connection to a server's <c>/ws</c>. One may send while one receives.</summary>
internal sealed class HubConnection : IAsyncDisposable
{
    /// <summary>Longest message read from a server, in bytes: a result repeats many lines.</summary>
    private const int MaxMessageBytes = 64 * 1024 * 1024;

    private static readonly JsonSerializerOptions Options = new() { MaxDepth = JsonDepth.MaxKept };
    private static readonly TimeSpan ConnectTimeLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CloseTimeLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(20);

    private readonly ClientWebSocket _socket;
    private readonly Uri _address;
    private readonly ArrayBufferWriter<byte> _message = new(16 * 1024);
    private TimeSpan _retryAfter;

    private HubConnection(ClientWebSocket socket, Uri address) => (_socket, _address) = (socket, address);

    /// <summary>
    /// Whether the server speaks harness.v1 and can be asked to go on where the last connection ended. The Voiceflow CLI's own server knows
    /// three actions and forgets its watchers.
    /// </summary>
    public bool CanResume { get; private set; }

    /// <exception cref="ConnectionLostException">The server cannot be reached, or not now.</exception>
    /// <exception cref="RunException">The server is there and refuses.</exception>
    public static async Task<HubConnection> OpenAsync(Uri address, string? apiKey, CancellationToken cancellationToken)
    {
        var connection = new HubConnection(await ConnectAsync(address, apiKey, cancellationToken), address);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(ConnectTimeLimit);
            connection.CanResume = (await connection.AskAsync(new { action = "hello" }, limit.Token)).Type == "hello";
            return connection;
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            await connection.DisposeAsync();
            throw new ConnectionLostException($"{address} did not answer within {ConnectTimeLimit.TotalSeconds} s.", innerException: exception);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends one command.</summary>
    /// <exception cref="ConnectionLostException">The connection is gone.</exception>
    public Task SendAsync(object command, CancellationToken cancellationToken) =>
        SendAsync(JsonSerializer.SerializeToUtf8Bytes(command, Options), cancellationToken);

    /// <summary>Sends one command and reads its answer, on a connection that watches nothing.</summary>
    public async Task<HubEvent> AskAsync(object command, CancellationToken cancellationToken)
    {
        await SendAsync(command, cancellationToken);
        return await ReceiveAsync(cancellationToken);
    }

    /// <summary>The next frame.</summary>
    /// <exception cref="ConnectionLostException">The connection is gone.</exception>
    /// <exception cref="RunException">The server closed it for good, or sends what is no protocol of ours.</exception>
    public async Task<HubEvent> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var frame = await ReceiveFrameAsync(cancellationToken);
                if (frame.Type != "closing")
                {
                    return frame;
                }

                _retryAfter = TimeSpan.FromMilliseconds(Math.Clamp(frame.Json.Whole("retry_after_ms") ?? 0, 0, 60_000));
            }
        }
        catch (Exception exception) when (IsLoss(exception, cancellationToken))
        {
            throw new ConnectionLostException($"The connection to {_address} was lost: {exception.Message}", _retryAfter, exception);
        }
        catch (JsonException exception)
        {
            throw new RunException($"{_address} does not speak the protocol of a harness server: {exception.Message}", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (_socket)
        {
            using var limit = new CancellationTokenSource(CloseTimeLimit);
            try
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
            }
            catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or InvalidOperationException)
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
            throw status switch
            {
                401 or 403 when apiKey is null => new RunException($"{address} asks for an API key: pass --api-key.", exception),
                401 or 403 => new RunException($"{address} does not accept this API key.", exception),
                0 when limit.IsCancellationRequested => new ConnectionLostException(
                    $"{address} did not answer within {ConnectTimeLimit.TotalSeconds} s.", innerException: exception),
                0 when exception.GetBaseException() is AuthenticationException fault =>
                    new RunException($"No secure connection to {address}: {fault.Message}", exception),
                0 => new ConnectionLostException(
                    $"Cannot reach {address}: {exception.GetBaseException().Message}. Start a server with: harness server", innerException: exception),
                429 or 502 or 503 or 504 => new ConnectionLostException($"{address} is not ready (HTTP status {status}).", innerException: exception),
                _ => new RunException($"{address} is no WebSocket of a harness server (HTTP status {status}).", exception),
            };
        }
    }

    // A socket that gave up on an unanswered ping ends its calls as if they had been cancelled.
    private static bool IsLoss(Exception exception, CancellationToken cancellationToken) =>
        exception is WebSocketException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private async Task SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        }
        catch (Exception exception) when (IsLoss(exception, cancellationToken))
        {
            throw new ConnectionLostException($"The connection to {_address} was lost: {exception.Message}", innerException: exception);
        }
    }

    private async Task<HubEvent> ReceiveFrameAsync(CancellationToken cancellationToken)
    {
        _message.ResetWrittenCount();
        while (true)
        {
            var received = await _socket.ReceiveAsync(_message.GetMemory(4096), cancellationToken);
            _message.Advance(received.Count);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                throw Closed();
            }

            if (_message.WrittenCount > MaxMessageBytes)
            {
                throw new RunException($"{_address} sent a message of more than {MaxMessageBytes} bytes.");
            }

            if (received.EndOfMessage)
            {
                return HubEvent.Parse(_message.WrittenSpan);
            }
        }
    }

    private RunException Closed()
    {
        var code = (int?)_socket.CloseStatus ?? 1005;
        var message = $"{_address} closed the connection ({code} {_socket.CloseStatusDescription}).".Replace(" )", ")", StringComparison.Ordinal);

        // Codes of the protocol page: 4000 to 4499 say come back, later ones say do not; of the standard's those that blame the client's message.
        return code is 1002 or 1003 or 1007 or 1008 or 1009 or >= 4500
            ? new RunException(message)
            : new ConnectionLostException(message, _retryAfter);
    }
}
