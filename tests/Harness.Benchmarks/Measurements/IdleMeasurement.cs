using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>What a socket costs that only waits, in a process that has done nothing before: one that has keeps room from its past.</summary>
internal sealed class IdleMeasurement(Scale scale) : IMeasurement
{
    private const int FirstSockets = 300;
    private const int Sockets = 10_000;

    public string Work => "W5";

    public string Title => $"W5  {scale.Count(Sockets):N0} idle sockets";

    public ServerState Server => ServerState.New;

    public IReadOnlyList<Column> Columns { get; } =
        [new("KB each", "0.0", Compared: true, Drawn: true), new("us of processor each in a second", "0.00"), new("us of processor to open one", "0")];

    public double[] Measure(Contender contender, MeasuredServer server)
    {
        var count = scale.Count(Sockets);
        using var loop = new LoadLoop(scale.TimeLimit * 4);
        loop.Open(scale.Count(FirstSockets), Open);
        var (memory, processor) = (server.Memory, server.ProcessorTime);
        loop.Open(count, Open);
        var opened = server.ProcessorTime;
        loop.RunFor(scale.Idleness);
        return
        [
            (server.Memory - memory) / 1024d / count,
            (server.ProcessorTime - opened).TotalMicroseconds / count / scale.Idleness.TotalSeconds,
            (opened - processor).TotalMicroseconds / count,
        ];

        LoadClient Open() => new(server.Port, contender.Protocol(), latency: null);
    }
}
