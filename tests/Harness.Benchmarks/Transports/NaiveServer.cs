using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;

namespace Harness.Benchmarks.Transports;

/// <summary>
/// The rivals within ASP.NET: a socket per subscriber with <see cref="JsonSerializer"/> and <c>SendAsync</c> for each line, and a SignalR
/// group. They speak as much of Harness's protocol as the load client needs.
/// </summary>
internal static class NaiveServer
{
    private static readonly ConcurrentDictionary<string, NaiveRun> Runs = new();

    public static async Task RunAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Services.AddSignalR();
        var app = builder.Build();
        app.UseWebSockets();
        app.MapHub<NaiveHub>("/hub");
        app.Map("/ws", HandleAsync);
        await app.RunAsync();
    }

    public static NaiveRun Start(JsonElement data, Func<NaiveRun, object, Task> send)
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
            if (command.GetProperty("action").GetString() == "execute")
            {
                var run = Start(command.GetProperty("data"), SendToAllAsync);
                await SendAsync(socket, run.Opening);
                run.Add(socket);
            }
            else
            {
                var run = Find(command.GetProperty("id").GetString()!);
                await SendAsync(socket, run.Opening);
                run.Add(socket);
            }
        }
    }

    private static async Task SendToAllAsync(NaiveRun run, object frame)
    {
        foreach (var socket in run.Sockets)
        {
            await SendAsync(socket, frame);
        }
    }

    private static ValueTask SendAsync(WebSocket socket, object frame) =>
        socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(frame).AsMemory(), WebSocketMessageType.Text, true, CancellationToken.None);
}

/// <summary>One run of a naive server: starts when all who shall watch are there.</summary>
internal sealed class NaiveRun
{
    private readonly Func<NaiveRun, object, Task> _send;
    private readonly List<WebSocket> _sockets = [];
    private readonly long _lines;
    private readonly double _rate;
    private readonly int _watchers;
    private int _count;

    public NaiveRun(JsonElement data, Func<NaiveRun, object, Task> send)
    {
        _send = send;
        _lines = data.GetProperty("lines").GetInt64();
        _rate = data.GetProperty("rate").GetDouble();
        _watchers = data.GetProperty("watchers").GetInt32();
    }

    public string Id { get; } = Guid.NewGuid().ToString();

    public IReadOnlyList<WebSocket> Sockets => _sockets;

    public object Opening => new { type = "status", id = Id, message = "running", seq = 1L, ts = DateTimeOffset.UtcNow };

    public void Add(WebSocket? socket)
    {
        lock (_sockets)
        {
            if (socket is not null)
            {
                _sockets.Add(socket);
            }

            if (++_count == _watchers)
            {
                _ = Task.Run(WriteAsync);
            }
        }
    }

    private async Task WriteAsync()
    {
        var rest = new string('x', 79);
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        var began = Stopwatch.GetTimestamp();
        for (var written = 0L; written < _lines;)
        {
            var due = _lines;
            if (_rate > 0)
            {
                await ticks.WaitForNextTickAsync();
                due = Math.Min(_lines, (long)(Stopwatch.GetElapsedTime(began).TotalSeconds * _rate));
            }

            for (; written < due; written++)
            {
                var stamp = _rate > 0 ? Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency) : 0;
                await _send(this, new
                {
                    type = "log",
                    id = Id,
                    message = string.Create(CultureInfo.InvariantCulture, $"T={stamp:D19}{rest}"),
                    seq = written + 2,
                    ts = DateTimeOffset.UtcNow,
                });
            }
        }

        await _send(this, new { type = "result", id = Id, seq = _lines + 2, ts = DateTimeOffset.UtcNow });
    }
}

/// <summary>The same as a SignalR group.</summary>
internal sealed class NaiveHub(IHubContext<NaiveHub> hub) : Hub
{
    public async Task Execute(JsonElement data)
    {
        var run = NaiveServer.Start(data, (run, frame) => hub.Clients.Group(run.Id).SendAsync("event", frame));
        await JoinAsync(run);
    }

    public Task Subscribe(string id) => JoinAsync(NaiveServer.Find(id));

    private async Task JoinAsync(NaiveRun run)
    {
        await Groups.AddToGroupAsync(Context.ConnectionId, run.Id);
        await Clients.Caller.SendAsync("event", run.Opening);
        run.Add(null);
    }
}
