namespace Harness.Suites;

/// <summary>One test of a running suite: its lines around either kind of test, and what became of it.</summary>
internal sealed class TestRun
{
    private readonly SuiteEntry _entry;
    private readonly Func<TestStage> _begin;

    /// <param name="entry">The test.</param>
    /// <param name="begin">Opens its conversation, when its turn has come.</param>
    public TestRun(SuiteEntry entry, Func<TestStage> begin)
    {
        (_entry, _begin) = (entry, begin);
        Report = new TestReport(entry.Id, entry.Test.Name, SuiteOutcome.Skipped) { Interactions = [.. Interactions.Select(WrittenTest.Skip)] };
    }

    private IReadOnlyList<Interaction> Interactions => _entry.Test.AgentTest is null ? _entry.Test.Interactions : [];

    /// <summary>A skipped test until it has run.</summary>
    public TestReport Report { get; private set; }

    /// <summary>The first thing that went wrong, whole; null for nothing so far.</summary>
    public string? Failure { get; private set; }

    /// <param name="stop">The execution was cancelled.</param>
    /// <param name="failing">It was, or another test failed and ends this one.</param>
    public async Task RunAsync(CancellationToken stop, CancellationToken failing)
    {
        var stage = _begin();
        var started = stage.Tools.Time.GetTimestamp();
        if (stage.IsNewSession)
        {
            await stage.Lines.WriteAsync($"User ID for test {_entry.Id}: {stage.UserId}");
        }

        await stage.Lines.WriteAsync("Running Test ID: " + _entry.Id);
        await stage.Lines.WriteAsync("Running Test ID: " + _entry.Test.Name);
        var written = new WrittenTest(stage, Interactions);
        var agentTest = _entry.Test.AgentTest is null ? null : new AgentTestRun(stage, _entry.Test.AgentTest);
        string? cut = null;
        try
        {
            await foreach (var failure in agentTest?.RunAsync(_entry.Test.Name, failing) ?? written.RunAsync(failing))
            {
                Failure ??= failure;
                await stage.Lines.WriteAsync($"Error running test {_entry.Id}: {failure}");
            }
        }
        catch (OperationCanceledException) when (failing.IsCancellationRequested)
        {
            cut = stop.IsCancellationRequested ? "context canceled" : "stopped because another test failed";
            await stage.Lines.TellCanceledAsync(stop);
            await stage.Lines.WriteAsync($"Error running test {_entry.Id}: {cut}");
        }

        var error = Failure ?? cut;
        Report = Report with
        {
            Outcome = (Failure, cut) switch
            {
                (not null, _) => SuiteOutcome.Failed,
                (_, not null) => SuiteOutcome.Skipped,
                _ => SuiteOutcome.Passed,
            },
            DurationMs = stage.ElapsedMs(started),
            Error = error is null ? null : SuiteReportReductions.Shorten(error),
            UserId = stage.UserId,
            Interactions = written.Report(),
            Agent = agentTest?.Report(),
        };
    }
}
