using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>What a log that is over keeps, and what those who read it then get.</summary>
public sealed class EndedLogTests
{
    private static readonly string[] Lines = [.. Enumerable.Range(0, 40).Select(number => $"line {number} {new string('x', 100)}")];

    // Of memory for what is packed; and what an execution of these lines takes of it at most.
    private const int Block = 128 * 1024;
    private const int PackedBytes = 6_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LogsThatEndWithoutReadersArePackedIntoOneBlockAndReadAsTheyWere()
    {
        using var engine = new Engine();
        var executions = new List<Execution>();
        var (frames, packed) = (0, 0);
        while (packed + PackedBytes < Block)
        {
            executions.Add(await engine.RunAsync(Lines));
            await executions[^1].DescribeAsync(cancellationToken: Stop);
            (frames, packed) = (frames + await SizeOfFramesAsync(executions[^1]), packed + PackedBytes);
        }

        Assert.Equal(Block, engine.Registry.LogBytes);
        Assert.True(frames > Block);
        Assert.Equal(["line 38", "line 39"], (await Engine.ReadAsync(executions[0], 40))[..2].Select(line => line.Text("message")![..7]));
        Assert.Equal(Enumerable.Range(1, 42).Select(sequence => (long)sequence), (await Engine.ReadAsync(executions[1])).Select(JsonEvents.Sequence));
        foreach (var execution in executions)
        {
            Assert.Equal(Block, engine.Registry.LogBytes);
            await engine.Registry.RemoveAsync(execution, Stop);
        }

        Assert.Equal(0, engine.Registry.LogBytes);
    }

    // 40 lines of some 110 bytes: a result that repeats all of them, some, and none.
    [Theory]
    [InlineData(512 * 1024, 1024 * 1024, 0)]
    [InlineData(512 * 1024, 1024 * 1024, 2)]
    [InlineData(2_000, 1024 * 1024, 1)]
    [InlineData(10, 1024 * 1024, 1)]
    [InlineData(512 * 1024, 64 * 1024, 0)]
    public async Task PackedLogGivesTheVeryBytesOfItsResultToo(int maxRecordBytes, int windowBytes, int preamble)
    {
        using var engine = new Engine(new ExecutionOptions { MaxRecordBytes = maxRecordBytes, WindowBytes = windowBytes });
        var go = new TaskCompletionSource();
        var execution = engine.Start(
            async (log, _) =>
            {
                await go.Task;
                for (var round = 0; round < (windowBytes < 1024 * 1024 ? 10 : 1); round++)
                {
                    foreach (var line in Lines)
                    {
                        await log.WriteAsync(line);
                    }

                    await log.EmitAsync("step", "1"u8.ToArray());
                    await log.WriteAsync("");
                    await log.WriteAsync("\"\n");
                }

                return new ExecutionResult(ExecutionStatus.Completed);
            },
            request => request with { Preamble = [.. Enumerable.Repeat("before", preamble)], ClosingLine = state => $"ended {state.Status}" });
        List<string> whilePlain;
        using (var reader = execution.Log.OpenCursor(1, new LogBell()))
        {
            go.SetResult();
            await execution.Completion.WaitAsync(Stop);
            whilePlain = await ReadAsync(execution);
            Assert.NotEqual(Block, engine.Registry.LogBytes);
        }

        var whenPacked = await ReadAsync(execution);

        Assert.Equal(Block, engine.Registry.LogBytes);
        Assert.Equal(whilePlain, whenPacked);
        Assert.Contains(maxRecordBytes < 10_000 ? "\"logs_truncated\":true" : "line 39", whenPacked[^1]);
    }

    [Fact]
    public async Task LogThatIsReadAtItsEndIsPackedWhenTheLastReaderHasGone()
    {
        using var engine = new Engine();
        var go = new TaskCompletionSource();
        var execution = engine.Start(async (log, _) =>
        {
            await go.Task;
            foreach (var line in Lines)
            {
                await log.WriteAsync(line);
            }

            return new ExecutionResult(ExecutionStatus.Completed);
        });
        var first = execution.Log.OpenCursor(1, new LogBell());
        using (var second = execution.Log.OpenCursor(1, new LogBell()))
        {
            go.SetResult();
            await execution.Completion.WaitAsync(Stop);
            Assert.True(first.TryTake(out var range));
            var taken = range.Frames.ToArray();

            second.Dispose();

            Assert.Equal(taken, range.Frames.ToArray());
        }

        Assert.NotEqual(Block, engine.Registry.LogBytes);
        first.Dispose();

        Assert.Equal(Block, engine.Registry.LogBytes);
        Assert.Equal(42, (await Engine.ReadAsync(execution)).Count);
    }

    [Fact]
    public async Task ManyReadersAreWokenAtOnceAfterAPauseThenTogetherAndAtOnceForTheResult()
    {
        var time = new ManualTime();
        using var engine = new Engine(time: time);
        var end = new TaskCompletionSource();
        var execution = engine.Start(async (_, _) =>
        {
            await end.Task;
            return new ExecutionResult(ExecutionStatus.Completed);
        });
        var readers = Enumerable.Range(0, 200).Select(_ => new Reader(execution.Log)).ToList();
        time.Advance(TimeSpan.FromSeconds(1));

        await execution.Log.WriteAsync("after a pause", Stop);
        await Task.WhenAll(readers.Select(reader => reader.RungAsync()));
        await execution.Log.WriteAsync("right behind it", Stop);
        while (execution.Log.LastSequence < 3)
        {
            await Task.Yield();
        }

        var waiting = Task.WhenAll(readers.Select(reader => reader.RungAsync()));
        Assert.False(waiting.IsCompleted);
        while (!waiting.IsCompleted)
        {
            Stop.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromMilliseconds(2));
            await Task.Yield();
        }

        end.SetResult();
        await Task.WhenAll(readers.Select(reader => reader.RungAsync()));
        Assert.All(readers, reader => Assert.True(reader.IsAtEnd));
        readers.ForEach(reader => reader.Dispose());
    }

    private static async Task<List<string>> ReadAsync(Execution execution)
    {
        var events = new List<string>();
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            events.Add(System.Text.Encoding.UTF8.GetString(json.Span));
        }

        return events;
    }

    private static async Task<int> SizeOfFramesAsync(Execution execution)
    {
        var size = 0;
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            size += WebSocketFrame.SizeOf(json.Length);
        }

        return size;
    }

    private sealed class Reader : IDisposable
    {
        private readonly LogBell _bell = new();
        private readonly LogCursor _cursor;

        public Reader(ExecutionLog log)
        {
            _cursor = log.OpenCursor(1, _bell);
            Park();
        }

        public bool IsAtEnd => _cursor.IsAtEnd;

        public async Task RungAsync()
        {
            await _bell.WaitAsync(Stop);
            Park();
        }

        public void Dispose() => _cursor.Dispose();

        private void Park()
        {
            do
            {
                while (_cursor.TryTake(out _))
                {
                }
            }
            while (!_cursor.IsAtEnd && !_cursor.TryPark());
        }
    }
}
