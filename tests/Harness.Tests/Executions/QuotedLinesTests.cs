using System.Text;
using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>A result repeats the lines of its run; a store has them once.</summary>
public sealed class QuotedLinesTests
{
    private const int Lines = 400;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 512 * 1024, true)]
    [InlineData(2, 512 * 1024, true)]
    [InlineData(2, 16 * 1024, true)]
    [InlineData(0, 512 * 1024, false)]
    [InlineData(2, 16 * 1024, false)]
    public async Task ResultRepeatsLinesThatAreStoredOnceAndIsTheSameToTheByteAfterARestart(int preamble, int maxRecordBytes, bool waitsForLines)
    {
        var store = new FakeStore();
        var options = new ExecutionOptions { MaxRecordBytes = maxRecordBytes };
        using var before = new Engine(options, store: store);
        var execution = await RunAsync(before, preamble, waitsForLines);
        var said = await EventsAsync(execution.Log.ReadEventsAsync(1, Stop));
        Assert.Contains(LineAt(Lines - 1), said[^1], StringComparison.Ordinal);

        using var after = new Engine(options, store: store);
        await after.Registry.OpenAsync(Stop);
        var loaded = (await after.Registry.FindAsync(execution.Id, Stop))!;

        Assert.InRange(store.FramesOf(1).Sum(stretch => stretch.Packed.Length), 1, Lines * (LineAt(0).Length + 25));
        Assert.Equal(said, await EventsAsync(loaded.Log.ReadEventsAsync(1, Stop)));
        Assert.Equal(said[^1..], await EventsAsync(loaded.Log.ReadEventsAsync(loaded.Log.LastSequence, Stop)));
        var stored = await store.FindAsync(execution.Id, Stop);
        Assert.Equal(said, await EventsAsync(StoredEvents.ReadAsync(store, stored!, Stop)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task ResultWhoseLinesAreDamagedIsShownWithoutThem(int preamble)
    {
        var store = new FakeStore();
        using var before = new Engine(store: store);
        var execution = await RunAsync(before, preamble, waitsForLines: true);
        foreach (var stretch in store.FramesOf(1).Where(stretch => stretch.Last < execution.Log.LastSequence).ToList())
        {
            store.Damage(1, stretch.First);
        }

        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var events = await Engine.ReadAsync((await after.Registry.FindAsync(execution.Id, Stop))!);

        Assert.Equal(["truncated", "result"], events.Select(JsonEvents.Type));
        Assert.Equal(preamble + 1, events[^1].GetProperty("data").GetProperty("logs").GetArrayLength());
        Assert.Equal("completed", events[^1].GetProperty("data").Text("status"));
    }

    [Fact]
    public async Task ResultWhoseLinesRetentionTookMeanwhileIsShownWithThoseThatAreKept()
    {
        var store = new FakeStore();
        using var before = new Engine(store: store);
        var isStored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var execution = before.Start(async (log, stop) =>
        {
            await WriteAsync(log, 0, stop);
            await log.ReadEventsAsync(Lines + 1, stop).FirstAsync(stop);
            await WriteAsync(log, Lines, stop);
            await log.ReadEventsAsync(2 * Lines + 1, stop).FirstAsync(stop);
            isStored.SetResult();
            await goOn.Task.WaitAsync(stop);
            await WriteAsync(log, 2 * Lines, stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        });
        await isStored.Task.WaitAsync(Stop);
        var swept = await before.Registry.SweepAsync(new RetentionRule(null, null, MaxBytes: 1), Stop);
        var first = Assert.Single(swept.Trimmed).FirstSequence;
        goOn.SetResult();
        await execution.Completion.WaitAsync(Stop);
        Assert.Null(execution.State.Error);

        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var events = await Engine.ReadAsync((await after.Registry.FindAsync(execution.Id, Stop))!);

        Assert.True(first > 2);
        Assert.Equal([first - 1], events.Where(json => json.Type() == "truncated").Select(json => json.GetProperty("to").GetInt64()));
        Assert.Equal(
            events.Where(json => json.Type() == "log").Select(json => json.Text("message")),
            events[^1].GetProperty("data").GetProperty("logs").EnumerateArray().Select(line => line.GetString()));
        Assert.Equal("completed", events[^1].GetProperty("data").Text("status"));
    }

    private static async Task WriteAsync(ExecutionLog log, int from, CancellationToken stop)
    {
        for (var i = from; i < from + Lines; i++)
        {
            await log.WriteAsync(LineAt(i), stop);
        }
    }

    private static async Task<Execution> RunAsync(Engine engine, int preamble, bool waitsForLines)
    {
        var execution = engine.Start(
            async (log, stop) =>
            {
                for (var i = 0; i < Lines; i++)
                {
                    await log.WriteAsync(LineAt(i), stop);
                    if (i % 100 == 0)
                    {
                        await log.EmitAsync("step", "{\"n\":1}"u8.ToArray(), stop);
                    }
                }

                if (waitsForLines)
                {
                    await log.ReadEventsAsync(Lines + 5, stop).FirstAsync(stop);
                }

                return new ExecutionResult(ExecutionStatus.Completed) { Details = "{\"tests\":[1,2]}"u8.ToArray() };
            },
            request => request with { Preamble = [.. Enumerable.Repeat("before", preamble)], ClosingLine = state => $"ended {state.Status}" });
        await execution.Completion.WaitAsync(Stop);
        return execution;
    }

    private static string LineAt(int number) => $"line {number:00000} ü {new string('x', 80)}";

    private static async Task<List<string>> EventsAsync(IAsyncEnumerable<ReadOnlyMemory<byte>> events)
    {
        var all = new List<string>();
        await foreach (var json in events)
        {
            all.Add(Encoding.UTF8.GetString(json.Span));
        }

        return all;
    }
}
