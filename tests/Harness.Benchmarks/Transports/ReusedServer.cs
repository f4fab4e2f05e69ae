using Harness.Benchmarks.Measurements;

namespace Harness.Benchmarks.Transports;

/// <summary>The one process of a program, started when it is first asked for and warmed up for each of its contenders.</summary>
internal sealed class ReusedServer(Scale scale) : IDisposable
{
    // Not all can do it.
    private const string ManyRuns = "W3";

    // What counts is the steady state: a .NET server may be compiled to its best only after a million messages, and after thousands of runs.
    private static readonly Load[] Steady = [new(1, 200_000), new(1_000, 250, HasRunEach: true)];

    // At the end a time of few lines: what .NET wants to compile again it puts off as long as much is going on, and has seconds of work then.
    private static readonly Load[] WarmUp = [new(100, 3_000), new(100, 500, 1_000), new(1, 15_000, 1_000)];

    private readonly HashSet<string> _warm = [];
    private MeasuredServer? _server;

    /// <summary>The process.</summary>
    /// <param name="contender">For whom.</param>
    /// <param name="isWarm">Whether it shall have worked for this contender before.</param>
    public MeasuredServer Get(Contender contender, bool isWarm)
    {
        _server ??= contender.Start();
        if (isWarm && _warm.Add(contender.Name))
        {
            foreach (var load in Steady.Where(load => !load.HasRunEach || contender.Works.Contains(ManyRuns)))
            {
                scale.WarmUpWith(() => LoadRun.Run(_server, contender.Protocol, scale.Load(load), scale.TimeLimit));
            }

            foreach (var load in WarmUp)
            {
                LoadRun.Run(_server, contender.Protocol, scale.Load(load), scale.TimeLimit);
            }
        }

        return _server;
    }

    /// <summary>Ends it; the next that asks gets a new one.</summary>
    public void Stop()
    {
        _server?.Dispose();
        _server = null;
        _warm.Clear();
    }

    public void Dispose() => Stop();
}
