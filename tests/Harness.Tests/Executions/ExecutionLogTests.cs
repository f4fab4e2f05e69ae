using System.Text;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Tests.Executions;

public sealed class ExecutionLogTests
{
    private static readonly ExecutionResult Completed = new(ExecutionStatus.Completed);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EventsAreNumberedFromOneWithStatusFirstAndResultLast()
    {
        using var engine = new Engine();
        var execution = await engine.RunAsync("one", "two");

        var events = await Engine.ReadAsync(execution);

        Assert.Equal(["status", "log", "log", "result"], events.Select(JsonEvents.Type));
        Assert.Equal([1, 2, 3, 4], events.Select(JsonEvents.Sequence));
        Assert.Equal(["one", "two"], events[1..3].Select(line => line.Text("message")));
    }

    [Fact]
    public async Task FramesHaveTheDocumentedBytes()
    {
        using var engine = new Engine(time: new ManualTime());
        var execution = await engine.RunAsync("Running Test ID: t1");
        var frames = new List<string>();

        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            frames.Add(Encoding.UTF8.GetString(json.Span));
        }

        var id = execution.Id;
        var document = $"{{\"id\":\"{id}\",\"status\":\"{{0}}\",\"started_at\":\"2026-11-21T17:00:00Z\"";
        Assert.Equal(
            [
                $"{{\"type\":\"status\",\"id\":\"{id}\",\"message\":\"running\",\"data\":{document.Replace("{0}", "running")},\"logs\":[\"Execution started\"]}},\"seq\":1,\"ts\":\"2026-11-21T17:00:00.000Z\"}}",
                $"{{\"type\":\"log\",\"id\":\"{id}\",\"message\":\"Running Test ID: t1\",\"seq\":2,\"ts\":\"2026-11-21T17:00:00.000Z\"}}",
                $"{{\"type\":\"result\",\"id\":\"{id}\",\"data\":{document.Replace("{0}", "completed")},\"completed_at\":\"2026-11-21T17:00:00Z\",\"logs\":[\"Running Test ID: t1\"]}},\"seq\":3,\"ts\":\"2026-11-21T17:00:00.000Z\"}}",
            ],
            frames);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("")]
    [InlineData("quote \" backslash \\ slash /")]
    [InlineData("tab\tnewline\nreturn\rbackspace\bfeed\fnull\0bell\a")]
    [InlineData("<b>&amp;</b>")]
    [InlineData("Grüße, 世界, 🚀,    end")]
    public async Task StringAndUtf8LinesArriveAsTheyWereWritten(string line)
    {
        using var engine = new Engine();
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WriteAsync(line, stop);
            await log.WriteAsync(Encoding.UTF8.GetBytes(line), stop);
            return Completed;
        });

        var events = await Engine.ReadAsync(execution);

        Assert.Equal([line, line], events[1..3].Select(frame => frame.Text("message")));
        Assert.Equal([line, line], events[3].GetProperty("data").GetProperty("logs").EnumerateArray().Select(log => log.GetString()));
    }

    [Fact]
    public async Task MarkupIsEscapedAsTheReferenceServerEscapesIt()
    {
        using var engine = new Engine();
        var execution = await engine.RunAsync("<a href=\"x\">&\u0001");

        var raw = await RawAsync(execution, 2);

        Assert.Contains("""\u003ca href=\"x\"\u003e\u0026\u0001""", raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsNotValidTextBecomesTheReplacementCharacter()
    {
        using var engine = new Engine();
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WriteAsync("lone \ud800 surrogate", stop);
            await log.WriteAsync(new byte[] { (byte)'a', 0xff, (byte)'b' }, stop);
            return Completed;
        });

        var events = await Engine.ReadAsync(execution);

        Assert.Equal(["lone \ufffd surrogate", "a\ufffdb"], events[1..3].Select(frame => frame.Text("message")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(60)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_000)]
    public async Task FramesCarryTheHeaderOfAnUnmaskedTextFrameOfTheirLength(int length)
    {
        using var engine = new Engine();
        var execution = await engine.RunAsync(new string('x', length), new string('"', length));
        using var cursor = execution.Log.OpenCursor(1, new NobodyWaits());
        var frames = new List<byte>();
        while (cursor.TryTake(out var range))
        {
            frames.AddRange(range.Frames.Span);
        }

        var bytes = frames.ToArray().AsSpan();
        for (var sequence = 1; sequence <= 4; sequence++)
        {
            var (start, size) = bytes[1] switch
            {
                126 => (4, (bytes[2] << 8) | bytes[3]),
                127 => (10, (int)System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(bytes[2..])),
                var small => (2, small),
            };
            Assert.Equal(0x81, bytes[0]);
            Assert.Equal(size < 126 ? 2 : size <= 65_535 ? 4 : 10, start);
            Assert.Equal(sequence, JsonDocument.Parse(bytes.Slice(start, size).ToArray()).RootElement.Sequence());
            bytes = bytes[(start + size)..];
        }

        Assert.True(bytes.IsEmpty);
    }

    [Fact]
    public async Task ReturningReaderContinuesAfterTheLastSequenceItSaw()
    {
        using var engine = new Engine();
        var execution = await engine.RunAsync([.. Enumerable.Range(2, 1_000).Select(number => $"line {number}")]);

        foreach (var from in new[] { 2, 3, 500, 1_001, 1_002 })
        {
            var events = await Engine.ReadAsync(execution, from);

            Assert.Equal(Enumerable.Range(from, 1_002 - from + 1).Select(number => (long)number), events.Select(JsonEvents.Sequence));
        }
    }

    [Fact]
    public async Task ReaderOfASequenceThatHasNotComeWaitsForIt()
    {
        using var engine = new Engine();
        var goOn = new TaskCompletionSource();
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WriteAsync("2", stop);
            await goOn.Task.WaitAsync(stop);
            await log.WriteAsync("3", stop);
            await log.WriteAsync("4", stop);
            return Completed;
        });
        var reading = Engine.ReadAsync(execution, from: 4);
        await execution.Log.WaitForReadersAsync(1, Stop);

        goOn.SetResult();
        var events = await reading;

        Assert.Equal([4, 5], events.Select(JsonEvents.Sequence));
    }

    [Fact]
    public async Task LiveAndLateReadersSeeTheSameEvents()
    {
        using var engine = new Engine();
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WaitForReadersAsync(3, stop);
            for (var line = 0; line < 20_000; line++)
            {
                await log.WriteAsync($"line {line}", stop);
            }

            return Completed;
        });

        var live = await Task.WhenAll(Engine.ReadAsync(execution), Engine.ReadAsync(execution), Engine.ReadAsync(execution));
        var late = await Engine.ReadAsync(execution);

        Assert.Equal(20_002, late.Count);
        foreach (var events in live)
        {
            Assert.Equal(late.Select(json => json.GetRawText()), events.Select(json => json.GetRawText()));
        }
    }

    [Fact]
    public async Task ReaderBehindTheWindowIsToldTheExactRangeItMissed()
    {
        using var engine = new Engine(new ExecutionOptions { WindowBytes = 256 * 1024 });
        var execution = await engine.RunAsync([.. Enumerable.Range(2, 20_000).Select(number => $"line {number}")]);

        var events = await Engine.ReadAsync(execution);

        var truncated = events[0];
        Assert.Equal("truncated", truncated.Type());
        Assert.Equal("retention", truncated.Text("reason"));
        Assert.Equal(1, truncated.GetProperty("from").GetInt64());
        Assert.Equal(execution.Log.FirstSequence - 1, truncated.GetProperty("to").GetInt64());
        Assert.Equal(
            Enumerable.Range((int)execution.Log.FirstSequence, 20_002 - (int)execution.Log.FirstSequence + 1).Select(number => (long)number),
            events[1..].Select(JsonEvents.Sequence));
    }

    [Fact]
    public async Task ReaderThatStandsStillIsOvertakenAndGoesOnAfterTheGap()
    {
        using var engine = new Engine(new ExecutionOptions { WindowBytes = 256 * 1024 });
        var goOn = new TaskCompletionSource();
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WriteAsync("first", stop);
            await goOn.Task.WaitAsync(stop);
            for (var line = 0; line < 20_000; line++)
            {
                await log.WriteAsync($"line {line}", stop);
            }

            return Completed;
        });
        using var cursor = execution.Log.OpenCursor(1, new NobodyWaits());
        Assert.True(cursor.TryTake(out var seen));
        goOn.SetResult();
        await execution.Completion.WaitAsync(Stop);

        var ranges = new List<LogRange>();
        while (cursor.TryTake(out var range))
        {
            ranges.Add(range);
        }

        var gap = Assert.Single(ranges, range => range.IsTruncated);
        var before = ranges.TakeWhile(range => !range.IsTruncated).Select(range => range.Last).LastOrDefault(seen.Last);
        Assert.Equal(before + 1, gap.First);
        Assert.Equal(execution.Log.FirstSequence - 1, gap.Last);
        Assert.Equal(execution.Log.LastSequence, ranges[^1].Last);
        Assert.True(cursor.IsAtEnd);
    }

    [Fact]
    public async Task WhatTwoSegmentsHaveCanBeTakenTogetherAndStaysAsItIsUntilTheNextTake()
    {
        using var engine = new Engine(new ExecutionOptions { WindowBytes = 256 * 1024 });
        var goOn = new TaskCompletionSource();
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WriteAsync(new string('a', 65_500), stop);
            await log.WriteAsync(new string('b', 65_500), stop);
            await log.WriteAsync("and more", stop);
            await goOn.Task.WaitAsync(stop);
            for (var line = 0; line < 20_000; line++)
            {
                await log.WriteAsync($"line {line}", stop);
            }

            return Completed;
        });
        using var cursor = execution.Log.OpenCursor(1, new NobodyWaits());
        Assert.True(SpinWait.SpinUntil(() => execution.Log.LastSequence == 4, TimeSpan.FromSeconds(20)));
        Assert.True(cursor.TryTake(out var opening));
        var ready = cursor.ReadyBytes;
        Assert.True(cursor.TryTake(out var first));
        Assert.Equal(first.Frames.Length, ready);
        ready = cursor.ReadyBytes;
        Assert.True(cursor.TryTakeMore(out var second));
        Assert.Equal(second.Frames.Length, ready);
        Assert.Equal(0, cursor.ReadyBytes);
        byte[][] taken = [first.Frames.ToArray(), second.Frames.ToArray()];

        // As many lines as the window has room for some times over: all memory that nobody holds has had other lines in it.
        goOn.SetResult();
        await execution.Completion.WaitAsync(Stop);

        Assert.Equal(opening.Last + 1, first.First);
        Assert.Equal(first.Last + 1, second.First);
        Assert.False(cursor.TryTakeMore(out _));
        Assert.Equal(taken, [first.Frames.ToArray(), second.Frames.ToArray()]);
        Assert.True(cursor.TryTake(out var next));
        Assert.Equal(second.Last + 1, next.First);
    }

    [Fact]
    public async Task ReaderOfWhatHadToMakeRoomIsToldSoAndThenHowItEnded()
    {
        using var engine = new Engine(new ExecutionOptions { WindowBytes = 1024 * 1024, TotalWindowBytes = 1024 * 1024 });
        var lines = Enumerable.Range(0, 4_000).Select(number => $"line {number}").ToArray();
        var first = engine.Start(async (log, stop) =>
        {
            await log.WaitForReadersAsync(1, stop);
            foreach (var line in lines)
            {
                await log.WriteAsync(line, stop);
            }

            return new ExecutionResult(ExecutionStatus.Failed, "out of luck");
        });
        List<JsonElement> events = [];
        using (var cursor = first.Log.OpenCursor(1, new NobodyWaits()))
        {
            await first.Completion.WaitAsync(Stop);
            await engine.RunAsync(lines);
            Assert.False(engine.Registry.TryFind(first.Id, out _));

            while (cursor.TryTake(out var range))
            {
                events.AddRange(range.IsTruncated ? [JsonElement.Parse(first.Log.DescribeTruncation(range).Span)] : EventsOf(range.Frames.Span));
            }

            Assert.True(cursor.IsAtEnd);
        }

        var (gap, result) = (events[^2], events[^1]);
        Assert.Equal(("truncated", 4_001), (gap.Type(), gap.GetProperty("to").GetInt64()));
        Assert.Equal(("result", 4_002), (result.Type(), result.Sequence()));
        Assert.Equal("failed", result.GetProperty("data").Text("status"));
        Assert.Equal("out of luck", result.GetProperty("data").Text("error"));
        Assert.True(result.GetProperty("data").GetProperty("logs_truncated").GetBoolean());
        Assert.Equal(4_002, (await Engine.ReadAsync(first))[^1].Sequence());
        var left = engine.Registry.LogBytes;
        await engine.Registry.RemoveAsync(engine.Registry.List()[0], Stop);
        Assert.Equal((true, 0), (left > 0, engine.Registry.LogBytes));
    }

    [Fact]
    public async Task LongLineIsCutAndSaysSo()
    {
        using var engine = new Engine(new ExecutionOptions { MaxLineBytes = 256 });
        var execution = await engine.RunAsync(new string('ü', 200), new string('x', 256));

        var events = await Engine.ReadAsync(execution);

        var cut = events[1].Text("message")!;
        Assert.EndsWith(" [cut: the line had 400 bytes, the limit is 256]", cut, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(cut), 254, 256);
        Assert.Equal(new string('x', 256), events[2].Text("message"));
    }

    [Fact]
    public async Task ResultRepeatsOnlyTheNewestLinesThatFitAndSaysWhereTheyBegin()
    {
        using var engine = new Engine(new ExecutionOptions { MaxRecordBytes = 1024 });
        var execution = await engine.RunAsync([.. Enumerable.Range(2, 5_000).Select(number => $"line {number:00000}")]);

        var data = (await Engine.ReadAsync(execution))[^1].GetProperty("data");

        var logs = data.GetProperty("logs").EnumerateArray().Select(line => line.GetString()).ToList();
        Assert.True(data.GetProperty("logs_truncated").GetBoolean());
        Assert.Equal(1024 / "\"line 00000\",".Length, logs.Count);
        Assert.Equal("line 05001", logs[^1]);
        Assert.Equal($"line {data.GetProperty("logs_from").GetInt64():00000}", logs[0]);
    }

    [Fact]
    public async Task LinesReachReadersOnlyAfterTheStoreHasThem()
    {
        var store = new FakeStore();
        store.Shut();
        using var engine = new Engine(store: store);
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WriteAsync("a line", stop);
            return Completed;
        });

        await store.Asked.WaitAsync(Stop);
        Assert.Equal(0, execution.Log.LastSequence);
        store.Open();

        Assert.Equal(["status", "log", "result"], (await Engine.ReadAsync(execution)).Select(JsonEvents.Type));
        Assert.Equal([1, 2, 3], store.Sequences);
    }

    [Fact]
    public async Task BodyWaitsForASlowStoreAndNeverForASlowReader()
    {
        var store = new FakeStore();
        store.Shut();
        using var engine = new Engine(store: store);
        var line = new byte[1_000];
        var written = 0;
        var full = new TaskCompletionSource();
        var execution = engine.Start(async (log, stop) =>
        {
            while (log.TryWrite(line.AsSpan()))
            {
                written++;
            }

            full.SetResult();
            await log.WaitToWriteAsync(stop);
            return Completed;
        });
        using var sleeper = execution.Log.OpenCursor(1, new NobodyWaits());

        await full.Task.WaitAsync(Stop);
        Assert.InRange(written * line.Length, LineBatch.FullBytes, (LineBatch.MaxQueued + 2) * (LineBatch.FullBytes + 2 * line.Length));
        store.Open();
        await execution.Completion.WaitAsync(Stop);

        Assert.Equal(written + 2, execution.Log.LastSequence);
    }

    [Fact]
    public async Task CancelledReaderEndsInTheMiddleOfWhatIsThere()
    {
        using var engine = new Engine();
        using var enough = new CancellationTokenSource();
        var execution = await engine.RunAsync("one", "two");
        var events = execution.Log.ReadEventsAsync(1, enough.Token).GetAsyncEnumerator(Stop);
        Assert.True(await events.MoveNextAsync());

        await enough.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await events.MoveNextAsync());
        Assert.Equal(0, execution.Log.ReaderCount);
    }

    private static async Task<string> RawAsync(Execution execution, long from)
    {
        await foreach (var json in execution.Log.ReadEventsAsync(from, Stop))
        {
            return Encoding.UTF8.GetString(json.Span);
        }

        throw new InvalidOperationException("No event");
    }

    private static List<JsonElement> EventsOf(ReadOnlySpan<byte> frames)
    {
        var events = new List<JsonElement>();
        while (!frames.IsEmpty)
        {
            var (start, length) = WebSocketFrame.Measure(frames);
            events.Add(JsonElement.Parse(frames.Slice(start, length)));
            frames = frames[(start + length)..];
        }

        return events;
    }

    private sealed class NobodyWaits : ILogWatcher
    {
        public void OnAppended()
        {
        }
    }
}
