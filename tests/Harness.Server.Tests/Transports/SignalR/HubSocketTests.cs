using System.Net.Sockets;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Server.Transports.SignalR;
using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Tests.Transports.SignalR;

/// <summary>What a hub's connection sends: one frame for a message, however many pieces it came in.</summary>
public sealed class HubSocketTests : IDisposable
{
    private readonly SocketPair _pair = new();
    private readonly HubSocket _socket;

    public HubSocketTests()
    {
        var stream = new NetworkStream(_pair.Server);
        _socket = new HubSocket(new SocketStream(stream, stream, socket: null), "json", _pair.Server.Dispose);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(1_000_000)]
    public async Task PiecesOfAMessageAreOneFrame(int length)
    {
        var text = string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + i % 26)));
        var bytes = Encoding.UTF8.GetBytes(text);

        var receiving = ReceiveAsync(WebSocketFrame.SizeOf(length));
        foreach (var piece in bytes.Chunk(4096))
        {
            await _socket.SendAsync(piece, WebSocketMessageType.Text, endOfMessage: false, Stop);
        }

        await _socket.SendAsync(Array.Empty<byte>(), WebSocketMessageType.Text, endOfMessage: true, Stop);

        Assert.Equal(WebSocketFrame.Of(bytes), await receiving);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(8_191)]
    [InlineData(8_192)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(1_000_000)]
    public async Task MessageInOnePieceIsOneFrameOnASocketOfOurOwnToo(int length)
    {
        using var socket = await OpenDirectAsync();
        var bytes = Enumerable.Range(0, length).Select(i => (byte)i).ToArray();

        var receiving = ReceiveAsync(3 * WebSocketFrame.SizeOf(length) + 5);
        await socket.SendAsync(bytes, WebSocketMessageType.Text, endOfMessage: true, Stop);
        await socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, Stop);
        await socket.SendAsync((byte[])[1, 2, 3], WebSocketMessageType.Binary, endOfMessage: true, Stop);
        await socket.SendAsync(bytes, WebSocketMessageType.Text, endOfMessage: true, Stop);

        var frame = WebSocketFrame.Of(bytes);
        Assert.Equal([.. frame, 0x82, .. frame[1..], 0x82, 3, 1, 2, 3, .. frame], await receiving);
    }

    [Fact]
    public async Task BinaryMessagesFollowTextWithoutATraceOfIt()
    {
        await _socket.SendAsync("long enough"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Stop);
        await _socket.SendAsync((byte[])[1, 2, 3], WebSocketMessageType.Binary, endOfMessage: true, Stop);

        Assert.Equal([.. WebSocketFrame.Of("long enough"u8), 0x82, 3, 1, 2, 3], await ReceiveAsync(13 + 5));
    }

    [Fact]
    public async Task NothingIsSentBehindTheCloseFrame()
    {
        await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Stop);

        await Assert.ThrowsAsync<WebSocketException>(
            async () => await _socket.SendAsync((byte[])[1], WebSocketMessageType.Text, endOfMessage: true, Stop));
        Assert.Equal([0x88, 2, 3, 0xE8], await ReceiveAsync(4));
    }

    [Fact]
    public async Task WriteThatMayWaitNoLongerCutsTheConnection()
    {
        using var limit = new CancellationTokenSource();
        var sending = _socket.SendAsync(new byte[64 * 1024 * 1024], WebSocketMessageType.Binary, endOfMessage: true, limit.Token);
        Assert.False(sending.IsCompleted);

        await limit.CancelAsync();

        Assert.Equal(limit.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await sending)).CancellationToken);
    }

    [Fact]
    public async Task NothingMoreIsReadOfAMessageOnItsWayWhenTheSocketIsAborted()
    {
        using var socket = await OpenDirectAsync();
        var message = new byte[32 * 1024 * 1024];
        message.AsSpan().Fill((byte)'a');
        var sending = socket.SendAsync(message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, Stop);

        socket.Abort();
        message.AsSpan().Fill((byte)'z');

        Assert.DoesNotContain((byte)'z', await ReceiveUntilCutAsync(WebSocketFrame.SizeOf(message.Length)));
        await Assert.ThrowsAnyAsync<Exception>(async () => await sending);
    }

    [Fact]
    public async Task LargeMessageIsLetGoWhenItIsSent()
    {
        using var socket = await OpenDirectAsync();

        var message = await SendAsync(socket, 1_000_000);

        while (message.IsAlive)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
            GC.Collect();
        }

        Assert.Equal(WebSocketState.Open, socket.State);
    }

    [Theory]
    [MemberData(nameof(WirePaths.All), MemberType = typeof(WirePaths))]
    public async Task WatcherThatTakesNothingIsCutAndItsExecutionEndsAllTheSame(WirePath path)
    {
        await using var app = await path.StartAsync(("Synthetic", "true"), ("SlowClientTimeLimit", "00:00:00.200"));
        using var content = new StringContent("""{"kind":"synthetic","data":{"lines":200000,"watchers":1}}""");
        using var started = await app.Client.PostAsync("/api/v1/executions", content, Stop);
        Assert.True(app.Executions.TryFind(JsonElement.Parse(await started.Content.ReadAsStringAsync(Stop)).Text("id"), out var execution));
        using var sleeper = await path.ConnectAsync(app, receiveBuffer: 4096, route: "/hub");
        await sleeper.SendAsync(RawSocket.Text, "{\"protocol\":\"json\",\"version\":1}\u001e");
        await sleeper.SendAsync(
            RawSocket.Text, $$"""{"type":4,"invocationId":"1","target":"Watch","arguments":["{{execution.Id}}",1]}""" + "\u001e");

        await execution.Completion.WaitAsync(Stop);
        while (execution.Log.ReaderCount > 0)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal(ExecutionStatus.Completed, execution.State.Status);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _pair.Dispose();
    }

    // One that writes to the connection itself.
    private async Task<HubSocket> OpenDirectAsync()
    {
        var stream = new SocketStream(new NetworkStream(_pair.Server), new NetworkStream(_pair.Server), _pair.Server);
        await _pair.Peer.SendAsync((byte[])[0x81], Stop);
        await stream.ReadExactlyAsync(new byte[1], Stop);
        Assert.True(stream.IsDirect);
        return new HubSocket(stream, "json", _pair.Server.Dispose);
    }

    // In a method of its own, which holds nothing of the message when it is over.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<WeakReference> SendAsync(HubSocket socket, int length)
    {
        var message = new byte[length];
        var receiving = ReceiveAsync(WebSocketFrame.SizeOf(length));
        await socket.SendAsync(message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, Stop);
        await receiving;
        return new WeakReference(message);
    }

    // As many bytes, or what came before the connection was cut.
    private async Task<byte[]> ReceiveUntilCutAsync(int count)
    {
        var (bytes, received) = (new byte[count], 0);
        try
        {
            while (received < count && await _pair.Peer.ReceiveAsync(bytes.AsMemory(received), Stop) is var length and > 0)
            {
                received += length;
            }
        }
        catch (SocketException)
        {
            // It was reset.
        }

        return bytes[..received];
    }

    private async Task<byte[]> ReceiveAsync(int count)
    {
        var bytes = new byte[count];
        for (var received = 0; received < count;)
        {
            var length = await _pair.Peer.ReceiveAsync(bytes.AsMemory(received), Stop);
            Assert.NotEqual(0, length);
            received += length;
        }

        return bytes;
    }
}
