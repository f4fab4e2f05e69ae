using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Benchmarks.Transports;

/// <summary>
/// What the machine, its system and the load client allow: frames that were made once, before the run, go out in ready blocks of 64 KiB by
/// plain system calls. There is no log, no encoding and nothing that could be told about a line.
/// </summary>
internal static class ReadyBlocksServer
{
    /// <summary>The argument that makes this program the server.</summary>
    public const string Command = "ready-blocks-server";

    private const int BlockLength = 64 * 1024;
    private const int MaxRequest = 4096;

    private static readonly ConcurrentDictionary<string, Run> Runs = new();

    /// <summary>Runs until it is killed.</summary>
    public static async Task RunAsync(string port)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture)));
        listener.Listen(1024);
        while (true)
        {
            _ = GreetAsync(await listener.AcceptAsync());
        }
    }

    // Who only looks whether the server listens, and goes, is no client. A client's socket is let go when the client has gone, not at the end of
    // its run: the others of the run are still being served, and it would take that for an error.
    private static async Task GreetAsync(Socket socket)
    {
        using var client = socket;
        client.NoDelay = true;
        var buffer = new byte[MaxRequest];
        try
        {
            if (!await ReceiveRequestAsync(client, buffer))
            {
                return;
            }

            await client.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"u8.ToArray());
            var command = Parse(buffer.AsSpan(0, await client.ReceiveAsync(buffer.AsMemory())));
            var run = command.GetProperty("action").GetString() == "execute" ? new Run(command.GetProperty("data")) : Runs[command.GetProperty("id").GetString()!];
            Runs[run.Id] = run;
            await client.SendAsync(Frame(run.Event("status", "running", 1)));
            run.Add(client);
            while (await client.ReceiveAsync(buffer.AsMemory()) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // It was cut: the same as gone.
        }
    }

    private static async Task<bool> ReceiveRequestAsync(Socket client, byte[] buffer)
    {
        for (var length = 0; buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0;)
        {
            var received = await client.ReceiveAsync(buffer.AsMemory(length));
            if (received == 0)
            {
                return false;
            }

            length += received;
        }

        return true;
    }

    // A command is short and comes whole, masked with the four bytes before it.
    private static JsonElement Parse(Span<byte> frame)
    {
        var start = frame[1] == (0x80 | 126) ? 8 : 6;
        for (var i = start; i < frame.Length; i++)
        {
            frame[i] ^= frame[start - 4 + ((i - start) % 4)];
        }

        return JsonElement.Parse(frame[start..]);
    }

    private static byte[] Frame(NaiveEvent content) => WebSocketFrame.Of(JsonSerializer.SerializeToUtf8Bytes(content));

    private sealed class Run(JsonElement data)
    {
        private readonly List<Reader> _readers = [];
        private readonly long _lines = data.GetProperty("lines").GetInt64();
        private readonly int _watchers = data.GetProperty("watchers").GetInt32();

        public string Id { get; } = Guid.NewGuid().ToString();

        public NaiveEvent Event(string type, string? message, long sequence) => new(type, Id, message, sequence, DateTimeOffset.UtcNow);

        public void Add(Socket socket)
        {
            lock (_readers)
            {
                _readers.Add(new Reader(socket));
                if (_readers.Count == _watchers)
                {
                    _ = Task.Factory.StartNew(Write, TaskCreationOptions.LongRunning);
                }
            }
        }

        private void Write()
        {
            var line = Frame(Event("log", $"T={new string('0', 19)}{new string('x', 79)}", 100_000));
            var block = Enumerable.Repeat(line, BlockLength / line.Length).SelectMany(bytes => bytes).ToArray();
            var end = Frame(Event("result", null, _lines + 2));
            var total = _lines * line.Length;
            while (_readers.Count > 0)
            {
                var before = _readers.Sum(reader => reader.Sent);
                _readers.RemoveAll(reader => reader.Send(block, total, end));
                if (_readers.Count > 0 && _readers.Sum(reader => reader.Sent) == before)
                {
                    Socket.Select(null, _readers.ConvertAll(reader => reader.Socket), null, TimeSpan.FromSeconds(1));
                }
            }

            Runs.TryRemove(Id, out _);
        }
    }

    private sealed class Reader(Socket socket)
    {
        public Socket Socket => socket;

        public long Sent { get; private set; }

        // True: that was all. Blocks are whole frames, so a place within the run is a place within a block.
        public bool Send(byte[] block, long total, byte[] end)
        {
            var next = Sent < total
                ? block.AsSpan((int)(Sent % block.Length))[..(int)Math.Min(block.Length - (Sent % block.Length), total - Sent)]
                : end.AsSpan((int)(Sent - total));
            socket.Blocking = false;
            var sent = socket.Send(next, SocketFlags.None, out var error);
            Sent += error == SocketError.Success ? sent : 0;
            return error is not (SocketError.Success or SocketError.WouldBlock) || Sent == total + end.Length;
        }
    }
}
