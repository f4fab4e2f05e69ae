using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Tests.Executions;

public sealed class SyntheticKindTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"lines":0}""", 0, 100)]
    [InlineData("""{"lines":1}""", 1, 100)]
    [InlineData("""{"lines":5000,"size":21}""", 5_000, 21)]
    [InlineData("""{"lines":100,"rate":0,"size":3000}""", 100, 3_000)]
    public async Task EmitsExactlySoManyLinesOfSoManyCharacters(string data, int lines, int size)
    {
        using var engine = new Engine();
        var execution = engine.Registry.Start(new SyntheticKind(TimeProvider.System).Plan(Json(data)));

        var logs = (await Engine.ReadAsync(execution)).Where(json => json.Type() == "log").ToList();

        Assert.Equal(lines, logs.Count);
        Assert.All(logs, log => Assert.Equal(size, log.Text("message")!.Length));
        Assert.All(logs, log => Assert.StartsWith("T=0000000000000000000", log.Text("message"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task PacedLinesComeAtTheirRateAndBearTheTimeTheyWereWritten()
    {
        var time = new ManualTime();
        using var engine = new Engine(time: time);
        var execution = engine.Registry.Start(new SyntheticKind(time).Plan(Json("""{"lines":50,"rate":1000,"size":40}""")));
        var reading = Engine.ReadAsync(execution);

        while (!reading.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        var logs = (await reading).Where(json => json.Type() == "log").ToList();
        var stamps = logs.Select(log => long.Parse(log.Text("message")![2..21], CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(50, logs.Count);
        Assert.Equal(stamps.Order(), stamps);
        Assert.InRange(stamps[0], 1, long.MaxValue);
    }

    [Theory]
    [InlineData("""{"lines":1000000000,"rate":1000}""")]
    [InlineData("""{"lines":1000000000}""")]
    public async Task CancelledOneSaysWhenItHeardOfIt(string data)
    {
        using var engine = new Engine();
        var execution = engine.Registry.Start(new SyntheticKind(TimeProvider.System).Plan(Json(data)));
        await execution.Log.ReadEventsAsync(2, Stop).FirstAsync(Stop);
        var before = Stopwatch.GetTimestamp();
        Assert.True(engine.Registry.TryCancel(execution));
        await execution.Completion.WaitAsync(Stop);
        var events = await Engine.ReadAsync(execution, execution.Log.LastSequence - 1);

        Assert.Equal(["log", "result"], events.Select(JsonEvents.Type));
        var stamp = long.Parse(events[0].Text("message")![2..21], CultureInfo.InvariantCulture);
        Assert.InRange(stamp / (1_000_000_000 / Stopwatch.Frequency), before, Stopwatch.GetTimestamp());
    }

    [Fact]
    public async Task OneWhoseNextLineIsDueInYearsIsCancelledAtOnce()
    {
        using var engine = new Engine();
        var execution = engine.Registry.Start(new SyntheticKind(TimeProvider.System).Plan(Json("""{"lines":1,"rate":1e-300}""")));
        await execution.Log.ReadEventsAsync(1, Stop).FirstAsync(Stop);
        Assert.True(engine.Registry.TryCancel(execution));

        Assert.Equal(ExecutionStatus.Canceled, (await execution.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task BeginsOnceSoManyWatchersAreThere()
    {
        using var engine = new Engine();
        var execution = engine.Registry.Start(new SyntheticKind(TimeProvider.System).Plan(Json("""{"lines":10,"watchers":2}""")));
        var first = Engine.ReadAsync(execution);
        await execution.Log.WaitForReadersAsync(1, Stop);
        Assert.Equal(1, execution.Log.LastSequence);

        var second = Engine.ReadAsync(execution);

        Assert.Equal(12, (await first).Count);
        Assert.Equal(12, (await second).Count);
    }

    [Theory]
    [InlineData("""{"lines":-1}""", "data.lines must be a number from 0 to 1000000000")]
    [InlineData("""{"lines":"many"}""", "data.lines must be a number from 0 to 1000000000")]
    [InlineData("""{"size":20}""", "data.size must be a number from 21 to 65536")]
    [InlineData("[]", "data must be an object such as")]
    public void WhatItCannotDoIsRefusedWithTheRange(string data, string message)
    {
        var refusal = Assert.Throws<ExecutionInputException>(() => new SyntheticKind(TimeProvider.System).Plan(Json(data)));

        Assert.StartsWith(message, refusal.Message, StringComparison.Ordinal);
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
