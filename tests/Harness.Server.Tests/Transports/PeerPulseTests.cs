using Harness.Server.Transports.WebSockets;

namespace Harness.Server.Tests.Transports;

/// <summary>Who is pinged, who is gone, and who is only slow.</summary>
public sealed class PeerPulseTests
{
    private const long Second = 1000;

    private static readonly ServerOptions Options = new()
    {
        PingInterval = TimeSpan.FromSeconds(20),
        PongTimeLimit = TimeSpan.FromSeconds(20),
        SlowClientTimeLimit = TimeSpan.FromSeconds(60),
    };

    private PeerPulse _pulse = new(0);

    [Fact]
    public void PeerIsPingedWhenItIsTimeAndAgainWhenItHasAnswered()
    {
        Assert.Equal(PulseFinding.Well, Beat(19));
        Assert.Equal(PulseFinding.PingIsDue, Beat(20));
        Assert.Equal(PulseFinding.Well, Beat(39));
        Assert.Equal(PulseFinding.PingIsDue, Beat(40, heardAt: 21));
    }

    [Fact]
    public void PeerThatDoesNotAnswerIsSilent()
    {
        Beat(20);

        Assert.Equal(PulseFinding.Well, Beat(39));
        Assert.Equal(PulseFinding.Silent, Beat(40));
    }

    [Fact]
    public void PeerThatStillHasMuchToReadIsGivenTheTimeToComeToThePing()
    {
        // 1 MiB of the moment of the ping, at 8 KiB a second.
        Assert.Equal(PulseFinding.PingIsDue, Beat(20, written: 1024 * 1024));

        Assert.Equal(PulseFinding.Well, Beat(167, written: 1024 * 1024));
        Assert.Equal(PulseFinding.Silent, Beat(168, written: 1024 * 1024));
    }

    [Fact]
    public void WhatComesAfterThePingDoesNotPutOffItsAnswer()
    {
        Beat(20);

        Assert.Equal(PulseFinding.Silent, Beat(40, written: 1024 * 1024));
    }

    [Fact]
    public void WhatAPeerCanHaveReadMeanwhileGivesItNoTime()
    {
        Beat(1, written: 64 * 1024);
        Beat(20, written: 64 * 1024);

        Assert.Equal(PulseFinding.Silent, Beat(40, written: 64 * 1024));
    }

    [Fact]
    public void NoMoreIsReckonedWithThanBuffersHold()
    {
        Beat(20, written: long.MaxValue / 2);

        Assert.Equal(PulseFinding.Well, Beat(20 + 20 + 1023, written: long.MaxValue / 2));
        Assert.Equal(PulseFinding.Silent, Beat(20 + 20 + 1024, written: long.MaxValue / 2));
    }

    [Fact]
    public void PeerThatTakesNoByteIsSlowAndNotSilent()
    {
        Beat(20);

        Assert.Equal(PulseFinding.Well, Beat(79, writingSince: 20));
        Assert.Equal(PulseFinding.Slow, Beat(80, writingSince: 20));
    }

    [Fact]
    public void PeerThatHasTakenALongWriteIsAskedAnewBeforeItCountsAsSilent()
    {
        Beat(20);
        Beat(39, writingSince: 21);

        Assert.Equal(PulseFinding.PingIsDue, Beat(60));
        Assert.Equal(PulseFinding.Well, Beat(79));
        Assert.Equal(PulseFinding.Silent, Beat(80));
    }

    [Fact]
    public void PeerWhoseAnswersAreNotReadIsPingedAndNotSilentUntilTheyAre()
    {
        Beat(20);

        Assert.Equal(PulseFinding.Well, Beat(25, isHeard: false));
        Assert.Equal(PulseFinding.PingIsDue, Beat(40, isHeard: false));
        Assert.Equal(PulseFinding.PingIsDue, Beat(60, isHeard: false));
        Assert.Equal(PulseFinding.Well, Beat(79));
        Assert.Equal(PulseFinding.Silent, Beat(80));
    }

    [Fact]
    public void PeerThatTakesNoByteIsSlowAlsoWhileItIsNotRead()
    {
        Assert.Equal(PulseFinding.Well, Beat(79, writingSince: 20, isHeard: false));
        Assert.Equal(PulseFinding.Slow, Beat(80, writingSince: 20, isHeard: false));
    }

    private PulseFinding Beat(long seconds, long writingSince = 0, long heardAt = 0, long written = 0, bool isHeard = true) =>
        _pulse.Beat(seconds * Second, writingSince * Second, heardAt * Second, written, isHeard, Options);
}
