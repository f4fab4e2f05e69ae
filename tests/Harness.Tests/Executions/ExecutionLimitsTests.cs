using System.Text.Json;
using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>What is refused, waits or is cut when there is too much of it, and what is free again after that.</summary>
public sealed class ExecutionLimitsTests
{
    private static readonly ExecutionResult Completed = new(ExecutionStatus.Completed);

    private readonly ManualTime _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KeyOfAForgottenExecutionStartsANewOne()
    {
        using var engine = new Engine(new ExecutionOptions { Retention = TimeSpan.FromMinutes(5) }, _time);
        var first = Start(engine, request => request with { IdempotencyKey = "k" });
        await first.Completion.WaitAsync(Stop);
        Assert.Same(first, Start(engine, request => request with { IdempotencyKey = "k" }));

        _time.Advance(TimeSpan.FromMinutes(6));

        Assert.NotSame(first, Start(engine, request => request with { IdempotencyKey = "k" }));
    }

    [Fact]
    public void IdThatIsTakenIsRefused()
    {
        using var engine = new Engine();
        Start(engine, request => request with { Id = "mine" });

        var refused = Assert.Throws<ExecutionInputException>(() => Start(engine, request => request with { Id = "mine" }));

        Assert.Equal("There is an execution mine already", refused.Message);
    }

    [Fact]
    public async Task WishForMoreTimeThanThereIsForAllIsNotGranted()
    {
        using var engine = new Engine(new ExecutionOptions { TimeLimit = TimeSpan.FromMinutes(1) }, _time);
        var running = new TaskCompletionSource();
        var execution = engine.Start(
            async (_, stop) =>
            {
                running.SetResult();
                await Task.Delay(Timeout.Infinite, stop);
                return Completed;
            },
            request => request with { TimeLimit = TimeSpan.FromHours(1) });
        await running.Task.WaitAsync(Stop);

        _time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(
            "The execution took longer than its time limit of 60 s and was stopped", (await execution.Completion.WaitAsync(Stop)).Error);
    }

    [Fact]
    public async Task BodyThatFailsWithoutAWordSaysJustThat()
    {
        using var engine = new Engine();
        var execution = engine.Start((_, _) => Task.FromResult(new ExecutionResult(ExecutionStatus.Failed)));
        await execution.Completion.WaitAsync(Stop);

        Assert.Equal("It failed without saying why", execution.State.Error);
    }

    [Fact]
    public async Task NothingNewIsStartedWhileAThousandResultsWaitForTheStore()
    {
        await using var store = new FakeStore { AppendFailure = new StoreException("the disk is full") };
        using var engine = new Engine(time: _time, store: store);
        await engine.Registry.OpenAsync(Stop);
        var executions = Enumerable.Range(0, 1_000).Select(_ => Start(engine)).ToList();
        await Task.WhenAll(executions.Select(execution => execution.Completion)).WaitAsync(Stop);

        var refused = Assert.Throws<ExecutionInputException>(() => Start(engine));

        Assert.StartsWith("The store takes nothing (", refused.Message);
        Assert.EndsWith("), and 1000 results wait for it; send this again when it works", refused.Message);
    }

    [Fact]
    public async Task DeletedExecutionIsNotFoundAlsoWhileItsReaderHoldsIt()
    {
        await using var store = new FakeStore();
        using var before = new Engine(store: store);
        var execution = await before.RunAsync("a line");
        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var held = (await after.Registry.FindAsync(execution.Id, Stop))!;

        Assert.True(await after.Registry.RemoveAsync(held, Stop));

        Assert.Null(await after.Registry.FindAsync(execution.Id, Stop));
        GC.KeepAlive(held);
    }

    [Fact]
    public async Task RestoredExecutionsWaitForAPlaceAsOthersDo()
    {
        await using var store = new FakeStore();
        var holding = new HoldingKind();
        using var before = new Engine(store: store);
        await before.Registry.OpenAsync(Stop);
        for (var i = 0; i < 3; i++)
        {
            // It says nothing, and is never heard of again in this process.
            var running = before.Start(
                async (_, stop) =>
                {
                    await Task.Delay(Timeout.Infinite, stop);
                    return Completed;
                },
                request => request with { Kind = holding.Name });
            await running.Stored.WaitAsync(Stop);
        }

        using var after = new Engine(new ExecutionOptions { MaxConcurrent = 1 }, store: store);
        await after.Registry.OpenAsync([holding], Stop);
        var restored = after.Registry.List();
        Assert.Equal(1, restored.Count(execution => execution.State.Status == ExecutionStatus.Running));
        Assert.Equal(2, restored.Count(execution => execution.State.Status == ExecutionStatus.Pending));

        holding.Held.SetResult();
        var results = await Task.WhenAll(restored.Select(execution => execution.Completion)).WaitAsync(Stop);

        Assert.All(results, result => Assert.Equal(ExecutionStatus.Completed, result.Status));
    }

    [Fact]
    public async Task PageHasALineThatIsLongerThanAPageMayBe()
    {
        using var engine = new Engine(new ExecutionOptions { MaxRecordBytes = 16 });
        var execution = await engine.RunAsync(new string('x', 100), "short");

        var page = JsonElement.Parse((await execution.DescribeAsync(new RecordLines(1, 10), Stop)).Span);

        Assert.Equal([new string('x', 100)], page.GetProperty("logs").EnumerateArray().Select(line => line.GetString()));
        Assert.Equal(3, page.GetProperty("logs_next").GetInt64());
    }

    [Fact]
    public async Task SuspensionIsToldWhenItIsStored()
    {
        await using var store = new FakeStore();
        var kind = new PausingKind(_time);
        using var engine = new Engine(time: _time, store: store);
        await engine.Registry.OpenAsync([kind], Stop);
        var execution = engine.Registry.Start(kind.Plan(JsonElement.Parse("\"wait\"")));
        await execution.Stored.WaitAsync(Stop);
        await kind.Waiting.Task.WaitAsync(Stop);
        store.Shut();

        var suspending = engine.Registry.SuspendAsync(execution, "Maintenance", Stop).AsTask();
        while (execution.State.Status != ExecutionStatus.Suspended)
        {
            await Task.Yield();
        }

        Assert.False(suspending.IsCompleted);
        store.Open();
        Assert.NotNull(await suspending.WaitAsync(Stop));
    }

    [Fact]
    public async Task ExecutionWhoseReaderHasGoneIsForgottenAlsoWhileAnOlderOneIsRead()
    {
        using var engine = new Engine(new ExecutionOptions { Retention = TimeSpan.FromMinutes(5) }, _time);
        var (older, younger) = (await engine.RunAsync("a line"), await engine.RunAsync("a line"));
        using var reader = older.Log.OpenCursor(1, new LogBell());
        using (younger.Log.OpenCursor(1, new LogBell()))
        {
            _time.Advance(TimeSpan.FromMinutes(6));
        }

        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.False(engine.Registry.TryFind(younger.Id, out _));
        Assert.True(engine.Registry.TryFind(older.Id, out _));
    }

    private static Execution Start(Engine engine, Func<ExecutionRequest, ExecutionRequest>? change = null) =>
        engine.Start((_, _) => Task.FromResult(Completed), change);

    // Goes on with what was under way, and ends when it is let go.
    private sealed class HoldingKind : IRestorableKind
    {
        public TaskCompletionSource Held { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name => "holding";

        public ExecutionPlan Plan(JsonElement data) => throw new NotSupportedException();

        public ValueTask<Restoration> RestoreAsync(Execution execution, CancellationToken cancellationToken) =>
            ValueTask.FromResult(Restoration.Running(async (_, _, stop) =>
            {
                await Held.Task.WaitAsync(stop);
                return Completed;
            }));
    }
}
