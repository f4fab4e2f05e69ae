namespace Harness.Suites;

/// <summary>One test of a running suite: its lines around either kind of test, and what became of it.</summary>
internal sealed class TestRun
{
    private readonly SuiteEntry _entry;
    private readonly TestStage _stage;
    private readonly WrittenTest _written;
    private readonly AgentTestRun? _agentTest;

    public TestRun(SuiteEntry entry, TestStage stage)
    {
        (_entry, _stage) = (entry, stage);
        _written = new WrittenTest(stage, entry.Test.AgentTest is null ? entry.Test.Interactions : []);
        _agentTest = entry.Test.AgentTest is null ? null : new AgentTestRun(stage, entry.Test.AgentTest);
        Report = new TestReport(entry.Id, entry.Test.Name, SuiteOutcome.Skipped) { Interactions = _written.Report() };
    }

    /// <summary>A skipped test until it has run.</summary>
    public TestReport Report { get; private set; }

    /// <summary>The first thing that went wrong, whole; null for nothing so far.</summary>
    public string? Failure { get; private set; }

    /// <param name="stop">The execution was cancelled.</param>
    /// <param name="failing">It was, or another test failed and ends this one.</param>
    public async Task RunAsync(CancellationToken stop, CancellationToken failing)
    {
        var started = _stage.Tools.Time.GetTimestamp();
        if (_stage.IsNewSession)
        {
            await _stage.Lines.WriteAsync($"User ID for test {_entry.Id}: {_stage.UserId}");
        }

        await _stage.Lines.WriteAsync("Running Test ID: " + _entry.Id);
        await _stage.Lines.WriteAsync("Running Test ID: " + _entry.Test.Name);
        string? cut = null;
        try
        {
            await RunAsync(failing);
        }
        catch (OperationCanceledException) when (failing.IsCancellationRequested)
        {
            cut = stop.IsCancellationRequested ? "context canceled" : "stopped because another test failed";
            await _stage.Lines.TellCanceledAsync(stop);
            await _stage.Lines.WriteAsync($"Error running test {_entry.Id}: {cut}");
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
            DurationMs = _stage.ElapsedMs(started),
            Error = error is null ? null : SuiteReportReductions.Shorten(error),
            UserId = _stage.UserId,
            Interactions = _written.Report(),
            Agent = _agentTest?.Report(),
        };
    }

    private async Task RunAsync(CancellationToken failing)
    {
        if (_agentTest is not null)
        {
            await TellAsync(await _agentTest.RunAsync(_entry.Test.Name, failing));
            return;
        }

        await foreach (var failure in _written.RunAsync(failing))
        {
            await TellAsync(failure);
        }
    }

    private async Task TellAsync(string? failure)
    {
        if (failure is not null)
        {
            Failure ??= failure;
            await _stage.Lines.WriteAsync($"Error running test {_entry.Id}: {failure}");
        }
    }
}
