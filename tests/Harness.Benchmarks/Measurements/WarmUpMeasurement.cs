using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>
/// How long a process that has just started takes to reach its speed: from execute to result, run after run on one socket, for a client that
/// comes as soon as the server listens or a little later.
/// </summary>
internal sealed class WarmUpMeasurement(Scale scale, TimeSpan later) : IMeasurement
{
    private const int First = 5;
    private const int UntilSteady = 10;
    private const int Steady = 5;

    public string Work => "warm-up";

    public string Title => later == TimeSpan.Zero
        ? $"Warm-up: the first {First} runs of {Lines:N0} lines, at once"
        : $"Warm-up: the first {First} runs of {Lines:N0} lines, {later.TotalSeconds:0} s after it listens";

    public ServerState Server => ServerState.New;

    public IReadOnlyList<Column> Columns { get; } =
    [
        .. Enumerable.Range(1, First).Select(run => new Column($"{run}. ms", "0")),
        new("steady ms", "0"),
        new("1. / steady", "0.0"),
    ];

    private long Lines => scale.Lines(100_000);

    public double[] Measure(Contender contender, MeasuredServer server)
    {
        Thread.Sleep(scale.IsQuick ? TimeSpan.Zero : later); // When the client comes is what is measured.
        var first = RunAll(First);
        RunAll(scale.IsQuick ? 0 : UntilSteady);
        var steady = RunAll(Steady).Order().ElementAt(Steady / 2);
        return [.. first, steady, first[0] / steady];

        List<double> RunAll(int count) => [.. Enumerable.Range(0, count).Select(_ =>
            LoadRun.Run(server, contender.Protocol, new Load(1, Lines), scale.TimeLimit).FromCommand.TotalMilliseconds)];
    }
}
