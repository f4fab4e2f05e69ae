using Harness.Agents;

namespace Harness.Suites;

/// <summary>What tests are made with: agents and models from the factory, and the clock.</summary>
internal sealed record SuiteTools(Func<AgentSettings, IAgent> Agents, Func<ILanguageModel> Models, TimeProvider Time)
{
    /// <summary>Most bytes of a report. Default: 360 KiB.</summary>
    public int MaxReportBytes { get; init; } = 360 * 1024;
}

/// <summary>Where one test runs: whose conversation it is, and what it may use.</summary>
/// <param name="Suite">The suite it belongs to.</param>
/// <param name="Tools">Agents, models, the clock.</param>
/// <param name="Lines">The execution's log.</param>
/// <param name="UserId">As whom it talks.</param>
/// <param name="Conversation">With the agent under test.</param>
internal sealed record TestStage(Suite Suite, SuiteTools Tools, SuiteLines Lines, string UserId, IConversation Conversation)
{
    /// <summary>True when every test has a user of its own.</summary>
    public bool IsNewSession => Suite.NewSessionPerTest || Suite.Parallel > 1;

    public double ElapsedMs(long started) => Math.Round(Tools.Time.GetElapsedTime(started).TotalMilliseconds, 3);
}

/// <summary>Writes lines the way the reference does: without tabs, whoever put them there. Thread-safe.</summary>
internal sealed class SuiteLines(Func<string, ValueTask> write)
{
    private int _hasToldCanceled;

    public bool HasToldCanceled => Volatile.Read(ref _hasToldCanceled) != 0;

    public ValueTask WriteAsync(string line) => write(line.Replace("\t", "", StringComparison.Ordinal));

    /// <summary>Says once that the execution was cancelled, if it was.</summary>
    public ValueTask TellCanceledAsync(CancellationToken stop) =>
        stop.IsCancellationRequested && Interlocked.Exchange(ref _hasToldCanceled, 1) == 0
            ? WriteAsync("Test execution cancelled")
            : ValueTask.CompletedTask;
}
