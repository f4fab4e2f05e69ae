using System.Diagnostics;
using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>How soon an execution says its first word: one after the other on one socket, whose runs have one line.</summary>
internal sealed class CommandMeasurement(Scale scale) : IMeasurement
{
    private const int Repetitions = 500;
    private static readonly Load OneLine = new(1, 1);

    // Harness closes a connection that sends more than 5,000 messages a second: between hundreds of commands comes one that takes a while.
    private static readonly Load Rest = new(1, 150, 1_000);

    public string Work => "W7";

    public string Title => "W7  execute to first frame";

    public ServerState Server => ServerState.Used;

    public IReadOnlyList<Column> Columns { get; } = [new("p50 us", "0", Compared: true, Drawn: true), new("p99 us", "0", Compared: true, Drawn: true)];

    public double[] Measure(Contender contender, MeasuredServer server)
    {
        using var loop = new LoadLoop(scale.TimeLimit);
        loop.Open(1, () => new LoadClient(server.Port, contender.Protocol(), latency: null));

        // Many lines have warmed the server up, but few commands.
        scale.WarmUpWith(() =>
        {
            MeasureAll(loop);
            loop.Reset();
            LoadRun.Start(loop, Rest);
            loop.RunUntil(() => loop.Finished == 1);
        });
        var latency = MeasureAll(loop);
        return [latency.Quantile(500), latency.Quantile(990)];
    }

    private LatencyCounts MeasureAll(LoadLoop loop)
    {
        var latency = new LatencyCounts();
        for (var i = 0; i < scale.Count(Repetitions); i++)
        {
            loop.Reset();
            var began = Stopwatch.GetTimestamp();
            LoadRun.Start(loop, OneLine);
            loop.RunUntil(() => loop.Finished == 1);
            latency.Add((long)Stopwatch.GetElapsedTime(began, loop.Clients[0].Arrivals.AnswerAt).TotalMicroseconds);
        }

        return latency;
    }
}
