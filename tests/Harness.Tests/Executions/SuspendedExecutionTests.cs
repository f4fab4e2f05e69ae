using System.Text.Json;
using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>Executions that stand still: what they give up meanwhile, how they go on, and that a restart does not end them.</summary>
public sealed class SuspendedExecutionTests : IAsyncDisposable
{
    private static readonly JsonElement Waits = JsonElement.Parse("\"wait\"");

    private readonly ManualTime _time = new();
    private readonly FakeStore _store = new();
    private readonly PausingKind _kind;

    public SuspendedExecutionTests() => _kind = new PausingKind(_time);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SuspendedExecutionShowsWhatItWaitsForAndGoesOnInTheSameLog()
    {
        using var engine = new Engine(time: _time);
        var execution = engine.Registry.Start(_kind.Plan(default));
        await SuspendedAsync(execution);

        Assert.True(engine.Registry.TryResume(execution, new ResumeRequest(JsonElement.Parse("""{"ok":1}"""), "two")));
        var events = await Engine.ReadAsync(execution);

        Assert.Equal(["status", "log", "event", "status", "status", "log", "result"], events.Select(JsonEvents.Type));
        Assert.Equal(["running", "suspended", "running"], events.Where(json => json.Type() == "status").Select(StatusOf));
        Assert.Equal(
            """{"suspended_at":"2026-11-21T17:00:00Z","reason":"asked for","step":"one"}""",
            events[3].GetProperty("data").GetProperty("suspension").GetRawText());
        Assert.Equal("""resumed with {"ok":1} at two""", events[5].Text("message"));
        Assert.Equal("completed", StatusOf(events[6]));
        Assert.False(events[6].GetProperty("data").TryGetProperty("suspension", out _));
    }

    [Fact]
    public async Task SuspendedExecutionHasNoPlaceAndWaitsForOneWhenItIsResumed()
    {
        using var engine = new Engine(new ExecutionOptions { MaxConcurrent = 1 }, _time);
        var execution = engine.Registry.Start(_kind.Plan(default));
        await SuspendedAsync(execution);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var other = engine.Start(async (_, _) =>
        {
            await release.Task;
            return new ExecutionResult(ExecutionStatus.Completed);
        });

        Assert.Equal(ExecutionStatus.Running, other.State.Status);
        Assert.True(engine.Registry.TryResume(execution, new ResumeRequest()));
        Assert.Equal(ExecutionStatus.Pending, execution.State.Status);
        release.SetResult();
        await execution.Completion.WaitAsync(Stop);

        var statuses = (await Engine.ReadAsync(execution)).Where(json => json.Type() == "status").Select(StatusOf);
        Assert.Equal(["running", "suspended", "pending", "running"], statuses);
        Assert.Equal(ExecutionStatus.Completed, execution.State.Status);
    }

    [Fact]
    public async Task NothingNewIsStartedBesideTooManySuspendedOnesAndTheyGoOnAllTheSame()
    {
        using var engine = new Engine(new ExecutionOptions { MaxSuspended = 2 }, _time);
        var suspended = new[] { engine.Registry.Start(_kind.Plan(default)), engine.Registry.Start(_kind.Plan(default)) };
        await SuspendedAsync(suspended[0]);
        await SuspendedAsync(suspended[1]);

        var refusal = Assert.Throws<ExecutionInputException>(() => engine.Registry.Start(_kind.Plan(default)));
        Assert.True(refusal.IsForNow);
        Assert.StartsWith("Too many executions: 2 are suspended, which is the limit", refusal.Message);

        Assert.True(engine.Registry.TryResume(suspended[0], new ResumeRequest()));
        await suspended[0].Completion.WaitAsync(Stop);
        var third = engine.Registry.Start(_kind.Plan(default));
        await SuspendedAsync(third);
        Assert.True(engine.Registry.TryCancel(suspended[1]));
        await suspended[1].Completion.WaitAsync(Stop);
        Assert.NotNull(engine.Registry.Start(_kind.Plan(default)));
    }

    [Fact]
    public async Task TimeLimitStandsStillWhileItIsSuspendedAndCountsAllStintsTogether()
    {
        using var engine = new Engine(new ExecutionOptions { TimeLimit = TimeSpan.FromMinutes(1) }, _time);
        var running = new SemaphoreSlim(0);
        var execution = engine.Registry.Start(new ExecutionPlan(
            new ExecutionRequest { Kind = "test", Name = "" },
            async (_, stint, stop) =>
            {
                running.Release();
                using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, stint.Suspending);
                await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                stop.ThrowIfCancellationRequested();
                return new ExecutionResult(ExecutionStatus.Suspended) { Suspension = new ExecutionSuspension { At = _time.GetUtcNow() } };
            }));
        await running.WaitAsync(Stop);
        _time.Advance(TimeSpan.FromSeconds(40));
        Assert.NotNull(await engine.Registry.SuspendAsync(execution, null, Stop));

        _time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(ExecutionStatus.Suspended, execution.State.Status);
        Assert.True(engine.Registry.TryResume(execution, new ResumeRequest()));
        await running.WaitAsync(Stop);
        _time.Advance(TimeSpan.FromSeconds(20));
        var result = await execution.Completion.WaitAsync(Stop);

        Assert.Equal("The execution took longer than its time limit of 60 s and was stopped", result.Error);
    }

    [Fact]
    public async Task SuspendedExecutionCanBeCancelledAndThenNotResumed()
    {
        using var engine = new Engine(time: _time);
        var execution = engine.Registry.Start(_kind.Plan(default));
        await SuspendedAsync(execution);

        Assert.True(engine.Registry.TryCancel(execution, reason: "no longer needed"));
        var result = await execution.Completion.WaitAsync(Stop);

        Assert.Equal(ExecutionStatus.Canceled, result.Status);
        Assert.False(engine.Registry.TryResume(execution, new ResumeRequest()));
        var last = (await Engine.ReadAsync(execution))[^1].GetProperty("data");
        Assert.Equal("cancelled", last.Text("status"));
        Assert.Equal("no longer needed", last.Text("cancel_reason"));
    }

    [Fact]
    public async Task RunningExecutionIsSuspendedFromOutsideAndTellsTheReason()
    {
        using var engine = new Engine(time: _time);
        var execution = engine.Registry.Start(_kind.Plan(Waits));
        await _kind.Waiting.Task.WaitAsync(Stop);

        var suspension = await engine.Registry.SuspendAsync(execution, "lunch", Stop);

        Assert.Equal("lunch", suspension?.Reason);
        Assert.Same(suspension, execution.State.Suspension);
        Assert.Null(await engine.Registry.SuspendAsync(execution, "again", Stop));
        Assert.True(engine.Registry.TryResume(execution, new ResumeRequest()));
        await execution.Completion.WaitAsync(Stop);
        Assert.Null(await engine.Registry.SuspendAsync(execution, "too late", Stop));
    }

    [Fact]
    public async Task ExecutionThatKnowsNothingOfSuspendingCannotBeSuspended()
    {
        using var engine = new Engine(time: _time);
        var execution = engine.Start(async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        });

        Assert.Null(await engine.Registry.SuspendAsync(execution, null, Stop));
        Assert.True(engine.Registry.TryCancel(execution));
    }

    [Fact]
    public async Task DataThatCannotBeUsedIsRefusedAndTheExecutionStaysSuspended()
    {
        using var engine = new Engine(time: _time);
        var execution = engine.Registry.Start(_kind.Plan(default));
        await SuspendedAsync(execution);

        var refusal = Assert.Throws<ExecutionInputException>(
            () => engine.Registry.TryResume(execution, new ResumeRequest(JsonElement.Parse("false"))));

        Assert.Equal("false will not do", refusal.Message);
        Assert.Equal(ExecutionStatus.Suspended, execution.State.Status);
        Assert.True(engine.Registry.TryResume(execution, new ResumeRequest()));
    }

    [Fact]
    public async Task OfManyWhoResumeOrCancelAtOnceOneDecides()
    {
        using var engine = new Engine(time: _time);
        for (var round = 0; round < 50; round++)
        {
            var execution = engine.Registry.Start(_kind.Plan(default));
            await SuspendedAsync(execution);
            var resumed = 0;
            var cancelled = 0;

            Parallel.For(0, 8, i =>
            {
                if (i == round % 8 && engine.Registry.TryCancel(execution))
                {
                    Interlocked.Increment(ref cancelled);
                }
                else if (engine.Registry.TryResume(execution, new ResumeRequest()))
                {
                    Interlocked.Increment(ref resumed);
                }
            });
            var result = await execution.Completion.WaitAsync(Stop);

            Assert.InRange(resumed, 0, 1);
            Assert.True(resumed + cancelled >= 1);
            Assert.Equal(cancelled == 1 ? ExecutionStatus.Canceled : ExecutionStatus.Completed, result.Status);
        }

        Assert.Equal(0, engine.Registry.ActiveCount);
    }

    [Fact]
    public async Task ResumeInTheMomentOfTheSuspensionLosesNeitherItsFrameNorAPlace()
    {
        using var engine = new Engine(new ExecutionOptions { MaxConcurrent = 1 }, _time);
        for (var round = 0; round < 200; round++)
        {
            var execution = engine.Registry.Start(_kind.Plan(default));
            SpinWait.SpinUntil(() => engine.Registry.TryResume(execution, new ResumeRequest()));
            await execution.Completion.WaitAsync(Stop);

            var statuses = (await Engine.ReadAsync(execution)).Where(json => json.Type() == "status").Select(StatusOf);
            Assert.Equal(["running", "suspended", "running"], statuses);
        }
    }

    [Fact]
    public async Task SuspendedExecutionSurvivesAKilledProcessAndGoesOnInTheSameSequence()
    {
        using var before = new Engine(time: _time, store: _store);
        await before.Registry.OpenAsync([_kind], Stop);
        var suspended = before.Registry.Start(_kind.Plan(default));
        await SuspendedAsync(suspended);

        using var after = new Engine(time: _time, store: _store);
        await after.Registry.OpenAsync([_kind], Stop);
        var restored = (await after.Registry.FindAsync(suspended.Id, Stop))!;
        Assert.Equal(ExecutionStatus.Suspended, restored.State.Status);
        Assert.Equal(suspended.Epoch, restored.Epoch);
        Assert.True(after.Registry.TryResume(restored, new ResumeRequest(JsonElement.Parse("7"))));
        var events = await Engine.ReadAsync(restored);

        Assert.Equal(["status", "log", "event", "status", "status", "log", "result"], events.Select(JsonEvents.Type));
        Assert.Equal(Enumerable.Range(1, 7).Select(sequence => (long)sequence), events.Select(JsonEvents.Sequence));
        Assert.Equal("resumed with 7 at -", events[5].Text("message"));
        Assert.Equal(ExecutionStatus.Completed, (await restored.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task RestoredExecutionCanBeCancelled()
    {
        using var before = new Engine(time: _time, store: _store);
        var suspended = before.Registry.Start(_kind.Plan(default));
        await SuspendedAsync(suspended);

        using var after = new Engine(time: _time, store: _store);
        await after.Registry.OpenAsync([_kind], Stop);
        Assert.True(after.Registry.TryFind(suspended.Id, out var restored));
        Assert.True(after.Registry.TryCancel(restored));

        Assert.Equal(ExecutionStatus.Canceled, (await restored.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task StoppedServerSuspendsWhatRunsAndLeavesItToTheNextOne()
    {
        using var before = new Engine(time: _time, store: _store);
        await before.Registry.OpenAsync([_kind], Stop);
        var suspended = before.Registry.Start(_kind.Plan(default));
        var running = before.Registry.Start(_kind.Plan(Waits));
        var other = before.Start(async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        });
        await SuspendedAsync(suspended);
        await _kind.Waiting.Task.WaitAsync(Stop);

        await before.Registry.StopAsync(Stop);
        using var after = new Engine(time: _time, store: _store);
        await after.Registry.OpenAsync([_kind], Stop);

        Assert.Equal(ExecutionStatus.Canceled, other.State.Status);
        foreach (var left in new[] { suspended, running })
        {
            Assert.False(left.Completion.IsCompleted);
            Assert.True(after.Registry.TryFind(left.Id, out var restored));
            Assert.Equal(ExecutionStatus.Suspended, restored.State.Status);
            Assert.True(after.Registry.TryResume(restored, new ResumeRequest()));
            await restored.Completion.WaitAsync(Stop);
        }

        var events = await Engine.ReadAsync((await after.Registry.FindAsync(running.Id, Stop))!);
        Assert.Equal("The server stopped", events[3].GetProperty("data").GetProperty("suspension").Text("reason"));
    }

    [Fact]
    public async Task StoppedServerLeavesWhatOthersWaitForToThem()
    {
        using var before = new Engine(time: _time, store: _store);
        await before.Registry.OpenAsync([_kind], Stop);
        var (asked, inner) = (ExecutionStatus.Pending, (Execution?)null);
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var outer = before.Registry.Start(new ExecutionPlan(new ExecutionRequest { Kind = _kind.Name, Name = "outer" }, async (log, stint, stop) =>
        {
            inner = before.Registry.StartInside(new ExecutionPlan(new ExecutionRequest { Kind = "test", Name = "inner" }, async (_, end) =>
            {
                await Task.Delay(Timeout.Infinite, end);
                return new ExecutionResult(ExecutionStatus.Completed);
            }));
            running.SetResult();
            await Task.Delay(Timeout.Infinite, stint.Suspending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            asked = inner.State.Status;
            return new ExecutionResult(ExecutionStatus.Suspended) { Suspension = new ExecutionSuspension { At = _time.GetUtcNow(), Reason = stint.SuspendReason } };
        }));
        await running.Task.WaitAsync(Stop);

        await before.Registry.StopAsync(Stop);

        Assert.Equal(ExecutionStatus.Running, asked);
        Assert.Equal(ExecutionStatus.Suspended, outer.State.Status);
        Assert.Equal(ExecutionStatus.Canceled, inner!.State.Status);
    }

    [Fact]
    public async Task BodyThatHasEndedWhenTheServerStopsHasItsResultAndDoesNotRunAgain()
    {
        using var before = new Engine(time: _time, store: _store);
        await before.Registry.OpenAsync([_kind], Stop);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ending = before.Registry.Start(new ExecutionPlan(new ExecutionRequest { Kind = _kind.Name, Name = "ending" }, async (log, _, stop) =>
        {
            await end.Task.WaitAsync(stop);
            await log.WriteAsync("done", stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        }));
        await ending.Stored.WaitAsync(Stop);
        _store.Shut();
        end.SetResult();
        while (ending.Plan is not null)
        {
            await Task.Yield();
        }

        var stopping = before.Registry.StopAsync(Stop);
        _store.Open();
        await stopping;
        using var after = new Engine(time: _time, store: _store);
        await after.Registry.OpenAsync([_kind], Stop);

        Assert.Equal(ExecutionStatus.Completed, ending.State.Status);
        Assert.Equal(["status", "log", "result"], (await Engine.ReadAsync(ending)).Select(json => json.Type()));
        Assert.False(after.Registry.TryFind(ending.Id, out _));
        Assert.Equal(ExecutionStatus.Completed, (await after.Registry.FindAsync(ending.Id, Stop))!.State.Status);
    }

    [Fact]
    public async Task BodyThatEndsAllTheSameWhenItIsLeftHasItsResult()
    {
        using var before = new Engine(time: _time, store: _store);
        await before.Registry.OpenAsync([_kind], Stop);
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ending = before.Registry.Start(new ExecutionPlan(new ExecutionRequest { Kind = _kind.Name, Name = "ending" }, async (log, stop) =>
        {
            running.SetResult();
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return new ExecutionResult(ExecutionStatus.Completed);
        }));
        await running.Task.WaitAsync(Stop);

        await before.Registry.StopAsync(Stop);

        Assert.Equal(ExecutionStatus.Completed, (await ending.Completion.WaitAsync(Stop)).Status);
        Assert.Equal("result", (await Engine.ReadAsync(ending))[^1].Type());
    }

    [Fact]
    public async Task WithoutAStoreAStoppedServerCancelsWhatIsSuspended()
    {
        using var engine = new Engine(time: _time);
        await engine.Registry.OpenAsync([_kind], Stop);
        var suspended = engine.Registry.Start(_kind.Plan(default));
        await SuspendedAsync(suspended);

        await engine.Registry.StopAsync(Stop);

        Assert.Equal(ExecutionStatus.Canceled, (await suspended.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task ExecutionThatRanWhenItsProcessWasKilledRunsOnWhenItsKindCan()
    {
        await LeaveRunningAsync();

        using var after = new Engine(time: _time, store: _store);
        await after.Registry.OpenAsync([_kind], Stop);

        await _kind.RanOn.Task.WaitAsync(Stop);
    }

    [Fact]
    public async Task ExecutionThatRanWhenItsProcessWasKilledFailsWithTheReasonOfItsKind()
    {
        var running = await LeaveRunningAsync();

        using var after = new Engine(time: _time, store: _store);
        await after.Registry.OpenAsync([new PausingKind(_time) { Refusal = "step one may not run twice" }], Stop);
        var failed = (await after.Registry.FindAsync(running.Id, Stop))!;

        Assert.Equal(ExecutionStatus.Failed, failed.State.Status);
        Assert.Equal("step one may not run twice", failed.State.Error);
    }

    [Fact]
    public async Task KindThatCannotReadWhatItSaidDoesNotKeepTheServerFromStarting()
    {
        var running = await LeaveRunningAsync();

        using var after = new Engine(time: _time, store: _store);
        await after.Registry.OpenAsync([new PausingKind(_time) { Fault = new KeyNotFoundException("step has no name") }], Stop);
        var failed = (await after.Registry.FindAsync(running.Id, Stop))!;

        Assert.Equal(ExecutionStatus.Failed, failed.State.Status);
        Assert.Equal("The server stopped while this execution was running, and it cannot go on: step has no name", failed.State.Error);
    }

    private async Task<Execution> LeaveRunningAsync()
    {
        var before = new Engine(time: _time, store: _store);
        var running = before.Registry.Start(_kind.Plan(Waits));
        await _kind.Waiting.Task.WaitAsync(Stop);
        await foreach (var json in running.Log.ReadEventsAsync(2, Stop))
        {
            break;
        }

        return running;
    }

    // The frame says so when the store has it.
    private static async Task SuspendedAsync(Execution execution)
    {
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            var frame = JsonElement.Parse(json.Span);
            if (frame.Type() == "status" && StatusOf(frame) == "suspended")
            {
                return;
            }
        }

        Assert.Fail("It was never suspended");
    }

    private static string? StatusOf(JsonElement frame) => frame.GetProperty("data").Text("status");
}
