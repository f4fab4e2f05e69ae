using System.Diagnostics;

namespace Harness.Benchmarks.Transports;

/// <summary>One load on a server, from the first connection to the last result; nothing may be missing.</summary>
internal static class LoadRun
{
    /// <summary>Runs it.</summary>
    /// <param name="server">Where.</param>
    /// <param name="protocol">Makes a client's side.</param>
    /// <param name="load">What.</param>
    /// <param name="limit">How long all may take.</param>
    /// <param name="started">Gets the id of a run that all watch, when it is there and before it says its first line.</param>
    /// <exception cref="TimeoutException">It took longer.</exception>
    public static LoadOutcome Run(
        MeasuredServer server, Func<ILoadProtocol> protocol, Load load, TimeSpan limit, Action<string>? started = null)
    {
        using var loop = new LoadLoop(limit);
        loop.Open(load.Sockets, () => new LoadClient(server.Port, protocol(), load.Rate > 0 ? new LatencyCounts() : null));
        var (before, client) = (server.ProcessorTime, Environment.CpuUsage.TotalTime);
        var began = Stopwatch.GetTimestamp();
        Start(loop, load, started);
        loop.RunUntil(() => loop.Finished == load.Sockets);
        (before, client) = (server.ProcessorTime - before, Environment.CpuUsage.TotalTime - client);
        foreach (var bad in loop.Clients.Select(client => client.Arrivals).Where(
            arrivals => arrivals.Lines != load.Lines || arrivals.LastSequence != load.Lines + 2))
        {
            throw new InvalidDataException(
                $"{server.Name}: {bad.Lines} lines of {load.Lines} came, the last sequence was {bad.LastSequence}");
        }

        // Subscribing is no part of delivery; where each has a run of its own, starting it is.
        var first = load.HasRunEach ? began : loop.Clients.Min(client => client.Arrivals.FirstLineAt);
        var elapsed = Stopwatch.GetElapsedTime(first, loop.Clients.Max(client => client.Arrivals.ResultAt));
        return new LoadOutcome(load, elapsed, before, [.. loop.Clients.Select(client => client.Arrivals.Latency).OfType<LatencyCounts>()])
        {
            Client = client,
            OfLines = Stopwatch.GetElapsedTime(first, loop.Clients.Max(client => client.Arrivals.LastLineAt)),
            FromCommand = Stopwatch.GetElapsedTime(began, loop.Clients.Max(client => client.Arrivals.ResultAt)),
        };
    }

    /// <summary>Starts the runs of a load on clients that are ready; all watch.</summary>
    public static void Start(LoadLoop loop, Load load, Action<string>? started = null)
    {
        if (load.HasRunEach)
        {
            foreach (var client in loop.Clients)
            {
                client.Execute(load);
            }

            return;
        }

        var starter = loop.Clients[0];
        starter.Execute(load);
        loop.RunUntil(() => starter.Arrivals.Id is not null);
        started?.Invoke(starter.Arrivals.Id!);
        foreach (var client in loop.Clients)
        {
            client.Watch(starter.Arrivals.Id!, isStarter: client == starter);
        }
    }
}
