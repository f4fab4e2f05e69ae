using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Tests.Executions;
using Harness.Workflows;

namespace Harness.Tests.Workflows;

/// <summary>Workflows whose process ends, and the process that comes after it.</summary>
public sealed class WorkflowRestartTests : IAsyncDisposable
{
    private readonly FakeStore _store = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task SuspendedWorkflowGoesOnInTheNextProcessWithWhatItsStepsGave()
    {
        using var before = await WorkflowStage.OpenAsync(WorkflowRunTests.Approval(), _store);
        var suspended = before.Start("""{"price":2,"count":3}""");
        await WorkflowStage.SuspendedAsync(suspended);

        using var after = await WorkflowStage.OpenAsync(WorkflowRunTests.Approval(), _store);
        Assert.True(after.Registry.TryFind(suspended.Id, out var restored));
        Assert.Equal(("Waiting for a manager", suspended.State.Suspension!.At), (restored.State.Suspension?.Reason, restored.State.Suspension!.At));
        Assert.Throws<ExecutionInputException>(() => after.Resume(restored, "{}"));
        Assert.True(after.Resume(restored, """{"approved":false,"by":"eve"}"""));
        var result = await restored.Completion.WaitAsync(Stop);

        Assert.Equal("""{"output":"6 refused by eve"}""", Encoding.UTF8.GetString(result.Details.Span));
        Assert.Equal(
            ["workflow-start", "step-start total", "step-complete total", "step-start approve", "workflow-suspended approve",
             "workflow-resumed approve", "step-start approve", "step-complete approve", "step-start text", "step-complete text"],
            await WorkflowStage.EventsOfAsync(restored));
    }

    [Fact]
    public async Task StoppedServerSuspendsAWorkflowThatRuns()
    {
        var running = new SemaphoreSlim(0);
        using var before = await WorkflowStage.OpenAsync(Waiting(running, isRepeatable: false), _store);
        var execution = before.Start("1");
        await running.WaitAsync(Stop);

        await before.Registry.StopAsync(Stop);
        using var after = await WorkflowStage.OpenAsync(Ending(), _store);

        Assert.True(after.Registry.TryFind(execution.Id, out var restored));
        Assert.Equal("The server stopped", restored.State.Suspension?.Reason);
        Assert.True(after.Resume(restored));
        Assert.Equal(ExecutionStatus.Completed, (await restored.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task WorkflowThatWaitedForAPlaceWhenItsServerStoppedRunsInTheNextOne()
    {
        var running = new SemaphoreSlim(0);
        using var before = await WorkflowStage.OpenAsync(Waiting(running, isRepeatable: false), _store, maxConcurrent: 1);
        before.Start("1");
        await running.WaitAsync(Stop);
        var waiting = before.Start("5");
        await SeenAsync(waiting, "Waiting for a free place");

        await before.Registry.StopAsync(Stop);
        using var after = await WorkflowStage.OpenAsync(Ending(), _store);

        Assert.True(after.Registry.TryFind(waiting.Id, out var restored));
        Assert.Equal("""{"output":6}""", Encoding.UTF8.GetString((await restored.Completion.WaitAsync(Stop)).Details.Span));
        Assert.Single(await WorkflowStage.EventsOfAsync(restored), name => name == "workflow-start");
    }

    [Fact]
    public async Task WorkflowThatWasResumedAndWaitedForAPlaceWhenItsServerStoppedGoesOnInTheNextOne()
    {
        using var before = await WorkflowStage.OpenAsync(WorkflowRunTests.Approval(), _store, maxConcurrent: 1);
        var resumed = before.Start("""{"price":2,"count":3}""");
        await WorkflowStage.SuspendedAsync(resumed);
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        before.Registry.Start(new ExecutionPlan(new ExecutionRequest { Kind = "test", Name = "in the way" }, async (_, stop) =>
        {
            running.SetResult();
            await Task.Delay(Timeout.Infinite, stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        }));
        await running.Task.WaitAsync(Stop);
        Assert.True(before.Resume(resumed, """{"approved":false,"by":"eve"}"""));
        await SeenAsync(resumed, "Waiting for a free place");

        await before.Registry.StopAsync(Stop);
        using var after = await WorkflowStage.OpenAsync(WorkflowRunTests.Approval(), _store);

        Assert.True(after.Registry.TryFind(resumed.Id, out var restored));
        var result = await restored.Completion.WaitAsync(Stop);
        Assert.Equal("""{"output":"6 refused by eve"}""", Encoding.UTF8.GetString(result.Details.Span));
        Assert.DoesNotContain(await Engine.ReadAsync(restored), frame => frame.GetRawText().Contains("Running after", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ResumeIsTakenWhenItIsStored()
    {
        using var before = await WorkflowStage.OpenAsync(WorkflowRunTests.Approval(), _store);
        var resumed = before.Start("""{"price":2,"count":3}""");
        await WorkflowStage.SuspendedAsync(resumed);

        _store.Shut();
        var resuming = before.Registry.ResumeAsync(resumed, new ResumeRequest(JsonElement.Parse("""{"approved":true,"by":"eve"}""")), Stop).AsTask();
        Assert.False(resuming.IsCompleted);
        _store.Open();

        Assert.True(await resuming);
        Assert.Contains("workflow-resumed approve", await WorkflowStage.EventsOfAsync(resumed));
    }

    [Fact]
    public async Task WorkflowThatWaitedForAPlaceSaysOnceThatItBegins()
    {
        var running = new SemaphoreSlim(0);
        using var stage = await WorkflowStage.OpenAsync(Waiting(running, isRepeatable: false), _store, maxConcurrent: 1);
        var first = stage.Start("1");
        await running.WaitAsync(Stop);
        var second = stage.Start("5");
        await SeenAsync(second, "Waiting for a free place");
        Assert.True(stage.Registry.TryCancel(first));
        await BegunAsync(second, "second");

        Assert.Equal(["workflow-start", "step-start first", "step-complete first", "step-start second"], await WorkflowStage.EventsOfAsync(second));
        var document = Encoding.UTF8.GetString((await second.DescribeAsync(cancellationToken: Stop)).Span);
        Assert.DoesNotContain("restarted", document, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KilledWorkflowBeginsItsStepAgainWhenThatMayRunTwice()
    {
        var execution = await KillAsync(isRepeatable: true);

        using var after = await WorkflowStage.OpenAsync(Ending(), _store);
        Assert.True(after.Registry.TryFind(execution.Id, out var restored));

        Assert.Equal("""{"output":2}""", Encoding.UTF8.GetString((await restored.Completion.WaitAsync(Stop)).Details.Span));
        Assert.Equal(
            ["workflow-start", "step-start first", "step-complete first", "step-start second", "step-start second", "step-complete second"],
            await WorkflowStage.EventsOfAsync(restored));
        Assert.Equal(
            [WorkflowStepStatus.Success, WorkflowStepStatus.Suspended, WorkflowStepStatus.Success],
            (await WorkflowProgress.ReadAsync(restored.Log, Stop)).Steps.Select(step => step.Status));
    }

    [Fact]
    public async Task KilledWorkflowFailsWhenItsStepMayNotRunTwice()
    {
        var execution = await KillAsync(isRepeatable: false);

        using var after = await WorkflowStage.OpenAsync(Waiting(new SemaphoreSlim(0), isRepeatable: false), _store);
        var failed = (await after.Registry.FindAsync(execution.Id, Stop))!;

        Assert.Equal(ExecutionStatus.Failed, failed.State.Status);
        Assert.Equal(
            "The server stopped while this workflow was running, and it cannot go on: step 'second' had begun and may not run twice",
            failed.State.Error);
    }

    [Fact]
    public async Task WorkflowThatHasOtherStepsNowOrIsGoneCannotGoOn()
    {
        using var before = await WorkflowStage.OpenAsync(WorkflowRunTests.Approval(), _store);
        var first = before.Start("""{"price":2,"count":3}""");
        await WorkflowStage.SuspendedAsync(first);

        using (var after = await WorkflowStage.OpenAsync(Workflow.Begin<int>("approval").AndSleep("other", default).End(), _store))
        {
            Assert.EndsWith("the workflow 'approval' has other steps now", (await after.Registry.FindAsync(first.Id, Stop))!.State.Error);
        }

        var second = before.Start("""{"price":2,"count":3}""");
        await WorkflowStage.SuspendedAsync(second);
        using (var after = await WorkflowStage.OpenAsync(Ending(), _store))
        {
            Assert.EndsWith("there is no workflow 'approval' any more", (await after.Registry.FindAsync(second.Id, Stop))!.State.Error);
        }
    }

    [Fact]
    public async Task WorkflowWhoseFirstEventsAreGoneCannotGoOn()
    {
        using var before = await WorkflowStage.OpenAsync(WorkflowRunTests.Approval(), _store);
        var suspended = before.Start("""{"price":2,"count":3}""");
        await WorkflowStage.SuspendedAsync(suspended);
        await _store.SweepAsync(new RetentionRule(EndedBefore: null, MaxFinished: null, MaxBytes: 1), Stop);

        using var after = await WorkflowStage.OpenAsync(WorkflowRunTests.Approval(), _store);

        Assert.Equal(
            "The server stopped while this execution was running, and it cannot go on: its first events are no longer kept",
            (await after.Registry.FindAsync(suspended.Id, Stop))!.State.Error);
    }

    [Fact]
    public async Task BranchThatLostARaceDoesNotKeepAKilledWorkflowFromGoingOn()
    {
        var running = new SemaphoreSlim(0);
        using var before = await WorkflowStage.OpenAsync(Raced(running), _store);
        var execution = before.Start("1");
        await running.WaitAsync(Stop);
        await BegunAsync(execution, "second");

        using var after = await WorkflowStage.OpenAsync(Raced(running: null), _store);
        Assert.True(after.Registry.TryFind(execution.Id, out var restored));

        Assert.Equal("""{"output":1}""", Encoding.UTF8.GetString((await restored.Completion.WaitAsync(Stop)).Details.Span));
    }

    [Fact]
    public async Task BranchThatFailedBeforeItsServerWasKilledDoesNotRunAgain()
    {
        var runs = 0;
        Workflow Race(bool hangs) => Workflow.Begin<int>("w")
            .AndRace<int>(
                "race",
                branch => branch.AndThen("breaks", (int _, StepContext _, CancellationToken _) =>
                {
                    Interlocked.Increment(ref runs);
                    return Task.FromException<int>(new InvalidOperationException("no ink"));
                }),
                branch => branch.AndThen("hangs", async (number, _, stop) =>
                {
                    await Task.Delay(hangs ? Timeout.Infinite : 0, stop);
                    return number;
                }).Repeatable())
            .End();
        using var before = await WorkflowStage.OpenAsync(Race(hangs: true), _store);
        var execution = before.Start("1");
        await SeenAsync(execution, "\"name\":\"step-error\"");
        await BegunAsync(execution, "hangs");

        using var after = await WorkflowStage.OpenAsync(Race(hangs: false), _store);
        Assert.True(after.Registry.TryFind(execution.Id, out var restored));

        Assert.Equal("""{"output":1}""", Encoding.UTF8.GetString((await restored.Completion.WaitAsync(Stop)).Details.Span));
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task StepThatFailedRightBeforeItsServerWasKilledDoesNotRunAgain()
    {
        var runs = 0;
        var workflow = Workflow.Begin<int>("w")
            .AndThen("pays", (int _, StepContext _, CancellationToken _) =>
            {
                Interlocked.Increment(ref runs);
                return Task.FromException<int>(new InvalidOperationException("no ink"));
            })
            .End();
        using var before = await WorkflowStage.OpenAsync(workflow, _store);
        var failed = before.Start("1");
        await failed.Completion.WaitAsync(Stop);

        // The same log, with everything but the result.
        var said = (await Engine.ReadAsync(failed)).Where(frame => frame.Type() == "event").ToList();
        var killed = before.Registry.Start(new ExecutionPlan(failed.Request, async (log, stop) =>
        {
            foreach (var frame in said)
            {
                await log.EmitAsync(frame.Text("name")!, Encoding.UTF8.GetBytes(frame.GetProperty("data").GetRawText()), stop);
            }

            await Task.Delay(Timeout.Infinite, stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        }));
        await SeenAsync(killed, "\"name\":\"step-error\"");

        using var after = await WorkflowStage.OpenAsync(workflow, _store);
        Assert.True(after.Registry.TryFind(killed.Id, out var restored));

        Assert.Equal("Step 'pays' failed: no ink", (await restored.Completion.WaitAsync(Stop)).Error);
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task StateThatASuspendedStepHasChangedIsTheSameAfterARestart()
    {
        var runs = 0;
        var workflow = Workflow.Begin<int>("w")
            .AndThen<int>("ask", (_, context, _) =>
            {
                var tries = (int?)context.State["tries"] ?? 0;
                context.State["tries"] = tries + 1;
                return Task.FromResult<StepOutcome<int>>(Interlocked.Increment(ref runs) == 3 ? tries : context.Suspend());
            })
            .End();
        using var before = await WorkflowStage.OpenAsync(workflow, _store);
        var execution = before.Start("1");
        await WorkflowStage.SuspendedAsync(execution);
        Assert.True(before.Resume(execution));
        await WorkflowStage.SuspendedAsync(execution, times: 2);

        using var after = await WorkflowStage.OpenAsync(workflow, _store);
        Assert.True(after.Registry.TryFind(execution.Id, out var suspended));
        Assert.True(after.Resume(suspended));

        Assert.Equal("""{"output":2}""", Encoding.UTF8.GetString((await suspended.Completion.WaitAsync(Stop)).Details.Span));
    }

    [Fact]
    public async Task StateThatABrokenOffStepHasChangedDoesNotCount()
    {
        var running = new SemaphoreSlim(0);
        using var stage = await WorkflowStage.OpenAsync(
            Workflow.Begin<int>("w")
                .AndThen("long", async (_, context, stop) =>
                {
                    var seen = (int?)context.State["seen"] ?? 0;
                    context.State["seen"] = seen + 1;
                    if (!context.IsResumed)
                    {
                        running.Release();
                        await Task.Delay(Timeout.Infinite, stop);
                    }

                    return seen;
                })
                .End(),
            _store);
        var execution = stage.Start("1");
        await running.WaitAsync(Stop);
        await stage.Registry.SuspendAsync(execution, "Maintenance", Stop);

        Assert.True(stage.Resume(execution));

        Assert.Equal("""{"output":0}""", Encoding.UTF8.GetString((await execution.Completion.WaitAsync(Stop)).Details.Span));
    }

    [Fact]
    public async Task TimeLimitOfTheRequestHoldsInTheNextProcessToo()
    {
        var time = new ManualTime();
        using var before = await WorkflowStage.OpenAsync(Waiting(new SemaphoreSlim(0), isRepeatable: true), _store, time);
        var plan = before.Kind.Plan(JsonElement.Parse("""{"workflow":"w","input":1}"""));
        var execution = before.Registry.Start(plan with { Request = plan.Request with { TimeLimit = TimeSpan.FromMinutes(2) } });
        await BegunAsync(execution, "second");
        await before.Registry.StopAsync(Stop);

        var running = new SemaphoreSlim(0);
        using var after = await WorkflowStage.OpenAsync(Waiting(running, isRepeatable: true), _store, time);
        Assert.True(after.Registry.TryFind(execution.Id, out var restored));
        Assert.True(after.Resume(restored));
        Assert.Equal(TimeSpan.FromMinutes(2), restored.Request.TimeLimit);
        await running.WaitAsync(Stop);
        time.Advance(TimeSpan.FromMinutes(2));

        var result = await restored.Completion.WaitAsync(Stop);
        Assert.Equal("The execution took longer than its time limit of 120 s and was stopped", result.Error);
    }

    private static Task BegunAsync(Execution execution, string step) => SeenAsync(execution, $"\"stepId\":\"{step}\"");

    private static async Task SeenAsync(Execution execution, string text)
    {
        // What is read is stored.
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            if (Encoding.UTF8.GetString(json.Span).Contains(text, StringComparison.Ordinal))
            {
                return;
            }
        }
    }

    // The one that loses may not run twice; the step after the race may.
    private static Workflow Raced(SemaphoreSlim? running) => Workflow.Begin<int>("w")
        .AndRace<int>(
            "race",
            branch => branch.AndThen("loses", async (number, _, stop) =>
            {
                await Task.Delay(Timeout.Infinite, stop);
                return number;
            }),
            branch => branch.AndThen("wins", (number, _, _) => Task.FromResult(number)))
        .AndThen("second", async (number, _, stop) =>
        {
            running?.Release();
            await Task.Delay(running is null ? 0 : Timeout.Infinite, stop);
            return number;
        }).Repeatable()
        .End();

    private async Task<Execution> KillAsync(bool isRepeatable)
    {
        var running = new SemaphoreSlim(0);
        var before = await WorkflowStage.OpenAsync(Waiting(running, isRepeatable), _store);
        var execution = before.Start("1");
        await running.WaitAsync(Stop);

        await BegunAsync(execution, "second");
        return execution;
    }

    private static Workflow Waiting(SemaphoreSlim running, bool isRepeatable)
    {
        var steps = Workflow.Begin<int>("w")
            .AndThen("first", (number, _, _) => Task.FromResult(number))
            .AndThen("second", async (number, _, stop) =>
            {
                running.Release();
                await Task.Delay(Timeout.Infinite, stop);
                return number;
            });
        return (isRepeatable ? steps.Repeatable() : steps).End();
    }

    private static Workflow Ending() => Workflow.Begin<int>("w")
        .AndThen("first", (number, _, _) => Task.FromResult(number))
        .AndThen("second", (number, _, _) => Task.FromResult(number + 1)).Repeatable()
        .End();
}
