using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Harness.Server.Transports.SignalR.MessagePack;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Harness.Server.Tests.Transports.SignalR;

/// <summary>SignalR's .NET client over a plain WebSocket: the package with its own transports does not restore.</summary>
internal sealed class HubClient : IConnectionFactory
{
    private readonly IHubProtocol _protocol;
    private readonly Action<ClientWebSocketOptions>? _configure;

    private HubClient(IHubProtocol protocol, Action<ClientWebSocketOptions>? configure)
    {
        _protocol = protocol;
        _configure = configure;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static Uri HubUri(HarnessApp app) => new UriBuilder(app.Address) { Scheme = "ws", Path = "/hub" }.Uri;

    /// <summary>A connection that has said its handshake, in the protocol <c>json</c> or <c>messagepack</c>.</summary>
    public static Task<HubConnection> ConnectAsync(
        HarnessApp app, string protocol, Uri? uri = null, Action<ClientWebSocketOptions>? configure = null) =>
        ConnectAsync(uri ?? HubUri(app), protocol, configure);

    /// <summary>As above, with a server that is not in this process.</summary>
    public static async Task<HubConnection> ConnectAsync(Uri uri, string protocol, Action<ClientWebSocketOptions>? configure = null)
    {
        IHubProtocol chosen = protocol == "json"
            ? new JsonHubProtocol(Options.Create(new JsonHubProtocolOptions()))
            : new MessagePackHubProtocol(new JsonHubProtocolOptions());
        var services = new ServiceCollection().BuildServiceProvider();
        var connection = new HubConnection(
            new HubClient(chosen, configure), chosen, new UriEndPoint(uri), services, NullLoggerFactory.Instance);
        await connection.StartAsync(Stop);
        return connection;
    }

    /// <summary>Sends text as it is and reads until something has come, or the server closes.</summary>
    public static async Task<string> ReadAsync(HarnessApp app, string text, string until)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(HubUri(app), Stop);
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, Stop);
        var (answer, buffer) = (new StringBuilder(), new byte[4096]);
        while (!answer.ToString().Contains(until, StringComparison.Ordinal)
            && await socket.ReceiveAsync(buffer.AsMemory(), Stop) is { MessageType: not WebSocketMessageType.Close } part)
        {
            answer.Append(Encoding.UTF8.GetString(buffer, 0, part.Count));
        }

        return answer.ToString();
    }

    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new ClientWebSocket();
        _configure?.Invoke(socket.Options);
        await socket.ConnectAsync(((UriEndPoint)endpoint).Uri, cancellationToken);
        return new SocketContext(
            socket, _protocol.TransferFormat == TransferFormat.Binary ? WebSocketMessageType.Binary : WebSocketMessageType.Text);
    }

    private sealed class SocketContext : ConnectionContext, IDuplexPipe
    {
        private readonly ClientWebSocket _socket;
        private readonly Pipe _incoming = new();
        private readonly Pipe _outgoing = new();
        private readonly Task _pumps;

        public SocketContext(ClientWebSocket socket, WebSocketMessageType type)
        {
            _socket = socket;
            _pumps = Task.WhenAll(ReceiveAsync(), SendAsync(type));
        }

        public override string ConnectionId { get; set; } = Guid.NewGuid().ToString();

        public override IFeatureCollection Features { get; } = new FeatureCollection();

        public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

        public override IDuplexPipe Transport
        {
            get => this;
            set => throw new NotSupportedException();
        }

        PipeReader IDuplexPipe.Input => _incoming.Reader;

        PipeWriter IDuplexPipe.Output => _outgoing.Writer;

        public override async ValueTask DisposeAsync()
        {
            _socket.Abort();
            await _incoming.Reader.CompleteAsync();
            await _outgoing.Writer.CompleteAsync();
            await _pumps;
            _socket.Dispose();
            await base.DisposeAsync();
        }

        private async Task ReceiveAsync()
        {
            Exception? error = null;
            try
            {
                while (true)
                {
                    var result = await _socket.ReceiveAsync(_incoming.Writer.GetMemory(16 * 1024), Stop);
                    _incoming.Writer.Advance(result.Count);
                    if (result.MessageType == WebSocketMessageType.Close || (await _incoming.Writer.FlushAsync(Stop)).IsCompleted)
                    {
                        break;
                    }
                }
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
            {
                error = e;
            }

            await _incoming.Writer.CompleteAsync(error);
        }

        private async Task SendAsync(WebSocketMessageType type)
        {
            try
            {
                while (true)
                {
                    var result = await _outgoing.Reader.ReadAsync(Stop);
                    foreach (var part in result.Buffer)
                    {
                        await _socket.SendAsync(part, type, endOfMessage: true, Stop);
                    }

                    _outgoing.Reader.AdvanceTo(result.Buffer.End);
                    if (result.IsCompleted)
                    {
                        break;
                    }
                }
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The other half says so.
            }

            await _outgoing.Reader.CompleteAsync();
        }
    }
}

internal static class HubCalls
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static Task<JsonElement> AskAsync(this HubConnection hub, string method, object command) =>
        hub.InvokeAsync<JsonElement>(method, command, Stop);

    /// <summary>Starts synthetic lines and gives the execution's id.</summary>
    public static async Task<string> ExecuteAsync(this HubConnection hub, object data) =>
        (await hub.AskAsync("Execute", new { kind = "synthetic", data })).Text("id");

    /// <summary>All events of the batches.</summary>
    public static async Task<List<JsonElement>> WatchAsync(this HubConnection hub, string id, long from = 0)
    {
        var events = new List<JsonElement>();
        await foreach (var batch in hub.StreamAsync<JsonElement>("Watch", id, from, Stop))
        {
            events.AddRange(batch.GetProperty("events").EnumerateArray());
        }

        return events;
    }

    /// <summary>Whether and how the server closes the connection: null when orderly.</summary>
    public static Task<Exception?> ClosedAsync(this HubConnection hub)
    {
        var closed = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        hub.Closed += error =>
        {
            closed.TrySetResult(error);
            return Task.CompletedTask;
        };
        return closed.Task.WaitAsync(Stop);
    }

    public static List<long> Sequences(this IEnumerable<JsonElement> events) => [.. events.Select(item => item.GetProperty("seq").GetInt64())];
}
