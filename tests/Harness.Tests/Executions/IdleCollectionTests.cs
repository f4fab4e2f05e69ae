using Harness.Executions;

namespace Harness.Tests.Executions;

public sealed class IdleCollectionTests
{
    private readonly IdleCollection _collection;
    private long _allocated;
    private long _live;
    private int _collections;

    public IdleCollectionTests() => _collection = new IdleCollection(() => _allocated, () => _live, () => _collections++);

    [Fact]
    public void ProcessThatWasBusyIsCollectedOnceWhenItIsNot()
    {
        Allocate(IdleCollection.Worth);
        Assert.Equal(0, _collections);

        Allocate(IdleCollection.Busy - 1);
        Assert.Equal(1, _collections);

        Allocate(IdleCollection.Busy - 1);
        Assert.Equal(1, _collections);
    }

    [Fact]
    public void LittleGarbageIsNotWorthAPause()
    {
        Allocate(IdleCollection.Worth / 2);
        Allocate(0);

        Assert.Equal(0, _collections);
    }

    [Fact]
    public void TheMoreIsLiveTheMoreItTakes()
    {
        _live = 4 * IdleCollection.Worth;

        Allocate(2 * IdleCollection.Worth - 1);
        Allocate(0);
        Assert.Equal(0, _collections);

        Allocate(1);
        Assert.Equal(1, _collections);
    }

    [Fact]
    public void LittleByLittleItBecomesWorthOne()
    {
        for (var bytes = 0L; bytes < IdleCollection.Worth; bytes += IdleCollection.Busy / 2)
        {
            Assert.Equal(0, _collections);
            Allocate(IdleCollection.Busy / 2);
        }

        Assert.Equal(1, _collections);
    }

    [Fact]
    public void WhatWasDroppedCountsWheneverItWasAllocated()
    {
        Assert.False(_collection.Check(isBusy: true, IdleCollection.Worth));
        Assert.True(_collection.Check(isBusy: false, IdleCollection.Worth));
    }

    private void Allocate(long bytes)
    {
        _allocated += bytes;
        _collection.Check(isBusy: false, dropped: 0);
    }
}
