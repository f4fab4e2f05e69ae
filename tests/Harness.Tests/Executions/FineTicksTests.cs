using Harness.Executions;

namespace Harness.Tests.Executions;

public sealed class FineTicksTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ATickIsForAllWhoWait()
    {
        var ticks = new FineTicks(patience: 1_000);

        await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => Task.Run(ticks.NextAsync, Stop))).WaitAsync(Stop);
    }

    [Fact]
    public async Task WhoComesWhenTheThreadHasEndedGetsANewOne()
    {
        var ticks = new FineTicks(patience: 0);

        for (var i = 0; i < 10; i++)
        {
            await ticks.NextAsync().WaitAsync(Stop);
            Assert.True(SpinWait.SpinUntil(() => !ticks.IsTicking, TimeSpan.FromSeconds(30)));
        }
    }
}
