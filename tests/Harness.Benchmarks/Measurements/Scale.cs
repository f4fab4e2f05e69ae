using System.Diagnostics;
using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>How much is done: enough to be told of, or just enough to see that it works.</summary>
internal sealed record Scale(bool IsQuick)
{
    private const int QuickShare = 50;

    /// <summary>How long deliveries are measured at least, run after run.</summary>
    public TimeSpan Target => IsQuick ? TimeSpan.FromMilliseconds(50) : TimeSpan.FromSeconds(1);

    /// <summary>Runs that would take longer get fewer lines.</summary>
    public TimeSpan LongestRun => 5 * Target;

    /// <summary>A server that needs longer for one load is not able to do it.</summary>
    public TimeSpan TimeLimit => TimeSpan.FromSeconds(IsQuick ? 10 : 30);

    // How long a server works before anything is measured.
    private TimeSpan WarmUp => 5 * Target;

    /// <summary>How long it is watched that nothing happens.</summary>
    public TimeSpan Idleness => TimeSpan.FromSeconds(IsQuick ? 0.2 : 25);

    /// <summary>Has a server work, again and again, before that is measured.</summary>
    public void WarmUpWith(Action work)
    {
        var clock = Stopwatch.StartNew();
        do
        {
            work();
        }
        while (clock.Elapsed < WarmUp);
    }

    /// <summary>Lines of a run.</summary>
    public long Lines(long wanted) => IsQuick ? Math.Max(10, wanted / QuickShare) : wanted;

    /// <summary>Sockets, or repetitions.</summary>
    public int Count(int wanted) => IsQuick ? Math.Max(1, wanted / QuickShare) : wanted;

    /// <summary>A load; a few sockets stay as they are.</summary>
    public Load Load(Load wanted)
    {
        var sockets = wanted.Sockets < QuickShare ? wanted.Sockets : Count(wanted.Sockets);
        return new Load(sockets, Lines(wanted.Lines), wanted.Rate, wanted.HasRunEach);
    }
}
