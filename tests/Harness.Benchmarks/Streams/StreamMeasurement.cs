using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Harness.Benchmarks.Measurements;

namespace Harness.Benchmarks.Streams;

/// <summary>
/// What docs/generations.md says of speed, over real sockets: 50 streams of 50 generations, as fast as they come and paced; 50 watchers of one
/// workflow; the memory that a reader costs who reads nothing. The server has a core of its own and this process the others, where there are
/// two and the system is Linux.
/// </summary>
internal static class StreamMeasurement
{
    /// <summary>The argument that asks for it.</summary>
    public const string Command = "streams";

    private const int Clients = 50;
    private const int Ticks = 20_000;
    private const int Probes = 200;
    private const int WarmUps = 8;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(2);

    private static readonly (string Name, string Title, Func<StreamProcess, Findings, CancellationToken, Task> Measure)[] Works =
    [
        ("fast", $"{Clients} streams of {StreamServer.FastTokens:N0} tokens each, begun at once, a model that does not wait", MeasureFastAsync),
        ("paced", $"{Clients} streams of {StreamServer.PacedRate} tokens a second each", MeasurePacedAsync),
        ("first", $"{Probes} generations one after the other while {Clients} paced streams run",
            (server, found, stop) => MeasureFirstAsync(server, found, "paced", StreamServer.PacedTokens, stop)),
        ("busy", $"{Probes} generations one after the other while {Clients} streams run whose model does not wait",
            (server, found, stop) => MeasureFirstAsync(server, found, "busy", StreamServer.BusyTokens, stop)),
        ("sse", $"{Clients} watchers of one workflow with {Ticks:N0} events, server-sent events", (server, found, stop) => WatchAsync(server, found, isSocket: false, stop)),
        ("ws", $"{Clients} watchers of one workflow with {Ticks:N0} events, /ws", (server, found, stop) => WatchAsync(server, found, isSocket: true, stop)),
        ("memory", $"a generation of {StreamServer.LongTokens:N0} tokens, in a server of its own", MeasureMemoryAsync),
    ];

    private static string Help => $"""
        Streams of generations and watchers of workflows over real sockets, from a server process of Harness.

          dotnet run -c Release --project tests/Harness.Benchmarks -- streams [options]

          --only WORK           One of them [default: all]
        {string.Join('\n', Works.Select(work => $"                          {work.Name,-8}{work.Title}"))}
          --rounds N            How often all is done [default: 3]
          --help                This

        Prints a line for each figure: the median of the rounds, the least and the most.
        """;

    /// <summary>Runs what is wanted, round after round, and prints a line for each figure: the median, the least and the most.</summary>
    /// <exception cref="OptionException">An option is none.</exception>
    public static async Task RunAsync(IReadOnlyList<string> args)
    {
        var options = new GivenOptions(args, ["--rounds", "--only"]);
        if (options.WantsHelp)
        {
            Console.WriteLine(Help);
            return;
        }

        var rounds = options.Rounds(usual: 3);
        var wanted = Works.Where(work => options.Value("--only") is not { } only || work.Name == only).ToList();
        if (wanted.Count == 0)
        {
            throw new OptionException($"--only must be one of {string.Join(", ", Works.Select(work => work.Name))}.");
        }

        if (OperatingSystem.IsLinux() && Environment.ProcessorCount > 1)
        {
            using var self = Process.GetCurrentProcess();
            self.ProcessorAffinity = (nint)((1L << Environment.ProcessorCount) - 2);
        }

        var findings = wanted.ToDictionary(work => work.Name, _ => new Findings());
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                await RunRoundAsync(wanted.ConvertAll(work => (work.Measure, findings[work.Name])));
            }
        }
        finally
        {
            // Also what was measured before something went wrong.
            foreach (var work in wanted)
            {
                Console.WriteLine(work.Title);
                findings[work.Name].Print();
            }
        }
    }

    private static async Task RunRoundAsync(List<(Func<StreamProcess, Findings, CancellationToken, Task> Measure, Findings Found)> works)
    {
        using var stop = new CancellationTokenSource(TimeLimit);
        using var server = await StreamProcess.StartAsync(stop.Token);
        await WarmUpAsync(server, stop.Token);
        foreach (var (measure, found) in works)
        {
            await measure(server, found, stop.Token);
        }
    }

    // A .NET server is compiled to its best only after some hundred thousand messages.
    private static async Task WarmUpAsync(StreamProcess server, CancellationToken stop)
    {
        for (var round = 0; round < WarmUps; round++)
        {
            await MeasureFastAsync(server, new Findings(), stop);
        }

        await StreamAsync(server, "warm", StreamServer.WarmTokens, stop);
        await WatchAsync(server, new Findings(), isSocket: false, stop);
        await WatchAsync(server, new Findings(), isSocket: true, stop);
    }

    private static async Task MeasureFastAsync(StreamProcess server, Findings found, CancellationToken stop)
    {
        var (cpu, clock) = (server.ProcessorTime, Stopwatch.StartNew());
        var clients = await StreamAsync(server, "fast", StreamServer.FastTokens, stop);
        var tokens = (double)Clients * StreamServer.FastTokens;
        found.Add("tokens a second", tokens / clock.Elapsed.TotalSeconds);
        found.Add("us of the server's processor for each", (server.ProcessorTime - cpu).TotalMicroseconds / tokens);
        AddFirsts(found, clients.Select(client => client.First));
    }

    private static async Task MeasurePacedAsync(StreamProcess server, Findings found, CancellationToken stop)
    {
        var cpu = server.ProcessorTime;
        var clients = await StreamAsync(server, "paced", StreamServer.PacedTokens, stop);
        found.Add("tokens a second", clients.Sum(client => (client.Count - 1) / client.Lasted.TotalSeconds));
        found.Add("us of the server's processor for each", (server.ProcessorTime - cpu).TotalMicroseconds / Clients / StreamServer.PacedTokens);
        AddFirsts(found, clients.Select(client => client.First));
    }

    private static async Task MeasureFirstAsync(StreamProcess server, Findings found, string agent, int tokens, CancellationToken stop)
    {
        var running = StreamAsync(server, agent, tokens, stop);
        var firsts = new List<TimeSpan>();
        for (var probe = 0; probe < Probes && !running.IsCompleted; probe++)
        {
            firsts.Add((await StreamOneAsync(server, "one", 1, stop)).First);
        }

        AddFirsts(found, firsts);
        found.Add("generations measured", firsts.Count);
        await running;
    }

    private static async Task WatchAsync(StreamProcess server, Findings found, bool isSocket, CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://{server.Address}") };
        var id = (await PostAsync(http, "/workflows/telling/execute", $$"""{"input":{{Ticks}}}""", stop)).GetProperty("executionId").GetString()!;
        var path = $"/workflows/telling/executions/{id}";
        var clients = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => isSocket
            ? StreamClient.SubscribeAsync(server.Address, id, "\"name\":\"tick\"", stop)
            : StreamClient.GetAsync(server.Address, $"{path}/stream", "\"type\":\"tick\"")));
        try
        {
            await Task.WhenAll(clients.Select(client => client.ReadUntilAsync("workflow-suspended", stop)));
            var (cpu, clock) = (server.ProcessorTime, Stopwatch.StartNew());
            var resumed = PostAsync(http, $"{path}/resume", """{"resumeData":true}""", stop);
            await Task.WhenAll(clients.Select(client => Task.Run(
                () => client.ReadUntilAsync(isSocket ? "{\"type\":\"result\"" : "\"type\":\"workflow-result\"", stop), stop)));
            var (elapsed, events) = (clock.Elapsed, (double)Clients * Ticks);
            Check(clients, Ticks);
            found.Add("events a second, all watchers together", events / elapsed.TotalSeconds);
            found.Add("us of the server's processor for each", (server.ProcessorTime - cpu).TotalMicroseconds / events);
            await resumed;
        }
        finally
        {
            Array.ForEach(clients, client => client.Dispose());
        }
    }

    // Each in a process of its own, that has no room left from before.
    private static async Task MeasureMemoryAsync(StreamProcess server, Findings found, CancellationToken stop)
    {
        foreach (var (name, hasIdleReader) in ((string, bool)[])[("one reader", false), ("one reader, and one who reads nothing", true)])
        {
            using var fresh = await StreamProcess.StartAsync(stop);
            await StreamAsync(fresh, "fast", StreamServer.FastTokens, stop);
            var (before, peak) = (fresh.Memory, 0d);
            using var client = await StreamClient.AskAsync(fresh.Address, "long");
            await client.ReadHeadAsync(stop);
            var id = client.Head.Split("X-Execution-Id: ")[1].Split("\r\n")[0];
            using var idle = hasIdleReader ? await StreamClient.GetAsync(fresh.Address, $"/agents/long/executions/{id}/stream", "\"type\":\"text\"}") : null;
            var reading = Task.Run(() => client.ReadUntilAsync("\"type\":\"completion\"", stop), stop);
            while (!reading.IsCompleted)
            {
                peak = Math.Max(peak, fresh.Memory);
                await Task.Delay(20, stop);
            }

            await reading;
            Check([client], StreamServer.LongTokens);
            found.Add($"{name}: MiB before", before);
            found.Add($"{name}: MiB at most", Math.Max(peak, fresh.Memory));
            found.Add($"{name}: MiB at the end", fresh.Memory);
        }
    }

    private static Task<StreamClient[]> StreamAsync(StreamProcess server, string agent, int tokens, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(() => StreamOneAsync(server, agent, tokens, stop), stop)));

    private static async Task<StreamClient> StreamOneAsync(StreamProcess server, string agent, int tokens, CancellationToken stop)
    {
        using var client = await StreamClient.AskAsync(server.Address, agent);
        await client.ReadUntilAsync("\"type\":\"completion\"", stop);
        Check([client], tokens);
        return client;
    }

    private static void Check(IEnumerable<StreamClient> clients, int count)
    {
        if (clients.FirstOrDefault(client => client.Count != count) is { } bad)
        {
            throw new InvalidDataException($"{bad.Count} events of {count} came");
        }
    }

    private static void AddFirsts(Findings found, IEnumerable<TimeSpan> firsts)
    {
        var sorted = firsts.Select(first => first.TotalMilliseconds).Order().ToArray();
        found.Add("first token, p50 in ms", sorted[sorted.Length / 2]);
        found.Add("first token, p95 in ms", sorted[(int)(sorted.Length * 0.95)]);
    }

    private static async Task<JsonElement> PostAsync(HttpClient http, string path, string body, CancellationToken stop)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var response = await http.PostAsync(path, content, stop);
        var answer = JsonElement.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(stop));
        return answer.GetProperty("data");
    }

    /// <summary>Figures of all rounds, by name.</summary>
    private sealed class Findings
    {
        private readonly OrderedDictionary<string, List<double>> _figures = [];

        public void Add(string name, double figure)
        {
            if (!_figures.TryGetValue(name, out var figures))
            {
                _figures[name] = figures = [];
            }

            figures.Add(figure);
        }

        public void Print()
        {
            foreach (var (name, figures) in _figures)
            {
                figures.Sort();
                Console.WriteLine($"  {name,-52} {Text(figures[figures.Count / 2])} ({Text(figures[0])} to {Text(figures[^1])})");
            }
        }

        private static string Text(double figure) => figure.ToString(figure >= 1_000 ? "N0" : "0.0##", CultureInfo.InvariantCulture);
    }
}
