using Harness.Executions;

namespace Harness.Tests.Executions;

public sealed class FineTicksTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ATickIsForAllWhoWait()
    {
        var ticks = new FineTicks(patience: 1_000);

        await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => Task.Run(() => ticks.NextAsync(Stop), Stop))).WaitAsync(Stop);
    }

    [Fact]
    public void WhoIsCancelledDoesNotWaitForTheTick()
    {
        var ticks = new FineTicks(patience: 1_000);

        // A tick may come first, but not a thousand times.
        Assert.Contains(Enumerable.Range(0, 1_000), _ =>
        {
            using var cancellation = new CancellationTokenSource();
            var waiting = ticks.NextAsync(cancellation.Token);
            cancellation.Cancel();
            return waiting.IsCanceled;
        });
    }

    [Fact]
    public async Task WhoComesWhenTheThreadHasEndedGetsANewOne()
    {
        var ticks = new FineTicks(patience: 0);

        for (var i = 0; i < 10; i++)
        {
            await ticks.NextAsync(Stop);
            Assert.True(SpinWait.SpinUntil(() => !ticks.IsTicking, TimeSpan.FromSeconds(30)));
        }
    }
}
