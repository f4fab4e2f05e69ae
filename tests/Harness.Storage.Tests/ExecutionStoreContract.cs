using Harness.Executions;

namespace Harness.Storage.Tests;

/// <summary>What every store promises.</summary>
public abstract partial class ExecutionStoreContract
{
    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Options of a store that is empty.</summary>
    protected abstract StoreOptions NewOptions();

    [Fact]
    public async Task EverythingOfAnExecutionComesBackAsItWasKept()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        var kept = Appends.Execution(7, "flow", "key", ("team", "blue"), ("ünï", "cödé 🎈")) with { Name = "Nämé \"quoted\"\n", Request = "{\"a\":[1,\"ü\"]}" };
        var end = new StoredEnd(
            ExecutionStatus.Failed, Appends.Noon.AddTicks(12345), "It broke", "because", "✗ closing", new byte[] { 1, 2, 3, 0, 255 }, 9, 1234);

        await store.AppendAsync(new StoreAppend { Execution = 7, Created = kept, Frames = [Appends.Frames(1, 9)], Ended = end }, Stop);

        var found = await store.FindAsync("exec-7", Stop);
        Assert.NotNull(found);
        Assert.Equal(
            (kept.Number, kept.Id, kept.Epoch, kept.Kind, kept.Name, kept.IdempotencyKey, kept.Request, kept.StartedAt),
            (found.Number, found.Id, found.Epoch, found.Kind, found.Name, found.IdempotencyKey, found.Request, found.StartedAt));
        Assert.Equal(kept.Labels.OrderBy(label => label.Key), found.Labels.OrderBy(label => label.Key));
        Assert.Equal((1, 9, 1234), (found.FirstSequence, found.LastSequence, found.Bytes));
        Assert.Equal(end with { Details = default }, found.End! with { Details = default });
        Assert.Equal(end.Details.ToArray(), found.End!.Details.ToArray());
        Assert.Equal(found.Number, (await store.FindByKeyAsync("key", Stop))!.Number);
        Assert.Null(await store.FindAsync("exec-8", Stop));
        Assert.Null(await store.FindByKeyAsync("other", Stop));
    }

    [Fact]
    public async Task TextNoDatabaseTakesIsKeptWithReplacementCharacters()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        var execution = Appends.Execution(1, "suite", "a\0key", ("na\0me", "val\uD800ue")) with { Name = "null \0 and half \uDC00 pair 🎈" };

        await store.AppendAsync(Appends.Created(execution), Stop);

        var found = await store.FindByKeyAsync("a\0key", Stop);
        Assert.Equal("null \uFFFD and half \uFFFD pair 🎈", found!.Name);
        var filter = new ExecutionFilter { Labels = execution.Labels };
        Assert.Single(await store.ListAsync(filter, long.MaxValue, 10, Stop));
    }

    [Fact]
    public async Task FramesComeBackByteForByteFromAnyPlaceInBothDirections()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        StoredFrames[] all = [Appends.Frames(1, 10), Appends.Frames(11, 1, 0), Appends.Frames(12, 9, 70_000), Appends.Frames(21, 5)];
        await store.AppendAsync(Appends.Created(Appends.Execution(1), all[0]), Stop);
        await store.AppendAsync(Appends.More(1, all[1], all[2]), Stop);
        await store.AppendAsync(Appends.More(1, all[3]), Stop);

        Appends.AssertSame(all, await store.ReadAsync(1, 1, int.MaxValue, Stop));
        Appends.AssertSame(all[..1], await store.ReadAsync(1, 10, 1, Stop));
        Appends.AssertSame(all[1..3], await store.ReadAsync(1, 11, 1, Stop));
        Appends.AssertSame(all[3..], await store.ReadAsync(1, 25, 1000, Stop));
        Assert.Empty(await store.ReadAsync(1, 26, 1000, Stop));
        Assert.Empty(await store.ReadAsync(2, 1, 1000, Stop));
        Appends.AssertSame(all.Reverse(), await store.ReadBackwardAsync(1, long.MaxValue, int.MaxValue, Stop));
        Appends.AssertSame([all[2]], await store.ReadBackwardAsync(1, 21, 1, Stop));
        Appends.AssertSame([all[1], all[0]], await store.ReadBackwardAsync(1, 12, 1, Stop));
        Assert.Empty(await store.ReadBackwardAsync(1, 1, 1000, Stop));
    }

    [Fact]
    public async Task ManySmallStretchesAreReadUntilTheyAreEnough()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        var all = Enumerable.Range(1, 700).Select(first => Appends.Frames(first, 1, 10)).ToArray();
        await store.AppendAsync(Appends.Created(Appends.Execution(1), all), Stop);

        Appends.AssertSame(all, await store.ReadAsync(1, 1, 1_000_000, Stop));
        Appends.AssertSame(all[..300], await store.ReadAsync(1, 1, 3_000, Stop));
        Appends.AssertSame(all[400..].Reverse(), await store.ReadBackwardAsync(1, 701, 3_000, Stop));
    }

    [Fact]
    public async Task FramesThatRepeatThemselvesComeBackByteForByteAndCountAsTheyWereGiven()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        byte[] marked = [StoredStretch.Mark, 1, .. Appends.Lines(1, 1, 2_000).Packed.Span];
        StoredFrames[] all =
        [
            .. new[] { 0, 1, 511, 512, 5_000, 70_000, 400_000, 5_000_000 }.Select((bytes, i) => Appends.Lines(1 + 10 * i, 10, bytes)),
            new(81, 90, marked), new(91, 91, marked.AsMemory(0, 1)), new(92, 92, marked.AsMemory(0, 2)), new(93, 93, marked.AsMemory(0, 300)),
        ];
        await store.AppendAsync(Appends.Created(Appends.Execution(1), all[..6]), Stop);
        await store.AppendAsync(Appends.More(1, all[6..]), Stop);

        Appends.AssertSame(all, await store.ReadAsync(1, 1, int.MaxValue, Stop));
        Appends.AssertSame(all.Reverse(), await store.ReadBackwardAsync(1, long.MaxValue, int.MaxValue, Stop));
        Assert.Equal(all.Sum(frames => frames.Packed.Length), (await store.FindAsync("exec-1", Stop))!.Bytes);
    }

    [Fact]
    public async Task CompressedStretchesAreReadUntilTheyAreEnoughToo()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        var all = Enumerable.Range(1, 50).Select(first => Appends.Lines(first, 1, 10_000)).ToArray();
        await store.AppendAsync(Appends.Created(Appends.Execution(1), all), Stop);

        Appends.AssertSame(all[..3], await store.ReadAsync(1, 1, 30_000, Stop));
        Appends.AssertSame(all[9..13], await store.ReadAsync(1, 10, 30_001, Stop));
        Appends.AssertSame(all[47..].Reverse(), await store.ReadBackwardAsync(1, 51, 30_000, Stop));
        Appends.AssertSame(all[35..40].Reverse(), await store.ReadBackwardAsync(1, 41, 40_001, Stop));
    }

    [Fact]
    public async Task RunningExecutionKnowsWhatWasAppendedSoFar()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;

        await store.AppendAsync(Appends.Created(Appends.Execution(1)), Stop);
        var empty = await store.FindAsync("exec-1", Stop);
        await store.AppendAsync(Appends.More(1, Appends.Frames(1, 4, 50), Appends.Frames(5, 1, 7)), Stop);
        var some = await store.FindAsync("exec-1", Stop);

        Assert.Equal((1, 0, 0), (empty!.FirstSequence, empty.LastSequence, empty.Bytes));
        Assert.Equal((1, 5, 57), (some!.FirstSequence, some.LastSequence, some.Bytes));
        Assert.Null(some.End);
    }

    [Fact]
    public async Task KeyIsTakenOnceAndTheOthersOfTheGroupAreKept()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Whole(Appends.Execution(1, key: "same")), Stop);

        var appends = Enumerable.Range(2, 40)
            .Select(number => store.AppendAsync(Appends.Whole(Appends.Execution(number, key: number == 20 ? "same" : null)), Stop).AsTask())
            .ToArray();

        var error = await Assert.ThrowsAsync<StoreException>(() => Task.WhenAll(appends));
        Assert.False(error.IsTransient);
        Assert.Equal([18], Enumerable.Range(0, 40).Where(i => appends[i].IsFaulted));
        Assert.Equal(40, (await store.ListAsync(new ExecutionFilter(), long.MaxValue, 100, Stop)).Count);
    }

    [Fact]
    public async Task ManyExecutionsAppendAtOnce()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;

        await Task.WhenAll(Enumerable.Range(1, 50).Select(async number =>
        {
            await store.AppendAsync(Appends.Created(Appends.Execution(number)), Stop);
            for (var first = 1; first <= 20; first++)
            {
                await store.AppendAsync(Appends.More(number, Appends.Frames(1000 * number + first, 1)), Stop);
            }
        }));

        for (var number = 1; number <= 50; number++)
        {
            var expected = Enumerable.Range(1, 20).Select(first => Appends.Frames(1000 * number + first, 1));
            Appends.AssertSame(expected, await store.ReadAsync(number, 1, int.MaxValue, Stop));
        }
    }

    [Fact]
    public async Task AppendToAnExecutionThatIsGoneIsRefused()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;

        var error = await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(Appends.More(5, Appends.Frames(1, 1)), Stop).AsTask());

        Assert.Contains("not in the store any more", error.Message);
    }

    [Fact]
    public async Task RepairReplacesWhatAFailedAppendHasLeft()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        var execution = Appends.Execution(1, labels: ("a", "b"));
        var first = Appends.Frames(1, 5);
        await store.AppendAsync(Appends.Created(execution, first), Stop);
        var left = Appends.More(1, Appends.Frames(6, 2), Appends.Frames(8, 3)) with { Ended = Appends.End(10, 300) };
        await store.AppendAsync(left, Stop);

        StoredFrames[] instead = [Appends.Frames(6, 7, 33)];
        await store.AppendAsync(Appends.More(1, instead) with { IsRepair = true }, Stop);

        var found = await store.FindAsync("exec-1", Stop);
        Assert.Null(found!.End);
        Assert.Equal((12, 133), (found.LastSequence, found.Bytes));
        Appends.AssertSame([first, .. instead], await store.ReadAllAsync(1, Stop));

        var all = Appends.Frames(1, 2, 11);
        await store.AppendAsync(Appends.Created(execution, all) with { IsRepair = true, Ended = Appends.End(2, 11) }, Stop);
        Appends.AssertSame([all], await store.ReadAllAsync(1, Stop));
        Assert.Equal(2, (await store.FindAsync("exec-1", Stop))!.End!.LastSequence);
    }

    [Fact]
    public async Task ListIsFilteredOrderedAndContinued()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        for (var number = 1; number <= 12; number++)
        {
            var execution = Appends.Execution(number, number % 2 == 0 ? "flow" : "suite", null, ("mod3", $"{number % 3}"), ("mod4", $"{number % 4}"));
            var append = number <= 9 ? Appends.Whole(execution) : Appends.Created(execution, Appends.Frames(1, 1));
            await store.AppendAsync(number == 4 ? append with { Ended = append.Ended! with { Status = ExecutionStatus.Canceled } } : append, Stop);
        }

        Assert.Equal([12, 11, 10], await List(new ExecutionFilter(), long.MaxValue, 3));
        Assert.Equal([9, 8, 7, 6], await List(new ExecutionFilter(), 10, 4));
        Assert.Equal([12, 11, 10], await List(new ExecutionFilter { Status = ExecutionStatus.Running }));
        Assert.Equal([4], await List(new ExecutionFilter { Status = ExecutionStatus.Canceled }));
        Assert.Equal([12, 10], await List(new ExecutionFilter { Status = ExecutionStatus.Running, Kind = "flow" }));
        Assert.Equal([12, 9, 6, 3], await List(Labels(("mod3", "0"))));
        Assert.Equal([6, 3], await List(Labels(("mod3", "0")), before: 9));
        Assert.Equal([12], await List(Labels(("mod3", "0"), ("mod4", "0"))));
        Assert.Equal([9, 3], await List(Labels(("mod3", "0")) with { Kind = "suite" }));
        Assert.Empty(await List(Labels(("mod3", "7"))));

        static ExecutionFilter Labels(params (string Name, string Value)[] labels) =>
            new() { Labels = labels.ToDictionary(label => label.Name, label => label.Value) };

        async Task<IEnumerable<long>> List(ExecutionFilter filter, long before = long.MaxValue, int limit = 100) =>
            (await store.ListAsync(filter, before, limit, Stop)).Select(execution => execution.Number);
    }

    [Fact]
    public async Task DetailsAreListedWhenTheyAreWanted()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        var whole = Appends.Whole(Appends.Execution(1));
        await store.AppendAsync(whole with { Ended = whole.Ended! with { Details = "{\"a\":1}"u8.ToArray() } }, Stop);

        var details = (await store.ListAsync(new ExecutionFilter(), long.MaxValue, 10, Stop))[0].End!.Details.Length;
        var brief = (await store.ListAsync(new ExecutionFilter { WithoutDetails = true }, long.MaxValue, 10, Stop))[0].End!;

        Assert.Equal(7, details);
        Assert.Equal((0, ExecutionStatus.Completed, 3), (brief.Details.Length, brief.Status, brief.LastSequence));
    }

    [Fact]
    public async Task WhatIsCancelledBeforeItsTurnIsNotWaitedFor()
    {
        var (store, _) = await Appends.OpenAsync(NewOptions(), Stop);
        await using var _1 = store;
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        var append = store.AppendAsync(Appends.Whole(Appends.Execution(1)), cancelled.Token).AsTask();
        await Task.WhenAny(append);
        await store.AppendAsync(Appends.Whole(Appends.Execution(2)), Stop);

        Assert.True(append.IsCompleted);
        Assert.NotNull(await store.FindAsync("exec-2", Stop));
    }
}
