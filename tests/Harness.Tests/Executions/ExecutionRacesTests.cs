using System.Text.Json;
using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>What happens in the same moment: starts, ends, deletions and stops that meet each other or a store that fails.</summary>
public sealed class ExecutionRacesTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DeletionThatComesTwiceLeavesANewExecutionWithTheSameIdAlone()
    {
        var store = new FakeStore();
        using var engine = new Engine(store: store);
        var old = engine.Start((_, _) => Task.FromResult(new ExecutionResult(ExecutionStatus.Completed)), request => request with { Id = "x" });
        await old.Completion.WaitAsync(Stop);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.DeletesGate = gate.Task;

        var slow = engine.Registry.RemoveAsync(old, Stop).AsTask();
        store.DeletesGate = Task.CompletedTask;
        Assert.True(await engine.Registry.RemoveAsync(old, Stop));
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var next = engine.Start(
            async (log, _) =>
            {
                await release.Task;
                await log.WriteAsync("still here");
                return new ExecutionResult(ExecutionStatus.Completed);
            },
            request => request with { Id = "x" });
        await next.Stored.WaitAsync(Stop);
        gate.SetResult();

        Assert.False(await slow);
        Assert.True(engine.Registry.TryFind("x", out var found));
        Assert.Same(next, found);
        release.SetResult();
        Assert.Equal(["status", "log", "result"], (await Engine.ReadAsync(next)).Select(JsonEvents.Type));
    }

    [Fact]
    public async Task SweepLeavesANewExecutionWithTheSameIdAlone()
    {
        var store = new FakeStore();
        using var engine = new Engine(store: store);
        var old = engine.Start((_, _) => Task.FromResult(new ExecutionResult(ExecutionStatus.Completed)), request => request with { Id = "x" });
        await old.Completion.WaitAsync(Stop);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.SweptGate = gate.Task;

        var sweep = engine.Registry.SweepAsync(new RetentionRule(null, 0, null), Stop);
        Assert.True(await engine.Registry.RemoveAsync(old, Stop));
        var next = engine.Start(
            async (_, stop) =>
            {
                await Task.Delay(Timeout.Infinite, stop);
                return new ExecutionResult(ExecutionStatus.Completed);
            },
            request => request with { Id = "x" });
        gate.SetResult();
        await sweep.WaitAsync(Stop);

        Assert.True(engine.Registry.TryFind("x", out var found));
        Assert.Same(next, found);
        Assert.True(engine.Registry.TryCancel(next));
        Assert.Equal(ExecutionStatus.Canceled, (await next.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task KeyOfAStartThatCouldNotBeStoredStartsAnewWhenTheStoreWorksAgain()
    {
        var (store, time) = (new FakeStore { AppendFailure = new StoreException("no room") }, new ManualTime());
        using var engine = new Engine(time: time, store: store);
        var plan = new ExecutionPlan(
            new ExecutionRequest { Kind = "test", Name = "", IdempotencyKey = "k" },
            (_, _) => Task.FromResult(new ExecutionResult(ExecutionStatus.Completed)));

        var refused = await engine.Registry.StartAsync(plan, Stop);
        await Assert.ThrowsAsync<StoreException>(() => refused.Stored.WaitAsync(Stop));
        await refused.Completion.WaitAsync(Stop);
        store.AppendFailure = null;
        var started = await engine.Registry.StartAsync(plan, Stop);
        await started.Stored.WaitAsync(Stop);
        await started.Completion.WaitAsync(Stop);

        Assert.NotSame(refused, started);
        Assert.Same(started, await engine.Registry.StartAsync(plan, Stop));

        // What was refused is saved too, and does not take the key back.
        await engine.Registry.StopAsync(Stop);
        Assert.Equal(ExecutionStatus.Failed, (await store.FindAsync(refused.Id, Stop))!.End!.Status);
        Assert.Equal(started.Id, (await store.FindByKeyAsync("k", Stop))!.Id);
    }

    [Fact]
    public async Task ExecutionThatIsBeingStartedWhenTheServerStopsIsCancelledToo()
    {
        using var time = new GatedTime();
        using var engine = new Engine(time: time, store: new FakeStore());
        time.Shut();
        var starting = Task.Run(
            () => engine.Start(async (_, stop) =>
            {
                await Task.Delay(Timeout.Infinite, stop);
                return new ExecutionResult(ExecutionStatus.Completed);
            }),
            Stop);
        await time.Asked.WaitAsync(TimeLimit, Stop);

        await engine.Registry.StopAsync(Stop);
        time.Open();
        var execution = await starting.WaitAsync(TimeLimit, Stop);

        Assert.Equal(ExecutionStatus.Canceled, (await execution.Completion.WaitAsync(TimeLimit, Stop)).Status);
    }

    [Fact]
    public async Task ExecutionWhoseBeginningWasLostBehindItsBackIsInTheStoreWithItsEnd()
    {
        var store = new FakeStore { LosesBehind = true };
        using var engine = new Engine(store: store);
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WriteAsync("one", stop);
            await Task.Delay(Timeout.Infinite, stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        });

        var result = await execution.Completion.WaitAsync(TimeLimit, Stop);

        Assert.Equal((ExecutionStatus.Failed, "The log could not be stored: what was written behind is lost"), (result.Status, result.Error));
        Assert.Equal(ExecutionStatus.Failed, (await store.FindAsync(execution.Id, Stop))!.End!.Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SuspensionThatTheStoreDidNotTakeIsNotSaidToBe(bool resumes)
    {
        var (store, time) = (new FakeStore(), new ManualTime());
        using var engine = new Engine(time: time, store: store);
        var execution = engine.Registry.Start(new PausingKind(time).Plan(JsonElement.Parse("\"wait\"")));
        await execution.Stored.WaitAsync(Stop);
        if (resumes)
        {
            Assert.NotNull(await engine.Registry.SuspendAsync(execution, null, Stop).AsTask().WaitAsync(TimeLimit, Stop));
        }

        store.FailsFrom = execution.Log.LastSequence + 1;
        if (resumes)
        {
            var failure = await Assert.ThrowsAsync<StoreException>(() => engine.Registry.ResumeAsync(execution, new ResumeRequest(), Stop).AsTask().WaitAsync(TimeLimit, Stop));
            Assert.Equal("The resume could not be stored: the disk is full", failure.Message);
        }
        else
        {
            Assert.Null(await engine.Registry.SuspendAsync(execution, null, Stop).AsTask().WaitAsync(TimeLimit, Stop));
        }

        Assert.Equal(ExecutionStatus.Failed, (await execution.Completion.WaitAsync(TimeLimit, Stop)).Status);
    }

    /// <summary>Says the time only when it may.</summary>
    private sealed class GatedTime : TimeProvider, IDisposable
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _gate = new(true);

        /// <summary>Ends when somebody waits for the time.</summary>
        public Task Asked => _asked.Task;

        public void Dispose() => _gate.Dispose();

        public void Shut() => _gate.Reset();

        public void Open() => _gate.Set();

        public override DateTimeOffset GetUtcNow()
        {
            if (!_gate.IsSet)
            {
                _asked.TrySetResult();
                _gate.Wait(TimeLimit);
            }

            return base.GetUtcNow();
        }
    }
}
