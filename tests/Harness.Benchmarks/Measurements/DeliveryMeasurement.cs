using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>As many lines as the server can deliver: messages a second, and what each costs it.</summary>
internal sealed class DeliveryMeasurement(string work, string title, Load load, Scale scale) : IMeasurement
{
    private const int ProbeShare = 20;
    private const int MaxProbed = 500_000;
    private const int MaxRuns = 50;

    public string Work => work;

    public string Title => title;

    public ServerState Server => ServerState.Used;

    // The client's own is not of interest, except that it has to be small against the time there is.
    public IReadOnlyList<Column> Columns { get; } =
        [new("M messages/s", "0.000", Compared: true, MoreIsBetter: true, Drawn: true), new("us of processor each", "0.000", Compared: true), new("us of the client's", "0.000")];

    public double[] Measure(Contender contender, MeasuredServer server)
    {
        // A short one first says how long it will take: the slow get fewer lines. The fast do several runs.
        var full = scale.Load(load);
        var probe = full with { Lines = Math.Max(10, Math.Min(full.Lines / ProbeShare, MaxProbed / full.Sockets)) };
        var seconds = LoadRun.Run(server, contender.Protocol, probe, scale.TimeLimit).Elapsed.TotalSeconds;
        var share = Math.Min(1, scale.LongestRun.TotalSeconds / (seconds * full.Lines / probe.Lines));
        var lines = Math.Max(probe.Lines, (long)(full.Lines * share));
        var outcomes = new List<LoadOutcome>();
        do
        {
            outcomes.Add(LoadRun.Run(server, contender.Protocol, full with { Lines = lines }, scale.TimeLimit));
        }
        while (outcomes.Count < MaxRuns && outcomes.Sum(outcome => outcome.Elapsed.TotalSeconds) < scale.Target.TotalSeconds);

        var messages = outcomes.Sum(outcome => outcome.Messages);
        return
        [
            messages / outcomes.Sum(outcome => outcome.Elapsed.TotalSeconds) / 1e6,
            outcomes.Sum(outcome => outcome.Processor.TotalMicroseconds) / messages,
            outcomes.Sum(outcome => outcome.Client.TotalMicroseconds) / messages,
        ];
    }
}
