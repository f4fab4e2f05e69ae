using System.Diagnostics;
using System.Globalization;
using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>
/// Delivery over real sockets: server processes of ours and of rivals in turn, in one run, so that ratios mean something. They have a core
/// of their own and this process the others, where there are two and the system is Linux.
/// <c>dotnet run -c Release --project tests/Harness.Benchmarks -- transports [--rounds N] [--data DIR] [--postgres CONNECTION] [--node DIR] [--only W4]</c>
/// </summary>
internal static class TransportMeasurement
{
    private const int FirstSockets = 300;
    private const int IdleSockets = 5_000;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(1);

    private static readonly Work[] Works =
    [
        new("W1  one run, 1 socket", 1, 200_000, 0),
        new("W2  one run, 100 sockets", 100, 40_000, 0),
        new("W2  one run, 1,000 sockets", 1_000, 3_000, 0),
        new("W3  200 runs, 1 socket each", 200, 1_000, 0, HasRunEach: true),
        new("W4  1,000 lines/s, 1 socket", 1, 3_000, 1_000),
        new("W4  1,000 lines/s, 100 sockets", 100, 3_000, 1_000),
        new("W4  1,000 lines/s, 1,000 sockets", 1_000, 3_000, 1_000),
    ];

    public static async Task RunAsync(string[] args)
    {
        var rounds = int.Parse(Option(args, "--rounds") ?? "3", CultureInfo.InvariantCulture);
        if (OperatingSystem.IsLinux() && Environment.ProcessorCount > 1)
        {
            using var self = Process.GetCurrentProcess();
            self.ProcessorAffinity = (nint)((1L << Environment.ProcessorCount) - 2);
        }

        var servers = Servers(args).ToList();
        var found = Works.ToDictionary(work => work.Name, _ => servers.ToDictionary(server => server.Name, _ => new List<Outcome>()));
        var idle = servers.ToDictionary(server => server.Name, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (name, start) in servers)
            {
                if (IsWanted(args, "W5"))
                {
                    using var fresh = await start();
                    idle[name].Add(await MeasureIdleAsync(fresh));
                }

                using var server = await start();
                await WarmUpAsync(server);
                foreach (var work in Works.Where(work => IsWanted(args, work.Name)))
                {
                    found[work.Name][name].Add(await MeasureAsync(server, work));
                }
            }
        }

        foreach (var work in Works.Where(work => IsWanted(args, work.Name)))
        {
            Console.WriteLine(work.Name);
            foreach (var (name, outcomes) in found[work.Name])
            {
                Console.WriteLine($"  {name,-22} {Describe(work, outcomes, found[work.Name].First().Value)}");
            }
        }

        if (!IsWanted(args, "W5"))
        {
            return;
        }

        Console.WriteLine($"W5  {IdleSockets:N0} idle sockets, KB each");
        foreach (var (name, kilobytes) in idle)
        {
            Console.WriteLine($"  {name,-22} {Spread(kilobytes, "0.0")}");
        }
    }

    private static IEnumerable<(string Name, Func<Task<MeasuredServer>> Start)> Servers(string[] args)
    {
        yield return ("Harness", () => MeasuredServer.HarnessAsync("Harness", "--memory"));
        if (Option(args, "--data") is { } data)
        {
            yield return ("Harness, SQLite", () => MeasuredServer.HarnessAsync("Harness, SQLite", "--data", data));
        }

        if (Option(args, "--postgres") is { } connection)
        {
            yield return ("Harness, PostgreSQL", () => MeasuredServer.HarnessAsync("Harness, PostgreSQL", "--store", connection));
        }

        yield return ("naive Kestrel", () => MeasuredServer.NaiveAsync("naive Kestrel", isHub: false));
        yield return ("SignalR group", () => MeasuredServer.NaiveAsync("SignalR group", isHub: true));
        if (Option(args, "--node") is { } folder)
        {
            yield return ("Node ws, corked", () => MeasuredServer.NodeAsync(folder));
        }
    }

    // What counts is the steady state: a .NET server is compiled to its best only after some hundred thousand messages.
    private static async Task WarmUpAsync(MeasuredServer server)
    {
        foreach (var work in (Work[])[new("", 1, 100_000, 0), new("", 100, 3_000, 0), new("", 100, 500, 1_000)])
        {
            await MeasureAsync(server, work);
        }
    }

    private static async Task<Outcome> MeasureAsync(MeasuredServer server, Work work)
    {
        using var stop = new CancellationTokenSource(TimeLimit);
        var latency = work.Rate > 0 ? new LatencyCounts() : null;
        var clients = new List<LoadClient>();
        try
        {
            for (var i = 0; i < work.Sockets; i++)
            {
                clients.Add(await LoadClient.ConnectAsync(server.Port, server.IsHub, latency));
            }

            var before = server.ProcessorTime;
            var clock = Stopwatch.StartNew();
            if (work.HasRunEach)
            {
                await Task.WhenAll(clients.Select(client => client.ExecuteAsync(work.Lines, work.Rate, 1)));
            }
            else
            {
                await clients[0].ExecuteAsync(work.Lines, work.Rate, work.Sockets);
                await clients[0].ReadUntilAsync(reader => reader.Id is not null, stop.Token);
                await Task.WhenAll(clients.Skip(1).Select(client => client.SubscribeAsync(clients[0].Reader.Id!)));
            }

            await Task.WhenAll(clients.Select(client => Task.Run(() => client.ReadUntilAsync(reader => reader.LastSequence != 0, stop.Token))));
            var elapsed = clock.Elapsed;
            if (clients.FirstOrDefault(client => client.Reader.Lines != work.Lines || client.Reader.LastSequence != work.Lines + 2) is { } bad)
            {
                throw new InvalidDataException($"{server.Name}: {bad.Reader.Lines} lines of {work.Lines} came, the last sequence was {bad.Reader.LastSequence}");
            }

            var messages = (double)work.Sockets * work.Lines;
            return new Outcome(
                messages / elapsed.TotalSeconds,
                (server.ProcessorTime - before).TotalMicroseconds / messages,
                latency?.Quantile(500) ?? 0,
                latency?.Quantile(990) ?? 0);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Outcome.Unfinished;
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    // In a process that has done nothing before: one that has keeps room from its past.
    private static async Task<double> MeasureIdleAsync(MeasuredServer server)
    {
        var clients = new List<LoadClient>();
        await ConnectAsync(FirstSockets);
        var before = server.Memory;
        await ConnectAsync(IdleSockets);
        var kilobytes = (server.Memory - before) / 1024d / IdleSockets;
        clients.ForEach(client => client.Dispose());
        return kilobytes;

        async Task ConnectAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                clients.Add(await LoadClient.ConnectAsync(server.Port, server.IsHub, latency: null));
            }
        }
    }

    private static string Describe(Work work, List<Outcome> outcomes, List<Outcome> ours)
    {
        var ratios = ours.Zip(outcomes, (our, other) => our.Rate / other.Rate).ToList();
        var text = $"{Spread(outcomes.Select(outcome => outcome.Rate / 1e6), "0.000")} M/s   {Spread(outcomes.Select(outcome => outcome.ProcessorMicroseconds), "0.000")} us CPU each";
        return work.Rate > 0
            ? $"{text}   p50 {Spread(outcomes.Select(outcome => outcome.Middle), "0")}   p99 {Spread(outcomes.Select(outcome => outcome.Slow), "0")} us"
            : ReferenceEquals(ours, outcomes) ? text : $"{text}   Harness is {Spread(ratios, "0.0")} times as fast";
    }

    private static string Spread(IEnumerable<double> values, string format)
    {
        var sorted = values.Order().ToList();
        string Text(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        return $"{Text(sorted[sorted.Count / 2])} ({Text(sorted[0])} to {Text(sorted[^1])})";
    }

    private static bool IsWanted(string[] args, string work) => Option(args, "--only") is not { } only || work.StartsWith(only, StringComparison.Ordinal);

    private static string? Option(string[] args, string name) => args.SkipWhile(arg => arg != name).Skip(1).FirstOrDefault();

    private sealed record Work(string Name, int Sockets, long Lines, double Rate, bool HasRunEach = false);

    /// <summary>Messages a second, processor time of the server for each, and latencies in microseconds.</summary>
    private sealed record Outcome(double Rate, double ProcessorMicroseconds, double Middle, double Slow)
    {
        public static Outcome Unfinished { get; } = new(double.NaN, double.NaN, double.NaN, double.NaN);
    }
}
