using System.Text;
using Harness.Executions;
using Harness.Workflows;

namespace Harness.Tests.Workflows;

/// <summary>What a workflow goes on with: answers, steps that run anew, and those that do not.</summary>
public sealed class WorkflowResumeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task BranchesRunAnewWhenTheWorkflowGoesBackToTheirStep()
    {
        var (failed, won) = (0, 0);
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndRace<int>(
                "race",
                branch => branch.AndThen("breaks", (int _, StepContext _, CancellationToken _) =>
                {
                    Interlocked.Increment(ref failed);
                    return Task.FromException<int>(new InvalidOperationException("no ink"));
                }),
                branch => branch.AndThen("wins", (_, _, _) => Task.FromResult(Interlocked.Increment(ref won))))
            .AndThen<int>("ask", (number, context, _) => Task.FromResult<StepOutcome<int>>(context.IsResumed ? number : context.Suspend()))
            .End());
        var execution = stage.Start("1");
        await WorkflowStage.SuspendedAsync(execution);

        Assert.True(stage.Resume(execution, at: "race"));
        await WorkflowStage.SuspendedAsync(execution, times: 2);
        Assert.True(stage.Resume(execution));

        Assert.Equal("""{"output":2}""", await OutputAsync(execution));
        Assert.Equal((2, 2), (failed, won));
    }

    [Fact]
    public async Task SleepThatRunsAnewTakesItsWholeTimeAgain()
    {
        var time = new ManualTime();
        using var stage = await WorkflowStage.OpenAsync(
            Workflow.Begin<int>("w")
                .AndSleep("nap", TimeSpan.FromMinutes(5))
                .AndThen<int>("ask", (number, context, _) => Task.FromResult<StepOutcome<int>>(context.IsResumed ? number : context.Suspend()))
                .End(),
            time: time);
        var execution = stage.Start("7");
        var suspended = WorkflowStage.SuspendedAsync(execution);
        await AdvanceUntilAsync(time, suspended);

        Assert.True(stage.Resume(execution, at: "nap"));
        await AdvanceUntilAsync(time, WorkflowStage.SuspendedAsync(execution, times: 2));

        var naps = (await WorkflowProgress.ReadAsync(execution.Log, Stop)).Steps.Where(step => step.Id == "nap").ToList();
        Assert.Equal(2, naps.Count);
        Assert.All(naps, nap => Assert.True(nap.EndedAt - nap.StartedAt >= TimeSpan.FromMinutes(5), $"{nap.StartedAt} to {nap.EndedAt}"));
    }

    [Fact]
    public async Task SleepThatWasSuspendedTakesItsWholeTimeAgainWhenTheWorkflowGoesBackBeforeIt()
    {
        var time = new ManualTime();
        using var stage = await WorkflowStage.OpenAsync(
            Workflow.Begin<int>("w")
                .AndThen("first", (number, _, _) => Task.FromResult(number))
                .AndSleep("nap", TimeSpan.FromMinutes(5))
                .AndThen("last", (number, _, _) => Task.FromResult(number))
                .End(),
            time: time);
        var execution = stage.Start("7");
        await SuspendForTenMinutesInTheNapAsync(stage, execution, time);
        Assert.True(stage.Resume(execution, at: "first"));
        await AdvanceUntilAsync(time, execution.Completion);

        var nap = (await WorkflowProgress.ReadAsync(execution.Log, Stop)).Steps.Last(step => step.Id == "nap");
        Assert.True(nap.EndedAt - nap.StartedAt >= TimeSpan.FromMinutes(5), $"{nap.StartedAt} to {nap.EndedAt}");
    }

    [Fact]
    public async Task SleepThatWasSuspendedAndGoesOnTakesNoLonger()
    {
        var time = new ManualTime();
        using var stage = await WorkflowStage.OpenAsync(
            Workflow.Begin<int>("w").AndSleep("nap", TimeSpan.FromMinutes(5)).End(), time: time);
        var execution = stage.Start("7");
        await SuspendForTenMinutesInTheNapAsync(stage, execution, time);
        Assert.True(stage.Resume(execution, at: "nap"));

        // Without the clock moving.
        Assert.Equal(ExecutionStatus.Completed, (await execution.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task StepInsideOfOthersThatIsSuspendedWhileItWorksOnItsAnswerStillHasIt()
    {
        var (runs, running) = (0, new SemaphoreSlim(0));
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndAll<int>("all", branch => branch.AndThen<int>("ask", async (_, context, stop) =>
            {
                if (!context.IsResumed)
                {
                    return context.Suspend("how many");
                }

                if (Interlocked.Increment(ref runs) == 1)
                {
                    running.Release();
                    await Task.Delay(Timeout.Infinite, stop);
                }

                return context.ResumedWith<int>();
            }))
            .End());
        var execution = stage.Start("1");
        await WorkflowStage.SuspendedAsync(execution);
        Assert.True(stage.Resume(execution, "5"));
        await running.WaitAsync(Stop);

        var suspension = await stage.Registry.SuspendAsync(execution, "Maintenance", Stop);
        Assert.Equal("""{"step":"ask","step_index":0}""", Encoding.UTF8.GetString(suspension!.Details.Span));
        Assert.True(stage.Resume(execution));

        Assert.Equal("""{"output":[5]}""", await OutputAsync(execution));
    }

    [Fact]
    public async Task SuspensionFromOutsideNamesNoStepThatHasUsedItsAnswer()
    {
        var running = new SemaphoreSlim(0);
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndAll<int>("all", branch => branch
                .AndThen<int>("ask", (_, context, _) => Task.FromResult<StepOutcome<int>>(
                    context.IsResumed ? context.ResumedWith<int>() : context.Suspend("how many")))
                .AndThen("long", async (number, _, stop) =>
                {
                    running.Release();
                    await Task.Delay(Timeout.Infinite, stop);
                    return number;
                }))
            .End());
        var execution = stage.Start("1");
        await WorkflowStage.SuspendedAsync(execution);
        Assert.True(stage.Resume(execution, "5"));
        await running.WaitAsync(Stop);

        var suspension = await stage.Registry.SuspendAsync(execution, "Maintenance", Stop);

        Assert.Equal("""{"step":"all","step_index":0}""", Encoding.UTF8.GetString(suspension!.Details.Span));
    }

    [Fact]
    public async Task StepThatAsksAgainIsNotGivenItsFirstAnswer()
    {
        var runs = 0;
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndThen<int>("ask", (_, context, _) => Task.FromResult<StepOutcome<int>>(
                Interlocked.Increment(ref runs) < 3 ? context.Suspend() : context.ResumedWith<int?>() ?? -1))
            .End());
        var execution = stage.Start("1");
        await WorkflowStage.SuspendedAsync(execution);
        Assert.True(stage.Resume(execution, "5"));
        await WorkflowStage.SuspendedAsync(execution, times: 2);

        Assert.True(stage.Resume(execution));

        Assert.Equal("""{"output":-1}""", await OutputAsync(execution));
    }

    [Fact]
    public async Task StepInsideOfOthersThatDoesNotWaitIsNotResumedAt()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndAll<int>(
                "both",
                branch => branch.AndThen<int>("ask", (_, context, _) => Task.FromResult<StepOutcome<int>>(context.Suspend())),
                branch => branch.AndThen("once", (number, _, _) => Task.FromResult(number)))
            .End());
        var execution = stage.Start("1");
        await WorkflowStage.SuspendedAsync(execution);

        var refused = Assert.Throws<ExecutionInputException>(() => stage.Resume(execution, at: "once"));

        Assert.Equal("Step 'once' not found in workflow 'w'", refused.Message);
        Assert.Equal(ExecutionStatus.Suspended, execution.State.Status);
    }

    private static async Task SuspendForTenMinutesInTheNapAsync(WorkflowStage stage, Execution execution, ManualTime time)
    {
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            if (Encoding.UTF8.GetString(json.Span).Contains("\"stepId\":\"nap\"", StringComparison.Ordinal))
            {
                break;
            }
        }

        Assert.NotNull(await stage.Registry.SuspendAsync(execution, "Maintenance", Stop));
        time.Advance(TimeSpan.FromMinutes(10));
    }

    private static async Task AdvanceUntilAsync(ManualTime time, Task reached)
    {
        while (!reached.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }

        await reached;
    }

    private static async Task<string> OutputAsync(Execution execution) =>
        Encoding.UTF8.GetString((await execution.Completion.WaitAsync(Stop)).Details.Span);
}
