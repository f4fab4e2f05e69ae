using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Tests.Transports;

/// <summary>Frames go straight to the socket over plain TCP and else through the web server's stream: no client can tell which.</summary>
public sealed class SocketPathTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(WirePaths.All), MemberType = typeof(WirePaths))]
    public async Task SameFramesComeOverAllPaths(WirePath path)
    {
        await using var app = await path.StartAsync(("Synthetic", "true"));
        using var raw = await path.ConnectAsync(app);
        await raw.SendAsync(RawSocket.Text, """{"action":"execute","kind":"synthetic","data":{"lines":5000}}""");
        var frames = await ReadToResultAsync(raw);

        Assert.Equal(5002, frames.Count);
        Assert.Equal(Held(Assert.Single(app.Executions.List()).Log), frames);
    }

    [Theory]
    [MemberData(nameof(WirePaths.All), MemberType = typeof(WirePaths))]
    public async Task ReaderThatStopsAndResumesMissesNothing(WirePath path)
    {
        await using var app = await path.StartAsync(("Synthetic", "true"));
        using var raw = await path.ConnectAsync(app, receiveBuffer: 4096);
        await raw.SendAsync(RawSocket.Text, """{"action":"execute","kind":"synthetic","data":{"lines":50000}}""");
        Assert.Equal(RawSocket.Text, (await raw.ReadAsync())?.Opcode);

        await Assert.Single(app.Executions.List()).Completion.WaitAsync(Stop);
        var rest = await ReadToResultAsync(raw);

        Assert.Equal(Enumerable.Range(2, 50_001).Select(sequence => (long)sequence), rest.Select(SequenceOf));
    }

    [Theory]
    [MemberData(nameof(WirePaths.All), MemberType = typeof(WirePaths))]
    public async Task RepliesUnderLoadComeWholeAndInTheirOrder(WirePath path)
    {
        await using var app = await path.StartAsync(("Synthetic", "true"));
        using var raw = await path.ConnectAsync(app);
        await raw.SendAsync(RawSocket.Text, """{"action":"execute","kind":"synthetic","data":{"lines":100000}}""");

        var asking = AskAsync();
        var (sequence, pong, control) = (0L, 0, 0);
        for (var isOver = false; !isOver || pong < 200 || control < 200;)
        {
            var (opcode, payload) = (await raw.ReadAsync())!.Value;
            if (opcode == RawSocket.Pong)
            {
                Assert.Equal(control++, int.Parse(Encoding.UTF8.GetString(payload)));
                continue;
            }

            var frame = JsonElement.Parse(payload);
            if (frame.Type() == "pong")
            {
                Assert.Equal($"{pong++}", frame.Text("ref"));
                continue;
            }

            Assert.Equal(++sequence, frame.GetProperty("seq").GetInt64());
            isOver = frame.Type() == "result";
        }

        await asking;
        Assert.Equal(100_002, sequence);

        async Task AskAsync()
        {
            for (var i = 0; i < 200; i++)
            {
                await raw.SendAsync(RawSocket.Text, $$"""{"action":"ping","ref":"{{i}}"}""");
                await raw.SendAsync(RawSocket.Ping, $"{i}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(WirePaths.All), MemberType = typeof(WirePaths))]
    public async Task ConnectionThatBreaksInMidSendIsLetGo(WirePath path)
    {
        await using var app = await path.StartAsync(("Synthetic", "true"));
        var raw = await path.ConnectAsync(app, receiveBuffer: 4096);
        await raw.SendAsync(RawSocket.Text, """{"action":"execute","kind":"synthetic","data":{"lines":50000}}""");
        Assert.Equal(RawSocket.Text, (await raw.ReadAsync())?.Opcode);
        var execution = Assert.Single(app.Executions.List());
        await execution.Completion.WaitAsync(Stop);

        raw.Dispose();
        var sockets = app.Services.GetRequiredService<SocketTable>();
        while (sockets.Count > 0)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal(0, execution.Log.ReaderCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PeerThatIsPingedBeforeItSpeaksIsServedWhateverItSaysFirst(bool answersPing)
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"), ("PingInterval", "00:00:00.010"));
        using var raw = await RawSocket.ConnectAsync(app);
        Assert.Equal(RawSocket.Ping, (await raw.ReadAsync())?.Opcode);
        if (answersPing)
        {
            await raw.SendAsync(RawSocket.Pong, []);
        }

        await raw.SendAsync(RawSocket.Text, """{"action":"execute","kind":"synthetic","data":{"lines":1000}}""");

        Assert.Equal(1002, (await ReadToResultAsync(raw)).Count);
    }

    // What the log holds, and what therefore has to come.
    private static List<string> Held(ExecutionLog log)
    {
        var frames = new List<string>();
        using var cursor = log.OpenCursor(1, new Deaf());
        while (cursor.TryTake(out var range))
        {
            for (var rest = range.Frames.Span; !rest.IsEmpty;)
            {
                var (start, length) = WebSocketFrame.Measure(rest);
                frames.Add(Encoding.UTF8.GetString(rest.Slice(start, length)));
                rest = rest[(start + length)..];
            }
        }

        return frames;
    }

    private static long SequenceOf(string frame) => JsonElement.Parse(frame).GetProperty("seq").GetInt64();

    // Frames up to and with the result; pings are left unanswered.
    private static async Task<List<string>> ReadToResultAsync(RawSocket raw)
    {
        var frames = new List<string>();
        while (frames.Count == 0 || !frames[^1].StartsWith("""{"type":"result""", StringComparison.Ordinal))
        {
            var (opcode, payload) = (await raw.ReadAsync())!.Value;
            if (opcode == RawSocket.Text)
            {
                frames.Add(Encoding.UTF8.GetString(payload));
            }
        }

        return frames;
    }

    private sealed class Deaf : ILogWatcher
    {
        public void OnAppended()
        {
        }
    }
}
