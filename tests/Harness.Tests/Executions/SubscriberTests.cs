using System.Text;
using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>Readers at the edges: the last event, the first, many at once.</summary>
public sealed class SubscriberTests
{
    private static readonly ExecutionResult Completed = new(ExecutionStatus.Completed);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TenThousandSubscriptionsRacingTheLastEventAllSeeEverythingOnce()
    {
        const int Races = 10_000;
        using var engine = new Engine(new ExecutionOptions { MaxFinished = 16 });
        for (var race = 0; race < Races; race++)
        {
            var gun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var execution = engine.Start(async (log, _) =>
            {
                await gun.Task;
                await log.WriteAsync("last line", CancellationToken.None);
                return Completed;
            });

            gun.SetResult();
            Thread.SpinWait(race % 2_000);
            var events = await Engine.ReadAsync(execution);

            Assert.Equal(["status", "log", "result"], events.Select(JsonEvents.Type));
            Assert.Equal([1, 2, 3], events.Select(JsonEvents.Sequence));
        }
    }

    [Fact]
    public async Task ThousandSubscribersOfOneExecutionSeeTheSame()
    {
        const int Subscribers = 1_000;
        const int Lines = 500;
        using var engine = new Engine();
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WaitForReadersAsync(Subscribers, stop);
            for (var i = 0; i < Lines; i++)
            {
                await log.WriteAsync($"line {i}", stop);
            }

            return Completed;
        });

        var seen = await Task.WhenAll(Enumerable.Range(0, Subscribers).Select(_ => Task.Run(() => HashAsync(execution), Stop)));

        Assert.Single(seen.Distinct());
        Assert.Equal(Lines + 2, seen[0].Count);
    }

    [Fact]
    public async Task EventsOfABodyMustHaveANameAndBeJson()
    {
        using var engine = new Engine();
        var log = (await engine.RunAsync()).Log;

        foreach (var (name, json) in new[] { ("", "1"), ("a b", "1"), (new string('a', 65), "1"), ("a", ""), ("a", "{"), ("a", "1 2"), ("a\"", "1") })
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await log.EmitAsync(name, Encoding.UTF8.GetBytes(json), Stop));
        }
    }

    private static async Task<(int Count, int Hash)> HashAsync(Execution execution)
    {
        var (count, hash) = (0, new HashCode());
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            hash.AddBytes(json.Span);
            count++;
        }

        return (count, hash.ToHashCode());
    }
}
