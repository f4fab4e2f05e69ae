using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;
using Harness.Server.Transports.SignalR.MessagePack;

namespace Harness.Benchmarks.Transports;

/// <summary>
/// The rivals within ASP.NET: a socket per subscriber with <see cref="JsonSerializer"/> and <c>SendAsync</c> for each line, and a SignalR
/// group. They speak as much of Harness's protocol as the load client needs.
/// </summary>
internal static class NaiveServer
{
    /// <summary>The argument that makes this program the server.</summary>
    public const string Command = "naive-server";

    private static readonly ConcurrentDictionary<string, NaiveRun> Runs = new();

    /// <summary>Runs until it is killed.</summary>
    public static async Task RunAsync(string port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Services.AddSignalR().AddHarnessMessagePack();
        var app = builder.Build();
        app.UseWebSockets();
        app.MapHub<NaiveHub>("/hub");
        app.Map("/ws", HandleAsync);
        await app.RunAsync();
    }

    public static NaiveRun Start(JsonElement data, Func<NaiveRun, NaiveEvent, Task> send)
    {
        var run = new NaiveRun(data, send);
        Runs[run.Id] = run;
        return run;
    }

    public static NaiveRun Find(string id) => Runs[id];

    private static async Task HandleAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted) is { MessageType: WebSocketMessageType.Text } message)
        {
            var command = JsonElement.Parse(buffer.AsSpan(0, message.Count));
            var run = command.GetProperty("action").GetString() == "execute"
                ? Start(command.GetProperty("data"), SendToAllAsync)
                : Find(command.GetProperty("id").GetString()!);
            await SendAsync(socket, run.Opening);
            run.Add(socket);
        }
    }

    private static async Task SendToAllAsync(NaiveRun run, NaiveEvent line)
    {
        foreach (var socket in run.Sockets)
        {
            await SendAsync(socket, line);
        }
    }

    private static ValueTask SendAsync(WebSocket socket, NaiveEvent line) =>
        socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(line).AsMemory(), WebSocketMessageType.Text, true, CancellationToken.None);
}
