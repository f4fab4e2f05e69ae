using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Harness.Executions;
using Harness.Server.Dialects.Voiceflow;
using Harness.Server.Transports;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server;

/// <summary>
/// Does what the first client will ask before it asks, so that the compiler has been through it: else its first execution takes half a
/// second longer than the second. The engine and the pair of sockets are its own: nothing of this is in a store, a list, a log or a count.
/// </summary>
internal static partial class WarmUp
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);

    // Who waited for the server to listen asks at once, and then the processor is theirs.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    // More lines than a segment holds, a suite with the demo agent, and what is refused. Each is answered by one result or one error.
    private static readonly byte[][] Commands =
    [
        """{"action":"execute","kind":"synthetic","data":{"lines":5000}}"""u8.ToArray(),
        """
        {"action":"execute","data":{"suite":{"name":"warm-up","description":"","environment_name":"demo","tests":[{"id":"1","test":{"name":"warm-up",
        "description":"","interactions":[{"id":"1","user":{"type":"launch"},"agent":{"validate":[{"type":"contains","value":"hello"},
        {"type":"regexp","value":"h.*o"}]}},{"id":"2","user":{"type":"text","text":"menu"}}]}}]}}}
        """u8.ToArray(),
        """{"action":"status","id":"none"}"""u8.ToArray(),
        """{"action":"cancel","id":"none"}"""u8.ToArray(),
    ];

    /// <summary>Runs on the pool, for ten seconds at most. Never fails: without it the server is as good but for its first answers.</summary>
    /// <param name="logger">Is told, in its debug log, why it was in vain.</param>
    /// <param name="isBusy">True once somebody is served, who needs the processor more than the rest of it does.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task RunAsync(ILogger logger, Func<bool> isBusy, CancellationToken stop)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeLimit);
        try
        {
            await Task.Delay(Patience, limit.Token);
            if (!isBusy())
            {
                await ServeAsync(_ => { }, isBusy, limit.Token);
            }
        }
        catch (Exception e)
        {
            // There is no loopback, the machine is too busy, or the server stops already.
            LogInVain(logger, e.Message);
        }
    }

    /// <summary>Serves one client that asks one thing after the other.</summary>
    /// <param name="take">Is told each frame the client gets.</param>
    /// <param name="isBusy">True: the client asks nothing more.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="IOException">There is no loopback.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    internal static async Task ServeAsync(Action<ReadOnlyMemory<byte>> take, Func<bool> isBusy, CancellationToken stop)
    {
        var (client, server) = await ConnectAsync(stop);
        using (client)
        using (server)
        {
            await using var services = CreateServices();
            await using var stream = new NetworkStream(server);
            var serving = services.GetRequiredService<SocketTable>().ServeAsync(
                new SocketStream(stream, stream, server), refusal: null, server.Dispose, stop);
            await using var clientStream = new NetworkStream(client);
            using var socket = WebSocket.CreateFromStream(clientStream, isServer: false, subProtocol: null, Timeout.InfiniteTimeSpan);

            // Both end with the token, and nothing may run on without its services.
            await Task.WhenAll(CloseAfterAsync(serving, server), AskAsync(socket, take, isBusy, stop));
            await services.GetRequiredService<ExecutionRegistry>().StopAsync(stop);
        }
    }

    private static async Task<(Socket Client, Socket Server)> ConnectAsync(CancellationToken stop)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(backlog: 1);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await client.ConnectAsync(listener.LocalEndPoint!, stop);
            var server = await listener.AcceptAsync(stop);

            // As on the web server's sockets: a command behind another one would else wait until that is acknowledged.
            (client.NoDelay, server.NoDelay) = (true, true);
            if (Equals(server.RemoteEndPoint, client.LocalEndPoint))
            {
                return (client, server);
            }

            server.Dispose();
            throw new IOException("Another program has connected to the port.");
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    // As the web server does: the client's side waits for it after the handshake that closes the socket.
    private static async Task CloseAfterAsync(Task serving, Socket server)
    {
        await serving;
        server.Dispose();
    }

    private static ServiceProvider CreateServices()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddHarness();
        services.AddSingleton<IExecutionKind, SyntheticKind>();
        services.AddSingleton<ExecutionCommands>();
        services.AddSingleton<ConnectionLimit>();
        services.AddSockets();
        services.AddVoiceflow();
        return services.BuildServiceProvider();
    }

    private static async Task AskAsync(WebSocket socket, Action<ReadOnlyMemory<byte>> take, Func<bool> isBusy, CancellationToken stop)
    {
        using var room = new MemoryStream();
        var buffer = new byte[64 * 1024];
        foreach (var command in Commands)
        {
            if (isBusy())
            {
                break;
            }

            await socket.SendAsync(command, WebSocketMessageType.Text, endOfMessage: true, stop);
            for (var isAnswered = false; !isAnswered;)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(), stop);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }

                room.Write(buffer, 0, received.Count);
                if (received.EndOfMessage)
                {
                    var frame = room.GetBuffer().AsMemory(0, (int)room.Length);
                    isAnswered = frame.Span.StartsWith("{\"type\":\"result\""u8) || frame.Span.StartsWith("{\"type\":\"error\""u8);
                    take(frame);
                    room.SetLength(0);
                }
            }
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, stop);
    }

    [LoggerMessage(1, LogLevel.Debug, "The server could not warm itself up: {Reason}")]
    private static partial void LogInVain(ILogger logger, string reason);
}
