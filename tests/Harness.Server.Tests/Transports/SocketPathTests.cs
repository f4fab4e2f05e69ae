using System.Text;
using System.Text.Json;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Tests.Transports;

/// <summary>Frames go straight to the socket over plain TCP and through the web server's stream over TLS: no client can tell which.</summary>
public sealed class SocketPathTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SameFramesComeOverBothPaths()
    {
        await using var app = await TlsApp.StartAsync(("Synthetic", "true"));
        using var plain = await RawSocket.ConnectAsync(TlsApp.AddressOf(app, overTls: false));
        using var encrypted = await RawSocket.ConnectAsync(TlsApp.AddressOf(app, overTls: true));
        await plain.SendAsync(RawSocket.Text, """{"action":"execute","kind":"synthetic","data":{"lines":5000}}""");

        var first = await ReadToResultAsync(plain);
        var subscribe = $$"""{"action":"subscribe","id":"{{app.Executions.List()[0].Id}}","from":1}""";
        await encrypted.SendAsync(RawSocket.Text, subscribe);
        Assert.Contains("subscribed", Encoding.UTF8.GetString((await encrypted.ReadAsync())!.Value.Payload), StringComparison.Ordinal);
        var second = await ReadToResultAsync(encrypted);

        Assert.Equal(5002, first.Count);
        Assert.Equal(first, second);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ReaderThatStopsAndResumesMissesNothing(bool overTls)
    {
        await using var app = await TlsApp.StartAsync(("Synthetic", "true"));
        using var raw = await RawSocket.ConnectAsync(TlsApp.AddressOf(app, overTls), receiveBuffer: 4096);
        await raw.SendAsync(RawSocket.Text, """{"action":"execute","kind":"synthetic","data":{"lines":50000}}""");
        Assert.Equal(RawSocket.Text, (await raw.ReadAsync())?.Opcode);

        await Assert.Single(app.Executions.List()).Completion.WaitAsync(Stop);
        var rest = await ReadToResultAsync(raw);

        Assert.Equal(Enumerable.Range(2, 50_001).Select(sequence => (long)sequence), rest.Select(SequenceOf));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RepliesUnderLoadComeWholeAndInTheirOrder(bool overTls)
    {
        await using var app = await TlsApp.StartAsync(("Synthetic", "true"));
        using var raw = await RawSocket.ConnectAsync(TlsApp.AddressOf(app, overTls));
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
    [InlineData(false)]
    [InlineData(true)]
    public async Task ConnectionThatBreaksInMidSendIsLetGo(bool overTls)
    {
        await using var app = await TlsApp.StartAsync(("Synthetic", "true"));
        var raw = await RawSocket.ConnectAsync(TlsApp.AddressOf(app, overTls), receiveBuffer: 4096);
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
}
