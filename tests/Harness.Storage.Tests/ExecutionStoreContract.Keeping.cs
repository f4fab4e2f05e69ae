using Harness.Executions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Harness.Storage.Tests;

/// <summary>What every store promises across its closing, and of what it lets go.</summary>
public abstract partial class ExecutionStoreContract
{
    [Fact]
    public async Task ReopenedStoreKnowsItsEpochItsNumbersAndWhatWasUnderWay()
    {
        var options = NewOptions();
        var (store, opening) = await Appends.OpenAsync(options, Stop);
        await store.AppendAsync(Appends.Whole(Appends.Execution(1)), Stop);
        await store.AppendAsync(Appends.Created(Appends.Execution(2), Appends.Frames(1, 3, 30)), Stop);
        await store.AppendAsync(Appends.Created(Appends.Execution(3)), Stop);
        await store.AppendAsync(Appends.Whole(Appends.Execution(4)), Stop);
        await store.DeleteAsync(4, Stop);
        await store.DisposeAsync();

        var (again, reopening) = await Appends.OpenAsync(options, Stop);
        await using var _1 = again;

        Assert.Equal((0, 6), (opening.LastNumber, opening.Epoch.Length));
        Assert.Empty(opening.Unfinished);
        Assert.Equal((4, opening.Epoch), (reopening.LastNumber, reopening.Epoch));
        Assert.Equal([(2, 3, 30), (3, 0, 0)], reopening.Unfinished.Select(execution => (execution.Number, execution.LastSequence, execution.Bytes)));
        Appends.AssertSame([Appends.Frames(1, 3, 30)], await again.ReadAllAsync(2, Stop));
    }

    [Fact]
    public async Task DeletedExecutionIsGoneWithItsFramesAndItsKey()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Whole(Appends.Execution(1, key: "key", labels: ("a", "b"))), Stop);

        Assert.True(await store.DeleteAsync(1, Stop));

        Assert.False(await store.DeleteAsync(1, Stop));
        Assert.Null(await store.FindAsync("exec-1", Stop));
        Assert.Empty(await store.ReadAsync(1, 1, 1000, Stop));
        await store.AppendAsync(Appends.Whole(Appends.Execution(2, key: "key")), Stop);
    }

    [Fact]
    public async Task SweepTakesWhatEndedBefore()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        for (var number = 1; number <= 5; number++)
        {
            await store.AppendAsync(Appends.Whole(Appends.Execution(number), 100, Appends.Noon.AddMinutes(-number)), Stop);
        }

        await store.AppendAsync(Appends.Created(Appends.Execution(6), Appends.Frames(1, 1)), Stop);

        var swept = await store.SweepAsync(new RetentionRule(Appends.Noon.AddMinutes(-3), null, null), Stop);

        Assert.Equal([5, 4], swept.Deleted.Select(execution => execution.Number));
        Assert.Equal(("exec-5", 4L), (swept.Deleted[0].Id, swept.Deleted[0].FirstSequence));
        Assert.Empty(swept.Trimmed);
        Assert.Equal(200, swept.Bytes);
        Assert.Equal(4, (await store.ListAsync(new ExecutionFilter(), long.MaxValue, 100, Stop)).Count);
    }

    [Fact]
    public async Task SweepKeepsSoManyFinishedOnes()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        await Task.WhenAll(Enumerable.Range(1, 600).Select(number =>
            store.AppendAsync(Appends.Whole(Appends.Execution(number), 10, Appends.Noon.AddMinutes(number)), Stop).AsTask()));

        var swept = await store.SweepAsync(new RetentionRule(null, 7, null), Stop);

        Assert.Equal(Enumerable.Range(1, 593).Select(number => (long)number), swept.Deleted.Select(execution => execution.Number));
        Assert.Equal(7, (await store.ListAsync(new ExecutionFilter(), long.MaxValue, 100, Stop)).Count);
        Assert.Empty((await store.SweepAsync(new RetentionRule(null, 7, null), Stop)).Deleted);
    }

    [Fact]
    public async Task SweepByBytesTakesTheFirstEndedThenTheOldestFramesOfTheLongest()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Whole(Appends.Execution(1), 1000, Appends.Noon.AddMinutes(1)), Stop);
        await store.AppendAsync(Appends.Whole(Appends.Execution(2), 1000, Appends.Noon), Stop);
        var frames = Enumerable.Range(0, 10).Select(i => Appends.Frames(1 + 5 * i, 5, 100)).ToArray();
        await store.AppendAsync(Appends.Created(Appends.Execution(3), frames), Stop);
        await store.AppendAsync(Appends.Created(Appends.Execution(4), frames[..2]), Stop);

        var first = await store.SweepAsync(new RetentionRule(null, null, 2500), Stop);
        var second = await store.SweepAsync(new RetentionRule(null, null, 700), Stop);

        Assert.Equal([2], first.Deleted.Select(execution => execution.Number));
        Assert.Equal([1], second.Deleted.Select(execution => execution.Number));
        Assert.Equal([new SweptExecution(3, "exec-3", 26)], second.Trimmed);
        Assert.Equal(1500, second.Bytes);
        var trimmed = await store.FindAsync("exec-3", Stop);
        Assert.Equal((26, 50, 1000), (trimmed!.FirstSequence, trimmed.LastSequence, trimmed.Bytes));
        Appends.AssertSame(frames[5..], await store.ReadAllAsync(3, Stop));
        Appends.AssertSame(frames[5..6], await store.ReadAsync(3, 3, 1, Stop));
        Appends.AssertSame(frames[..2], await store.ReadAllAsync(4, Stop));

        await store.AppendAsync(Appends.More(3, Appends.Frames(51, 1, 100)) with { Ended = Appends.End(51, 1100) }, Stop);
        Assert.Equal(600, (await store.SweepAsync(new RetentionRule(null, 0, null), Stop)).Bytes);
    }

    [Fact]
    public async Task RunningExecutionThatWasTrimmedIsTrimmedByWhatItStillHas()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        var frames = Enumerable.Range(0, 10).Select(i => Appends.Frames(1 + i, 1, 100)).ToArray();
        await store.AppendAsync(Appends.Created(Appends.Execution(1), frames), Stop);

        var first = await store.SweepAsync(new RetentionRule(null, null, 700), Stop);
        var second = await store.SweepAsync(new RetentionRule(null, null, 500), Stop);

        Assert.Equal((300, 200), (first.Bytes, second.Bytes));
        Appends.AssertSame(frames[5..], await store.ReadAllAsync(1, Stop));
    }

    [Fact]
    public async Task DetailsOfAResultCountForTheBytesThatAreKept()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        var ended = Appends.Whole(Appends.Execution(1));
        await store.AppendAsync(ended with { Ended = ended.Ended! with { Details = new byte[2_000] } }, Stop);
        await store.AppendAsync(Appends.Whole(Appends.Execution(2), at: Appends.Noon.AddMinutes(1)), Stop);

        var swept = await store.SweepAsync(new RetentionRule(null, null, 2_000), Stop);

        Assert.Equal([1], swept.Deleted.Select(execution => execution.Number));
        Assert.Equal(2_100, swept.Bytes);
    }

    [Fact]
    public async Task NewestFramesOfARunningExecutionAlwaysStay()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Created(Appends.Execution(1), Appends.Frames(1, 1), Appends.Frames(2, 1)), Stop);

        await store.SweepAsync(new RetentionRule(null, null, 0), Stop);
        await store.SweepAsync(new RetentionRule(null, null, 0), Stop);

        Appends.AssertSame([Appends.Frames(2, 1)], await store.ReadAllAsync(1, Stop));
    }

    [Fact]
    public async Task LongExecutionIsDeletedWhileOthersAppend()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Created(Appends.Execution(1)), Stop);
        for (var i = 0; i < 30; i++)
        {
            await store.AppendAsync(Appends.More(1, Appends.Frames(1 + i, 1, 1024 * 1024)), Stop);
        }

        await store.AppendAsync(Appends.More(1, Appends.Frames(31, 1)) with { Ended = Appends.End(31, 30L * 1024 * 1024 + 100) }, Stop);

        var swept = store.SweepAsync(new RetentionRule(null, 0, null), Stop).AsTask();
        await store.AppendAsync(Appends.Created(Appends.Execution(2), Appends.Frames(1, 1)), Stop);

        Assert.Equal(30L * 1024 * 1024 + 100, (await swept).Bytes);
        Assert.Null(await store.FindAsync("exec-1", Stop));
        Assert.Single(await store.ReadAllAsync(2, Stop));
    }

    [Fact]
    public async Task WrittenBehindIsFoundAtOnceAndKeptWhenClosed()
    {
        var options = NewOptions();
        options.Durability = StoreDurability.None;
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await store.AppendAsync(Appends.Created(Appends.Execution(1)), Stop);
        for (var first = 1; first <= 100; first++)
        {
            await store.AppendAsync(Appends.More(1, Appends.Frames(first, 1, 10_000)), Stop);
        }

        Assert.Equal(100, (await store.FindAsync("exec-1", Stop))!.LastSequence);
        Assert.Equal(100, (await store.ReadAsync(1, 1, int.MaxValue, Stop)).Count);

        await store.AppendAsync(Appends.More(1, Appends.Frames(101, 1)), Stop);
        await store.DisposeAsync();
        (store, var opening) = await Appends.OpenAsync(options, Stop);
        await using var _1 = store;
        Assert.Equal(101, opening.Unfinished[0].LastSequence);
    }

    [Fact]
    public async Task WhatCouldNotBeWrittenBehindIsToldByEveryAppendUntilItIsRepaired()
    {
        var options = NewOptions();
        options.Durability = StoreDurability.None;
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using var _1 = store;

        await store.AppendAsync(Appends.More(9, Appends.Frames(1, 1)), Stop);
        await store.ReadAsync(9, 1, 1, Stop);

        await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(Appends.More(9, Appends.Frames(2, 1)), Stop).AsTask());
        await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(Appends.More(9, Appends.Frames(3, 1)), Stop).AsTask());
        var repair = Appends.Created(Appends.Execution(9), Appends.Frames(1, 2)) with { IsRepair = true };
        await store.AppendAsync(repair, Stop);
        Appends.AssertSame(repair.Frames, await store.ReadAllAsync(9, Stop));
    }

    [Fact]
    public async Task KeyThatWasGivenBackIsGoneAlsoWhereTheCreationWasKeptAfterAll()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        var created = Appends.Created(Appends.Execution(9) with { IdempotencyKey = "k" });
        await store.AppendAsync(created, Stop);
        Assert.NotNull(await store.FindByKeyAsync("k", Stop));

        await store.AppendAsync(created with { Created = created.Created! with { IdempotencyKey = null }, IsRepair = true }, Stop);

        Assert.Null(await store.FindByKeyAsync("k", Stop));
        Assert.NotNull(await store.FindAsync("exec-9", Stop));
    }

    [Fact]
    public async Task EndIsNeverWrittenBehind()
    {
        var options = NewOptions();
        options.Durability = StoreDurability.None;
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using var _1 = store;
        var lost = Appends.More(9, Appends.Frames(1, 1)) with { Ended = Appends.End(1, 100) };

        await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(lost, Stop).AsTask());
        await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(lost with { IsRepair = true }, Stop).AsTask());

        await store.AppendAsync(Appends.Created(Appends.Execution(9)), Stop);
        await store.AppendAsync(lost with { IsRepair = true }, Stop);
        Assert.NotNull((await store.FindAsync("exec-9", Stop))!.End);
    }

    [Fact]
    public async Task SecondServerIsRefusedWhileTheFirstOneWorks()
    {
        var options = NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));

        Assert.Contains("used by another Harness server", error.Message);
        await store.AppendAsync(Appends.Whole(Appends.Execution(1)), Stop);
        await store.DisposeAsync();
        var (next, _) = await Appends.OpenAsync(options, Stop);
        await next.DisposeAsync();
    }

    [Fact]
    public async Task StoreIsReadForExportWhileAServerWorks()
    {
        var options = NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await store.AppendAsync(Appends.Whole(Appends.Execution(1)), Stop);

        await using (var reader = StoreFactory.CreateReadOnly(options))
        {
            await reader.OpenAsync(Stop);
            await store.AppendAsync(Appends.Whole(Appends.Execution(2)), Stop);
            Assert.NotNull(await reader.FindAsync("exec-2", Stop));
            await Assert.ThrowsAsync<StoreException>(async () => await reader.AppendAsync(Appends.Whole(Appends.Execution(3)), Stop));
        }

        await store.DisposeAsync();
        await using var later = StoreFactory.CreateReadOnly(options);
        Assert.Equal(2, (await later.OpenAsync(Stop)).LastNumber);
        Appends.AssertSame([Appends.Frames(1, 3)], await later.ReadAllAsync(2, Stop));
    }

    [Theory]
    [InlineData("labels = '['")]
    [InlineData("labels = 'null'")]
    [InlineData("labels = '{\"a\":1}'")]
    [InlineData("started_at = 9223372036854775807")]
    [InlineData("started_at = -1")]
    [InlineData("completed_at = 9223372036854775807")]
    public async Task DamagedRowDoesNotTakeTheOthersOfAListWithIt(string damage)
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        for (var number = 1; number <= 3; number++)
        {
            await store.AppendAsync(Appends.Whole(Appends.Execution(number, labels: ("a", "b"))), Stop);
        }

        await ((ExecutionStore)store).WriteAsync($"UPDATE execution SET {damage} WHERE number = 2", Stop);

        var all = await store.ListAsync(new ExecutionFilter(), long.MaxValue, 10, Stop);
        Assert.Equal([3, 2, 1], all.Select(execution => execution.Number));
        Assert.Equal([false, true, false], all.Select(execution => execution.IsDamaged));
    }

    [Theory]
    [InlineData("request = '['")]
    [InlineData("request = '{}'")]
    [InlineData("labels = '['")]
    [InlineData("started_at = 9223372036854775807")]
    public async Task ServerStartsOnADamagedExecutionAndEndsIt(string damage)
    {
        var options = NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        var request = """{"Greeting":"","Preamble":[],"Facts":{}}""";
        await store.AppendAsync(Appends.Created(Appends.Execution(1) with { Request = request }), Stop);
        await store.AppendAsync(Appends.Created(Appends.Execution(2) with { Request = request }), Stop);
        await ((ExecutionStore)store).WriteAsync($"UPDATE execution SET {damage} WHERE number = 1", Stop);
        await store.DisposeAsync();

        store = StoreFactory.Create(options, NullLoggerFactory.Instance, TimeProvider.System);
        await using var _1 = store;
        using var registry = new ExecutionRegistry(
            Options.Create(new ExecutionOptions()), store, TimeProvider.System, NullLogger<ExecutionRegistry>.Instance);
        await registry.OpenAsync(Stop);

        var ended = (await registry.ListAsync(new ExecutionFilter(), null, 10, Stop)).Items;
        Assert.Equal(
            [
                "The server stopped while this execution was running",
                "The server stopped while this execution was running, and what the store has of it is damaged",
            ],
            ended.Select(execution => execution.State.Error));
        Assert.All(ended, execution => Assert.Equal(ExecutionStatus.Failed, execution.State.Status));
    }

    [Fact]
    public async Task ClosedStoreSaysSo()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await store.DisposeAsync();

        await Assert.ThrowsAsync<StoreException>(async () => await store.AppendAsync(Appends.Whole(Appends.Execution(1)), Stop));
    }
}
