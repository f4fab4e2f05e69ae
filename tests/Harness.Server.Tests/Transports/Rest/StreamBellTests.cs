using Harness.Server.Transports.Rest;

namespace Harness.Server.Tests.Transports.Rest;

public sealed class StreamBellTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task BellThatWasRungTwiceIsAnsweredOnce()
    {
        var bell = new StreamBell();
        bell.Ring();
        bell.Ring();

        Assert.True(bell.WaitAsync().AsTask().IsCompletedSuccessfully);
        var waiting = bell.WaitAsync().AsTask();
        Assert.False(waiting.IsCompleted);
        bell.Ring();
        await waiting.WaitAsync(Stop);
    }

    [Fact]
    public async Task NoRingOfManyThreadsIsLost()
    {
        const int Rings = 100_000;
        var (bell, told, seen) = (new StreamBell(), 0, 0);
        var ringers = Enumerable.Range(0, 2).Select(_ => Task.Run(
            () =>
            {
                for (var ring = 0; ring < Rings; ring++)
                {
                    Interlocked.Increment(ref told);
                    bell.Ring();
                }
            },
            Stop));
        var ringing = Task.WhenAll(ringers);

        // One that were lost would leave this waiting for ever.
        while (seen < 2 * Rings)
        {
            await bell.WaitAsync().AsTask().WaitAsync(Stop);
            seen = Volatile.Read(ref told);
        }

        await ringing.WaitAsync(Stop);
        Assert.Equal(2 * Rings, seen);
    }
}
