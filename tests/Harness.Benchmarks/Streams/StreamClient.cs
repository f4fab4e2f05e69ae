using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Harness.Benchmarks.Streams;

/// <summary>
/// One socket that counts a mark in what comes, and reads nothing else of it: a core of its own has to be faster than the server. Over HTTP/1.0,
/// so that no chunk's head stands in the middle of what is counted.
/// </summary>
internal sealed class StreamClient : IDisposable
{
    private const int LongestMark = 64;

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly byte[] _mark;
    private readonly long _sentAt = Stopwatch.GetTimestamp();
    private int _kept;

    private StreamClient(string mark) => _mark = Encoding.ASCII.GetBytes(mark);

    /// <summary>Marks so far.</summary>
    public int Count { get; private set; }

    /// <summary>From before the connection was opened to the first mark.</summary>
    public TimeSpan First { get; private set; }

    /// <summary>From the first mark to the last so far.</summary>
    public TimeSpan Lasted { get; private set; }

    /// <summary>What came first, headers and all.</summary>
    public string Head { get; private set; } = "";

    /// <summary>Asks an agent.</summary>
    public static Task<StreamClient> AskAsync(IPEndPoint server, string agent)
    {
        const string Body = """{"input":"go"}""";
        return OpenAsync(
            server, "\"type\":\"text\"}", $"POST /agents/{agent}/stream HTTP/1.0\r\nHost: {server}\r\nContent-Length: {Body.Length}\r\n\r\n{Body}");
    }

    /// <summary>Gets a stream of server-sent events.</summary>
    public static Task<StreamClient> GetAsync(IPEndPoint server, string path, string mark) =>
        OpenAsync(server, mark, $"GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n");

    /// <summary>Watches an execution over <c>/ws</c>, typed events included.</summary>
    public static async Task<StreamClient> SubscribeAsync(IPEndPoint server, string id, string mark, CancellationToken stop)
    {
        var client = await OpenAsync(
            server,
            mark,
            $"GET /ws HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        await client.ReadHeadAsync(stop);
        var message = Encoding.ASCII.GetBytes($$"""{"action":"subscribe","id":"{{id}}","events":true}""");

        // A mask of zeros is a mask.
        await client._socket.SendAsync((byte[])[0x81, (byte)(0x80 | message.Length), 0, 0, 0, 0, .. message]);
        return client;
    }

    /// <summary>Takes the beginning of the answer. Servers send the head in one piece.</summary>
    public Task ReadHeadAsync(CancellationToken stop) => ReadUntilAsync("", stop);

    /// <summary>Takes what comes until a text is in it, behind the last mark.</summary>
    /// <exception cref="InvalidDataException">The server ended the connection before.</exception>
    public async Task ReadUntilAsync(string end, CancellationToken stop)
    {
        var wanted = Encoding.ASCII.GetBytes(end);
        while (await _socket.ReceiveAsync(_buffer.AsMemory(_kept), stop) is > 0 and var received)
        {
            if (Take(_buffer.AsSpan(0, _kept + received), wanted))
            {
                return;
            }
        }

        throw new InvalidDataException($"The stream ended after {Count} events without {end}: {Head}");
    }

    public void Dispose() => _socket.Dispose();

    private static async Task<StreamClient> OpenAsync(IPEndPoint server, string mark, string request)
    {
        var client = new StreamClient(mark);
        await client._socket.ConnectAsync(server);
        await client._socket.SendAsync(Encoding.ASCII.GetBytes(request));
        return client;
    }

    // True when the end is there. A mark or an end may be cut in two; what was counted is not looked at again.
    private bool Take(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> end)
    {
        if (Head.Length == 0)
        {
            Head = Encoding.UTF8.GetString(bytes);
        }

        var counted = 0;
        for (var at = bytes.IndexOf(_mark); at >= 0; at = bytes[counted..].IndexOf(_mark))
        {
            counted += at + _mark.Length;
            Count++;
        }

        if (counted > 0)
        {
            var now = Stopwatch.GetElapsedTime(_sentAt);
            First = First == default ? now : First;
            Lasted = now - First;
        }

        var hasEnded = bytes[counted..].IndexOf(end) >= 0;
        _kept = Math.Min(bytes.Length - counted, LongestMark);
        bytes[^_kept..].CopyTo(_buffer);
        return hasEnded;
    }
}
