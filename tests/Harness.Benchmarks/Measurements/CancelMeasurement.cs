using System.Diagnostics;
using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>
/// How soon a body hears of a cancel, how soon that is answered, and how soon the run has ended by it: one after the other on one socket, each in the
/// midst of its lines. The body says when, as its last line; its clock is the client's.
/// </summary>
internal sealed class CancelMeasurement(Scale scale) : IMeasurement
{
    private const int Repetitions = 300;
    private static readonly Load Endless = new(1, 1_000_000, 1_000);

    public string Work => "W7 cancel";

    public string Title => "W7  cancel to the body, to the answer and to the result";

    public ServerState Server => ServerState.Used;

    public IReadOnlyList<Column> Columns { get; } =
        [new("body p50 us", "0"), new("body p99 us", "0"), new("answer p50 us", "0"), new("answer p99 us", "0"), new("result p50 us", "0"), new("result p99 us", "0")];

    public double[] Measure(Contender contender, MeasuredServer server)
    {
        using var loop = new LoadLoop(scale.TimeLimit);
        loop.Open(1, () => new LoadClient(server.Port, contender.Protocol(), new LatencyCounts()));

        // Many lines have warmed the server up, but few commands.
        scale.WarmUpWith(() => MeasureAll(loop));
        return [.. MeasureAll(loop).SelectMany(counts => new double[] { counts.Quantile(500), counts.Quantile(990) })];
    }

    private LatencyCounts[] MeasureAll(LoadLoop loop)
    {
        var (body, answer, result) = (new LatencyCounts(), new LatencyCounts(), new LatencyCounts());
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
            body.Add((long)Stopwatch.GetElapsedTime(began, arrivals.LastWrittenAt).TotalMicroseconds);
            answer.Add((long)Stopwatch.GetElapsedTime(began, arrivals.AnswerAt).TotalMicroseconds);
            result.Add((long)Stopwatch.GetElapsedTime(began, arrivals.ResultAt).TotalMicroseconds);
        }

        return [body, answer, result];
    }
}
