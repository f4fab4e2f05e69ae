using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>Lines at a rate: how late they come, whether the rate is kept, and whether all sockets are served alike.</summary>
internal sealed class PacedMeasurement(string title, Load load, Scale scale) : IMeasurement
{
    public string Work => "W4";

    public string Title => title;

    public ServerState Server => ServerState.Used;

    public IReadOnlyList<Column> Columns { get; } =
    [
        new("p50 us", "0", Compared: true, Drawn: true),
        new("p99 us", "0", Compared: true, Drawn: true),
        new("share of the rate kept", "0.00", Needed: 0.95),
        new("worst p99 / middle p99", "0.0"),
        new("us of processor each", "0.00"),
    ];

    public double[] Measure(Contender contender, MeasuredServer server)
    {
        var outcome = LoadRun.Run(server, contender.Protocol, scale.Load(load), scale.TimeLimit);
        return
        [
            outcome.Latency(500),
            outcome.Latency(990),
            outcome.RateKept,
            outcome.Unfairness(),
            outcome.Processor.TotalMicroseconds / outcome.Messages,
        ];
    }
}
