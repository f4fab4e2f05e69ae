using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>Work that never waits by itself and the line it stands in.</summary>
public sealed class TurnQueueTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EverybodyGetsATurnAsOftenAsTheyAsk()
    {
        const int Works = 50;
        const int Turns = 100;
        var taken = new int[Works];

        await Task.WhenAll(Enumerable.Range(0, Works).Select(async work =>
        {
            for (var turn = 0; turn < Turns; turn++)
            {
                await TurnQueue.ToGoOn;
                taken[work]++;
            }
        })).WaitAsync(TimeLimit, Stop);

        Assert.All(taken, turns => Assert.Equal(Turns, turns));
    }

    [Fact]
    public async Task TurnThatIsAskedForWhenTheLastOneIsTakenComes()
    {
        static async Task TakeAsync() => await TurnQueue.ToSend;

        for (var round = 0; round < 300_000; round++)
        {
            var first = TakeAsync();
            Thread.SpinWait(round % 100);
            await Task.WhenAll(first, TakeAsync()).WaitAsync(TimeLimit, Stop);
        }
    }

    [Fact]
    public async Task TurnIsNeverTakenOnTheSpot()
    {
        using var mayGoOn = new ManualResetEventSlim();
        var here = new TaskCompletionSource<int>();

        async Task TakeAsync()
        {
            await TurnQueue.ToGoOn;
            Assert.True(mayGoOn.Wait(TimeLimit, Stop));
            here.SetResult(1);
        }

        // Would wait for itself if the caller's thread took the turn.
        var turn = TakeAsync();
        mayGoOn.Set();

        Assert.Equal(1, await here.Task.WaitAsync(TimeLimit, Stop));
        await turn;
    }

    [Theory]
    [InlineData(100, 0, 2, false)]
    [InlineData(100, 16 * 1024, 2, true)]
    [InlineData(20 * 1024, 0, 2, true)]
    [InlineData(20 * 1024, 0, 1, false)]
    public async Task OnlyReadersWithMuchToSendAndOthersBesideThemWaitForTheirTurn(int lineBytes, int pending, int readers, bool waits)
    {
        using var engine = new Engine();
        var execution = await engine.RunAsync(new string('x', lineBytes));
        using var cursor = execution.Log.OpenCursor(1, new LogBell());
        using var other = readers > 1 ? execution.Log.OpenCursor(1, new LogBell()) : null;

        Assert.Equal(waits, cursor.IsWorthATurn(pending));
        await cursor.WaitForTurnAsync(pending).AsTask().WaitAsync(TimeLimit, Stop);
    }

    [Fact]
    public async Task TurnThatBlocksHoldsUpNobodyElse()
    {
        using var release = new ManualResetEventSlim();
        var isBlocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        async Task BlockAsync()
        {
            await TurnQueue.ToGoOn;
            isBlocked.SetResult();
            Assert.True(release.Wait(TimeLimit, Stop));
        }

        static async Task TakeAsync()
        {
            for (var turn = 0; turn < 100; turn++)
            {
                await TurnQueue.ToGoOn;
            }
        }

        var blocked = BlockAsync();
        await isBlocked.Task.WaitAsync(TimeLimit, Stop);
        await Task.WhenAll(TakeAsync(), TakeAsync()).WaitAsync(TimeLimit, Stop);
        Assert.False(blocked.IsCompleted);

        release.Set();
        await blocked.WaitAsync(TimeLimit, Stop);
    }

    [Fact]
    public async Task ContextOfTheWorkGoesWithIt()
    {
        var name = new AsyncLocal<string>();

        async Task<string?> NameAsync(string mine)
        {
            name.Value = mine;
            await TurnQueue.ToGoOn;
            return name.Value;
        }

        var names = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => NameAsync($"work {number}"))).WaitAsync(TimeLimit, Stop);

        Assert.Equal(Enumerable.Range(0, 20).Select(number => $"work {number}"), names);
    }
}
