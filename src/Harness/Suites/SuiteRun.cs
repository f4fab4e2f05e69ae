using Harness.Agents;
using Harness.Executions;

namespace Harness.Suites;

/// <summary>One run of a suite: its head lines, its tests one after the other or several at once, and its result.</summary>
internal sealed class SuiteRun
{
    private readonly Suite _suite;
    private readonly IAgent _agent;
    private readonly SuiteTools _tools;
    private readonly SuiteLines _lines;
    private readonly TestRun[] _tests;
    private readonly string _sharedUserId = NewUserId();
    private IConversation? _shared;

    public SuiteRun(Suite suite, IAgent agent, SuiteTools tools, Func<string, ValueTask> write)
    {
        // One for all that is asked in this run: an answers file begins with its first answer whenever a model is made of it.
        var model = new Lazy<ILanguageModel>(tools.Models, LazyThreadSafetyMode.PublicationOnly);
        (_suite, _agent, _tools, _lines) = (suite, agent, tools with { Models = () => model.Value }, new SuiteLines(write));
        _tests = [.. suite.Tests.Select(entry => new TestRun(entry, Begin))];
    }

    private bool IsNewSession => _suite.NewSessionPerTest || _suite.Parallel > 1;

    public async Task<ExecutionResult> RunAsync(CancellationToken stop)
    {
        var started = _tools.Time.GetTimestamp();
        await WriteHeadAsync();

        // Ends what runs beside a failed test.
        using var failing = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var options = new ParallelOptions { MaxDegreeOfParallelism = _suite.Parallel };
        await Parallel.ForEachAsync(_tests, options, async (test, _) =>
        {
            if (failing.IsCancellationRequested)
            {
                await _lines.TellCanceledAsync(stop);
                return;
            }

            await test.RunAsync(stop, failing.Token);
            if (test.Failure is not null && _suite.FailFast)
            {
                await failing.CancelAsync();
            }
        });
        return Conclude(_tools.Time.GetElapsedTime(started));
    }

    private async Task WriteHeadAsync()
    {
        if (_agent.Name != "voiceflow")
        {
            await _lines.WriteAsync("Agent: " + _agent.Description);
        }

        if (_suite.Agent.Subdomain is { } subdomain)
        {
            await _lines.WriteAsync("Using Voiceflow subdomain: " + subdomain);
        }

        await _lines.WriteAsync("Suite: " + _suite.Name);
        await _lines.WriteAsync("Description: " + _suite.Description);
        await _lines.WriteAsync("Environment: " + _suite.EnvironmentName);
        await _lines.WriteAsync(IsNewSession ? "New session per test: enabled" : "User ID: " + _sharedUserId);
        await _lines.WriteAsync("Running Tests:");
    }

    private ExecutionResult Conclude(TimeSpan elapsed)
    {
        var report = new SuiteReport { Tests = [.. _tests.Select(test => test.Report)] };
        int Count(SuiteOutcome outcome) => report.Tests.Count(test => test.Outcome == outcome);
        var summary = new SuiteSummary(
            _tests.Length,
            Count(SuiteOutcome.Passed),
            Count(SuiteOutcome.Failed),
            Count(SuiteOutcome.Skipped),
            Math.Round(elapsed.TotalMilliseconds, 3));
        var error = DescribeFailures();
        var status = (_lines.HasToldCanceled, error) switch
        {
            (true, _) => ExecutionStatus.Canceled,
            (_, null) => ExecutionStatus.Completed,
            _ => ExecutionStatus.Failed,
        };
        return new ExecutionResult(status, status == ExecutionStatus.Failed ? error : null)
        {
            Details = (report with { Summary = summary }).ToJson(_tools.MaxReportBytes),
        };
    }

    private string? DescribeFailures()
    {
        var failures = _tests.Select(test => test.Failure).OfType<string>().ToList();
        return failures.Count switch
        {
            0 => null,
            1 => failures[0],
            2 => failures[0] + " (and 1 more failed test)",
            _ => $"{failures[0]} (and {failures.Count - 1} more failed tests)",
        };
    }

    // Tests that share a user share the conversation: what one leaves behind, the next one finds.
    private TestStage Begin()
    {
        if (!IsNewSession)
        {
            _shared ??= _agent.Open(_sharedUserId);
            return new TestStage(_suite, _tools, _lines, _sharedUserId, _shared);
        }

        var userId = NewUserId();
        return new TestStage(_suite, _tools, _lines, userId, _agent.Open(userId));
    }

    private static string NewUserId() => "test-" + Guid.NewGuid();
}
