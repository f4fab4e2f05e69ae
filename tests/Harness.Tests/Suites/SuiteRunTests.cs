using Harness.Agents;
using Harness.Executions;
using Harness.Suites;

namespace Harness.Tests.Suites;

public sealed class SuiteRunTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheFirstFailureEndsTheSuiteAndTheRestIsSkipped()
    {
        var stage = new SuiteStage("ok");

        var result = await stage.RunAsync(Suite("", Expect("ok"), Expect("no", "ok"), Expect("ok")), Stop);

        Assert.StartsWith("validation failed for Interaction ID: t2-1, ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Running Test ID: t3", stage.Lines);
        Assert.Equal([SuiteOutcome.Passed, SuiteOutcome.Failed, SuiteOutcome.Skipped], stage.Report.Tests.Select(test => test.Outcome));
        Assert.Equal([SuiteOutcome.Failed, SuiteOutcome.Skipped], stage.Report.Tests[1].Interactions.Select(interaction => interaction.Outcome));
        Assert.Equal([SuiteOutcome.Skipped], stage.Report.Tests[2].Interactions.Select(interaction => interaction.Outcome));
        Assert.Equal((3, 1, 1, 1), (stage.Report.Summary.Tests, stage.Report.Summary.Passed, stage.Report.Summary.Failed, stage.Report.Summary.Skipped));
    }

    [Fact]
    public async Task WithoutFailFastEverythingRunsAndTheFirstFailureIsTold()
    {
        var stage = new SuiteStage("ok");

        var result = await stage.RunAsync(Suite("\"fail_fast\":false,", Expect("no", "ok"), Expect("ok"), Expect("no"), Expect("no")), Stop);

        Assert.Equal(
            """validation failed for Interaction ID: t1-1, validation: [{"id":"v","type":"equals","value":"no"}] (and 2 more failed tests)""",
            result.Error);
        Assert.Equal(
            [SuiteOutcome.Failed, SuiteOutcome.Passed, SuiteOutcome.Failed, SuiteOutcome.Failed], stage.Report.Tests.Select(test => test.Outcome));
        Assert.Equal([SuiteOutcome.Failed, SuiteOutcome.Passed], stage.Report.Tests[0].Interactions.Select(interaction => interaction.Outcome));
    }

    [Fact]
    public async Task AnErrorEndsItsTestEvenWithoutFailFast()
    {
        var stage = new SuiteStage(_ => throw new AgentException("unreachable"));

        var result = await stage.RunAsync(Suite("\"fail_fast\":false,", Expect("ok", "ok"), Expect("ok")), Stop);

        Assert.Equal("unreachable (and 1 more failed test)", result.Error);
        Assert.Equal([SuiteOutcome.Failed, SuiteOutcome.Skipped], stage.Report.Tests[0].Interactions.Select(interaction => interaction.Outcome));
    }

    [Fact]
    public async Task TestsRunBesideEachOtherWithUsersOfTheirOwn()
    {
        var arrived = 0;
        var allHere = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stage = new SuiteStage("ok");
        stage.Agent.Before = async (_, stop) =>
        {
            if (Interlocked.Increment(ref arrived) == 3)
            {
                allHere.SetResult();
            }

            await allHere.Task.WaitAsync(stop);
        };

        var result = await stage.RunAsync(Suite("\"parallel\":3,", Expect("ok"), Expect("ok"), Expect("ok")), Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Equal(3, stage.Agent.Turns.Select(turn => turn.UserId).Distinct().Count());
        Assert.Equal("New session per test: enabled", stage.Lines[3]);
        Assert.Equal(["t1", "t2", "t3"], stage.Report.Tests.Select(test => test.Id));
        foreach (var test in stage.Report.Tests)
        {
            var own = stage.Lines.Where(line => line.Contains(test.Id, StringComparison.Ordinal));
            Assert.Equal(
                [
                    $"User ID for test {test.Id}: test-<uuid>",
                    $"Running Test ID: {test.Id}",
                    $"Interaction ID: {test.Id}-1",
                    $"Interaction Request Payload: {test.Id}-1",
                    $"All validations passed for Interaction ID: {test.Id}-1",
                ],
                own);
        }
    }

    [Fact]
    public async Task AFailureStopsWhatRunsBesideIt()
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stage = new SuiteStage("ok");
        stage.Agent.Before = async (turn, stop) =>
        {
            if (turn.Payload?.GetString() == "t2-1")
            {
                waiting.SetResult();
                await new TaskCompletionSource().Task.WaitAsync(stop);
            }

            await waiting.Task.WaitAsync(stop);
        };

        var result = await stage.RunAsync(Suite("\"parallel\":2,", Expect("no"), Expect("ok"), Expect("ok")), Stop);

        Assert.Equal(ExecutionStatus.Failed, result.Status);
        Assert.Equal([SuiteOutcome.Failed, SuiteOutcome.Skipped, SuiteOutcome.Skipped], stage.Report.Tests.Select(test => test.Outcome));
        Assert.Contains("Error running test t2: stopped because another test failed", stage.Lines);
        Assert.DoesNotContain("Test execution cancelled", stage.Lines);
    }

    [Fact]
    public async Task CancellingAbortsTheCallInFlightAndSkipsTheRest()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var stage = new SuiteStage("ok");
        stage.Agent.Before = async (_, stop) =>
        {
            await cancel.CancelAsync();
            await new TaskCompletionSource().Task.WaitAsync(stop);
        };

        var result = await stage.RunAsync(Suite("", Expect("ok", "ok"), Expect("ok")), cancel.Token);

        Assert.Equal((ExecutionStatus.Canceled, null), (result.Status, result.Error));
        Assert.Equal(["Test execution cancelled", "Error running test t1: context canceled"], stage.Lines.TakeLast(2));
        Assert.Equal([SuiteOutcome.Skipped, SuiteOutcome.Skipped], stage.Report.Tests.Select(test => test.Outcome));
        Assert.Equal("context canceled", stage.Report.Tests[0].Error);
    }

    [Fact]
    public async Task CancellingBetweenTestsStartsNoFurtherOne()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var stage = new SuiteStage("ok")
        {
            OnLine = line =>
            {
                if (line == "All validations passed for Interaction ID: t1-1")
                {
                    cancel.Cancel();
                }
            },
        };

        var result = await stage.RunAsync(Suite("", Expect("ok"), Expect("ok")), cancel.Token);

        Assert.Equal(ExecutionStatus.Canceled, result.Status);
        Assert.Equal("Test execution cancelled", stage.Lines[^1]);
        Assert.Equal([SuiteOutcome.Passed, SuiteOutcome.Skipped], stage.Report.Tests.Select(test => test.Outcome));
    }

    // A test for each list; an interaction for each expected answer.
    private static string Suite(string options, params string[][] tests)
    {
        var entries = tests.Select((expected, test) =>
        {
            var interactions = expected.Select((value, turn) =>
                $$$"""
                {"id":"t{{{test + 1}}}-{{{turn + 1}}}","user":{"type":"text","text":"t{{{test + 1}}}-{{{turn + 1}}}"},
                "agent":{"validate":[{"id":"v","type":"equals","value":"{{{value}}}"}]}}
                """);
            return $$$"""{"id":"t{{{test + 1}}}","test":{"interactions":[{{{string.Join(',', interactions)}}}]}}""";
        });
        return $$$"""{"suite":{{{{options}}}"tests":[{{{string.Join(',', entries)}}}]}}""";
    }

    private static string[] Expect(params string[] values) => values;
}
