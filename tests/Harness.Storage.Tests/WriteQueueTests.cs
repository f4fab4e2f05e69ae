using Harness.Storage.Writing;

namespace Harness.Storage.Tests;

/// <summary>What is written together, and what waits until it is.</summary>
public sealed class WriteQueueTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void GroupHasNoMoreBytesThanATransactionMay()
    {
        using var queue = new WriteQueue(isBehind: true);
        var group = new List<WriteItem>();
        foreach (var bytes in new[] { WriteQueue.MaxGroupBytes - 100, 100, 1, 2 * WriteQueue.MaxGroupBytes, 1 })
        {
            _ = queue.AppendAsync(Item(bytes), Stop);
        }

        queue.Close();
        var taken = new List<int[]>();
        while (queue.Take(group))
        {
            taken.Add([.. group.Select(item => item.Bytes)]);
        }

        Assert.Equal([[WriteQueue.MaxGroupBytes - 100, 100], [1], [2 * WriteQueue.MaxGroupBytes], [1]], taken);
    }

    [Fact]
    public void WhatIsWrittenAloneHasNoOthersBesideIt()
    {
        using var queue = new WriteQueue(isBehind: true);
        var group = new List<WriteItem>();
        foreach (var item in new[] { Item(1), new WriteItem(0, [], 0) { IsAlone = true }, Item(2) })
        {
            _ = queue.WriteAsync(item, Stop);
        }

        for (var i = 0; i < 3; i++)
        {
            Assert.True(queue.Take(group));
            Assert.Single(group);
        }
    }

    [Fact]
    public async Task WrittenBehindIsNoMoreThanMemoryMayHold()
    {
        using var queue = new WriteQueue(isBehind: true);
        var group = new List<WriteItem>();
        Assert.True(queue.AppendAsync(Item((int)WriteQueue.MaxBehindBytes), Stop).IsCompleted);

        var over = queue.AppendAsync(Item(1), Stop);

        Assert.False(over.IsCompleted);
        queue.Close();
        while (queue.Take(group))
        {
            group.ForEach(queue.Complete);
        }

        await over.WaitAsync(Stop);
    }

    [Fact]
    public async Task WhatIsGivenUpBeforeItsTurnTakesNoRoom()
    {
        using var queue = new WriteQueue(isBehind: true);
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var givenUp = queue.WriteAsync(Item((int)WriteQueue.MaxBehindBytes), impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => givenUp);
        _ = queue.AppendAsync(Item(0), Stop);
        Assert.True(queue.Take([]));

        Assert.True(queue.AppendAsync(Item((int)WriteQueue.MaxBehindBytes), Stop).IsCompleted);
    }

    [Fact]
    public void WhatIsWrittenBehindIsCopiedFromMemoryThatIsUsedAgain()
    {
        var frames = Appends.Frames(1, 3);
        var memory = frames.Packed.ToArray();
        var append = Appends.More(1, frames with { Packed = memory }) with { Ended = Appends.End(3, 100) with { Details = memory } };

        var item = StoreCalls.ToItem(append, copies: true);
        memory.AsSpan().Clear();

        Assert.Equal(frames.Packed.ToArray(), ((Stretch)item.Calls[0].Values[^1]!).Given.ToArray());
        Assert.Contains(item.Calls[1].Values.OfType<ReadOnlyMemory<byte>>(), details => details.Span.SequenceEqual(frames.Packed.Span));
    }

    private static WriteItem Item(int bytes) => new(1, [], bytes);
}
