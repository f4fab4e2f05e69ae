using Harness.Cli.Hub;
using Harness.Tests;

namespace Harness.Server.Tests.Cli.Hub;

public sealed class BackoffTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void WaitsDoubleUpToALimitAndAreNeverExact()
    {
        var backoff = new Backoff(_time);

        var waits = Enumerable.Range(0, 8).Select(_ => backoff.Next()!.Value.TotalMilliseconds).ToList();

        Assert.All(waits.Zip([250, 500, 1000, 2000, 4000, 8000, 8000, 8000]), pair => Assert.InRange(pair.First, pair.Second / 2, pair.Second));
    }

    [Fact]
    public void WhatTheServerAsksForIsWaitedAtLeast() =>
        Assert.True(new Backoff(_time).Next(TimeSpan.FromSeconds(5)) > TimeSpan.FromSeconds(5));

    [Fact]
    public void TriesEndAfterTheirTime()
    {
        var backoff = new Backoff(_time);
        Assert.NotNull(backoff.Next());

        _time.Advance(Backoff.TimeLimit);

        Assert.Null(backoff.Next());
        backoff.Connected();
        Assert.NotNull(backoff.Next());
    }

    [Fact]
    public void ServerThatLetsInAndDropsAgainIsGivenUp()
    {
        var backoff = new Backoff(_time);
        for (var tries = 0; tries < Backoff.MaxTries; tries++)
        {
            backoff.Connected();
            Assert.NotNull(backoff.Next());
        }

        backoff.Connected();

        Assert.Null(backoff.Next());
        backoff.Reset();
        Assert.NotNull(backoff.Next());
    }
}
