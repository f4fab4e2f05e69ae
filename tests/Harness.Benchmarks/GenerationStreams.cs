using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Harness.Benchmarks;

/// <summary>
/// What docs/generations.md says of speed: 50 clients at once, each with a stream of its own, over real sockets. It prints token events per
/// second, the server's CPU per token, and when the first event came.
/// </summary>
internal static class GenerationStreams
{
    private const int Clients = 50;
    private const int Rounds = 5;

    /// <summary>Runs all scenarios and prints a line each.</summary>
    public static async Task<int> RunAsync()
    {
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, Arguments()) { RedirectStandardOutput = true })!;
        try
        {
            var address = await AddressAsync(server);
            for (var warmUp = 0; warmUp < 8; warmUp++)
            {
                await RoundAsync(address, "fast");
            }

            await MeasureAsync(server, address, "fast");
            await MeasureAsync(server, address, "paced");
            await ReadNothingAsync(server, address);
            return 0;
        }
        finally
        {
            server.Kill();
        }
    }

    // Where the program runs as a library of dotnet, that is what to start.
    private static IEnumerable<string> Arguments() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? [typeof(GenerationStreams).Assembly.Location, GenerationServer.Command]
            : [GenerationServer.Command];

    private static async Task<IPEndPoint> AddressAsync(Process server)
    {
        while (await server.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("listening ", StringComparison.Ordinal))
            {
                _ = server.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                var uri = new Uri(line["listening ".Length..]);
                return new IPEndPoint(IPAddress.Parse(uri.Host), uri.Port);
            }
        }

        throw new InvalidOperationException("The server did not start");
    }

    private static async Task MeasureAsync(Process server, IPEndPoint address, string agent)
    {
        for (var round = 0; round < Rounds; round++)
        {
            server.Refresh();
            var cpu = server.TotalProcessorTime;
            var began = Stopwatch.GetTimestamp();
            var results = await RoundAsync(address, agent);
            var wall = Stopwatch.GetElapsedTime(began);
            server.Refresh();
            cpu = server.TotalProcessorTime - cpu;
            var tokens = results.Sum(result => (double)result.Tokens);
            var firsts = results.Select(result => result.First.TotalMilliseconds).Order().ToArray();
            var (middle, late) = (firsts[firsts.Length / 2], firsts[(int)(firsts.Length * 0.95)]);
            Console.WriteLine(FormattableString.Invariant($"{agent}: {tokens:0} tokens, {tokens / wall.TotalSeconds:0} tokens/s, ")
                + FormattableString.Invariant($"wall {wall.TotalMilliseconds:0} ms, server CPU {cpu.TotalMicroseconds / tokens:0.0} us/token, ")
                + FormattableString.Invariant($"first p50 {middle:0.0} ms p95 {late:0.0} ms, RSS {server.WorkingSet64 >> 20} MiB"));
        }
    }

    private static Task<(int Tokens, TimeSpan First)[]> RoundAsync(IPEndPoint address, string agent) =>
        Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(() => ReadAsync(address, agent))));

    private static async Task<(int Tokens, TimeSpan First)> ReadAsync(IPEndPoint address, string agent)
    {
        using var socket = await ConnectAsync(address, agent);
        var began = Stopwatch.GetTimestamp();
        var (buffer, kept, tokens) = (new byte[64 * 1024], 0, 0);
        TimeSpan? first = null;
        while (await socket.ReceiveAsync(buffer.AsMemory(kept)) is > 0 and var count)
        {
            var bytes = buffer.AsSpan(0, kept + count);
            var found = Count(bytes, "\"type\":\"text\"}"u8, out var end);
            tokens += found;
            first ??= tokens > 0 ? Stopwatch.GetElapsedTime(began) : null;
            if (bytes[end..].IndexOf("\"type\":\"completion\""u8) >= 0)
            {
                break;
            }

            // A mark may be cut in two; what was counted is not looked at again.
            kept = Math.Min(bytes.Length - end, 64);
            bytes[^kept..].CopyTo(buffer);
        }

        return (tokens, first ?? TimeSpan.Zero);
    }

    private static int Count(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> mark, out int end)
    {
        var count = 0;
        end = 0;
        for (var at = bytes.IndexOf(mark); at >= 0; at = bytes[end..].IndexOf(mark))
        {
            end += at + mark.Length;
            count++;
        }

        return count;
    }

    // A reader that reads nothing of 300,000 tokens: what they take is the log's, once, and within its window.
    private static async Task ReadNothingAsync(Process server, IPEndPoint address)
    {
        using var socket = await ConnectAsync(address, "long");
        for (var second = 0; second < 8; second++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            server.Refresh();
            Console.WriteLine($"reads nothing: after {second + 1} s RSS {server.WorkingSet64 >> 20} MiB");
        }
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint address, string agent)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        const string Body = """{"input":"go"}""";

        // HTTP/1.0: without chunks, whose heads would stand in the middle of what is counted.
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"POST /agents/{agent}/stream HTTP/1.0\r\nHost: {address}\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
        return socket;
    }
}
