using System.Diagnostics;
using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>How soon a cancel is answered, and how soon the run has ended by it: one after the other on one socket, each in the midst of its lines.</summary>
internal sealed class CancelMeasurement(Scale scale) : IMeasurement
{
    private const int Repetitions = 300;
    private static readonly Load Endless = new(1, 1_000_000, 1_000);

    public string Work => "W7 cancel";

    public string Title => "W7  cancel to answer and to result";

    public ServerState Server => ServerState.Used;

    public IReadOnlyList<Column> Columns { get; } =
        [new("answer p50 us", "0"), new("answer p99 us", "0"), new("result p50 us", "0"), new("result p99 us", "0")];

    public double[] Measure(Contender contender, MeasuredServer server)
    {
        using var loop = new LoadLoop(scale.TimeLimit);
        loop.Open(1, () => new LoadClient(server.Port, contender.Protocol(), latency: null));

        // Many lines have warmed the server up, but few commands.
        MeasureAll(loop);
        var (answer, result) = MeasureAll(loop);
        return [answer.Quantile(500), answer.Quantile(990), result.Quantile(500), result.Quantile(990)];
    }

    private (LatencyCounts Answer, LatencyCounts Result) MeasureAll(LoadLoop loop)
    {
        var (answer, result) = (new LatencyCounts(), new LatencyCounts());
        var (client, arrivals) = (loop.Clients[0], loop.Clients[0].Arrivals);
        for (var i = 0; i < scale.Count(Repetitions); i++)
        {
            loop.Reset();
            LoadRun.Start(loop, Endless);
            loop.RunUntil(() => arrivals.Lines > 0);
            arrivals.ResetAnswer();
            var began = Stopwatch.GetTimestamp();
            client.Send(SocketProtocol.Cancel(arrivals.Id!));
            loop.RunUntil(() => loop.Finished == 1 && arrivals.AnswerAt != 0);
            answer.Add((long)Stopwatch.GetElapsedTime(began, arrivals.AnswerAt).TotalMicroseconds);
            result.Add((long)Stopwatch.GetElapsedTime(began, arrivals.ResultAt).TotalMicroseconds);
        }

        return (answer, result);
    }
}
