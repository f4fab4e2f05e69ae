using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Harness.Benchmarks.Transports;

/// <summary>One socket of a load: speaks just enough of the protocol to be served, over the operating system's socket and nothing else.</summary>
internal sealed class LoadClient : IDisposable
{
    [ThreadStatic]
    private static byte[]? _shared;

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly bool _isHub;

    private LoadClient(bool isHub, LatencyCounts? latency) => (_isHub, Reader) = (isHub, new FrameReader(isHub, latency));

    /// <summary>What came.</summary>
    public FrameReader Reader { get; }

    public static async Task<LoadClient> ConnectAsync(int port, bool isHub, LatencyCounts? latency)
    {
        var client = new LoadClient(isHub, latency);
        await client._socket.ConnectAsync(IPAddress.Loopback, port);
        await client._socket.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /{(isHub ? "hub" : "ws")} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
        await client.ReadHeadAsync();
        if (isHub)
        {
            await client.SendAsync("{\"protocol\":\"json\",\"version\":1}\u001e");
        }

        client._socket.Blocking = false;
        return client;
    }

    /// <summary>Starts lines that come to so many sockets.</summary>
    public Task ExecuteAsync(long lines, double rate, int watchers)
    {
        var data = string.Create(CultureInfo.InvariantCulture, $"{{\"lines\":{lines},\"rate\":{rate},\"size\":100,\"watchers\":{watchers}}}");
        return SendAsync(_isHub
            ? $"{{\"type\":1,\"target\":\"Execute\",\"arguments\":[{data}]}}\u001e"
            : $"{{\"action\":\"execute\",\"kind\":\"synthetic\",\"data\":{data}}}");
    }

    /// <summary>Asks for what an other socket has started.</summary>
    public Task SubscribeAsync(string id) => SendAsync(_isHub
        ? $"{{\"type\":1,\"target\":\"Subscribe\",\"arguments\":[\"{id}\"]}}\u001e"
        : $"{{\"action\":\"subscribe\",\"id\":\"{id}\",\"from\":1}}");

    /// <summary>Takes what comes until a condition holds.</summary>
    public async Task ReadUntilAsync(Func<FrameReader, bool> isEnough, CancellationToken stop)
    {
        while (!isEnough(Reader))
        {
            await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, stop);
            var shared = _shared ??= [];
            var received = _socket.Receive(Reader.Prepare(ref shared), SocketFlags.None, out var error);
            _shared = shared;
            if (error == SocketError.WouldBlock)
            {
                continue;
            }

            if (error != SocketError.Success || received == 0)
            {
                throw new IOException($"The server ended the connection: {error}");
            }

            Reader.Take(shared, received);
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task SendAsync(string text)
    {
        var payload = Encoding.UTF8.GetBytes(text);
        byte[] length = payload.Length < 126 ? [(byte)(0x80 | payload.Length)] : [0x80 | 126, (byte)(payload.Length >> 8), (byte)payload.Length];

        // A mask of zeros is a mask.
        await _socket.SendAsync((byte[])[0x81, .. length, 0, 0, 0, 0, .. payload]);
    }

    private async Task ReadHeadAsync()
    {
        var (head, one) = (new StringBuilder(), new byte[1]);
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            head.Append(await _socket.ReceiveAsync(one) == 1 ? (char)one[0] : throw new IOException($"No handshake: {head}"));
        }
    }
}
