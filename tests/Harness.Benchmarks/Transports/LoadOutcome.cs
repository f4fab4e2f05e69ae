namespace Harness.Benchmarks.Transports;

/// <summary>What one load took.</summary>
/// <param name="Load">The load.</param>
/// <param name="Elapsed">From the first line, or where each client has a run from the first command, to the last result.</param>
/// <param name="Processor">Processor time of the server.</param>
/// <param name="Latencies">Of each client, where they were measured.</param>
internal sealed record LoadOutcome(Load Load, TimeSpan Elapsed, TimeSpan Processor, IReadOnlyList<LatencyCounts> Latencies)
{
    /// <summary>From the first command to the last result.</summary>
    public TimeSpan FromCommand { get; init; }

    /// <summary>From the first line to the last, on all sockets.</summary>
    public TimeSpan OfLines { get; init; }

    /// <summary>Processor time of this process: well below <see cref="Elapsed"/>, or it is the client that was measured.</summary>
    public TimeSpan Client { get; init; }

    /// <summary>Lines that came, on all sockets together.</summary>
    public double Messages => (double)Load.Sockets * Load.Lines;

    /// <summary>Messages a second.</summary>
    public double Throughput => Messages / Elapsed.TotalSeconds;

    /// <summary>How much of the asked-for rate was kept; 1 is all.</summary>
    public double RateKept => Math.Min(1, (Load.Lines - 1) / Load.Rate / OfLines.TotalSeconds);

    /// <summary>Latency of all lines on all sockets, in microseconds.</summary>
    public double Latency(int perMille)
    {
        var all = new LatencyCounts();
        foreach (var one in Latencies)
        {
            all.Add(one);
        }

        return all.Quantile(perMille);
    }

    /// <summary>The unluckiest socket's p99, divided by that of the one in the middle: 1 when all are served alike.</summary>
    public double Unfairness()
    {
        var slow = Latencies.Select(one => one.Quantile(990)).Order().ToList();
        return slow[^1] / Math.Max(1, slow[slow.Count / 2]);
    }
}
