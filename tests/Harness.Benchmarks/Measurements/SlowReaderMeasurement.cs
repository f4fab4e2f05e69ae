using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>
/// Whether a reader that is slow and one that has stopped are felt by a fast one: when they watch an other long run, and when they watch
/// the same. The other run goes on in all cases, and so do both readers, which in the first case have nothing to read: what they do
/// to the client's processor is no difference. Each time all cases are measured right after one another, and compared with one another.
/// </summary>
internal sealed class SlowReaderMeasurement(Scale scale) : IMeasurement
{
    private const int Repetitions = 9;
    private static readonly Load OtherRun = new(1, 10_000_000, 2_000) { Watchers = 0 };

    private enum Laggards
    {
        None,
        OfAnOtherRun,
        OfTheSameRun,
    }

    public string Work => "W6";

    public string Title => "W6  a slow and a stopped reader beside a fast one";

    public ServerState Server => ServerState.Warm;

    public IReadOnlyList<Column> Columns { get; } =
    [
        new("run, ms", "0"),
        new("run x of an other run", "0.00"),
        new("run x of the same run", "0.00"),
        new("paced p99 us", "0"),
        new("p99 x of an other run", "0.00"),
        new("p99 x of the same run", "0.00"),
        new("MB", "0"),
        new("MB, of an other run", "0"),
        new("MB, of the same run", "0"),
    ];

    public double[] Measure(Contender contender, MeasuredServer server)
    {
        MeasureOnce(contender, server, Laggards.None);
        var samples = Enumerable.Range(0, scale.Count(Repetitions)).Select(_ => MeasureAll(contender, server)).ToList();
        return [.. Columns.Select((_, column) => samples.Select(sample => sample[column]).Order().ElementAt(samples.Count / 2))];
    }

    private double[] MeasureAll(Contender contender, MeasuredServer server)
    {
        var none = MeasureOnce(contender, server, Laggards.None);
        var other = MeasureOnce(contender, server, Laggards.OfAnOtherRun);
        var same = MeasureOnce(contender, server, Laggards.OfTheSameRun);
        return
        [
            none[0], other[0] / none[0], same[0] / none[0],
            none[1], other[1] / none[1], same[1] / none[1],
            none[2], other[2], same[2],
        ];
    }

    private double[] MeasureOnce(Contender contender, MeasuredServer server, Laggards laggards)
    {
        using var loop = new LoadLoop(scale.TimeLimit);
        loop.Open(1, () => new LoadClient(server.Port, contender.Protocol(), latency: null));
        var (starter, other) = (loop.Clients[0], loop.Clients[0].Arrivals);
        starter.Send(SocketProtocol.ExecuteUnwatched(OtherRun));
        loop.RunUntil(() => other.Id is not null);
        using var idle = new LaggingReaders(server.Port);
        if (laggards != Laggards.OfTheSameRun)
        {
            idle.Start(laggards == Laggards.None ? null : other.Id);
        }

        var time = RunFast(contender, server, new Load(1, scale.Lines(2_000_000)), laggards).Elapsed.TotalMilliseconds;
        var slow = RunFast(contender, server, new Load(1, scale.Lines(20_000), 10_000), laggards).Latency(990);
        var memory = server.Memory / 1024d / 1024;
        starter.Send(SocketProtocol.Cancel(other.Id!));
        return [time, slow, memory];
    }

    private LoadOutcome RunFast(Contender contender, MeasuredServer server, Load load, Laggards laggards)
    {
        if (laggards != Laggards.OfTheSameRun)
        {
            return LoadRun.Run(server, contender.Protocol, load, scale.TimeLimit);
        }

        using var readers = new LaggingReaders(server.Port);
        return LoadRun.Run(
            server, contender.Protocol, load with { Watchers = 1 + LaggingReaders.Count }, scale.TimeLimit, started: readers.Start);
    }
}
