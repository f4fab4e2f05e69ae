using System.Buffers;
using System.Text;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>The engine with a store behind it: what memory does not keep comes from there, and what the store did not take was never said.</summary>
public sealed class StoredExecutionTests
{
    private static readonly ExecutionResult Completed = new(ExecutionStatus.Completed);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ReaderFarBehindGetsEveryLineOfARunThatMemoryKeepsOnlyTheEndOf()
    {
        const int Lines = 20_000;
        var store = new FakeStore();
        using var engine = new Engine(new ExecutionOptions { WindowBytes = 64 * 1024 }, store: store);
        var execution = await RunLinesAsync(engine, Lines);

        var events = await Engine.ReadAsync(execution);

        Assert.Equal(Enumerable.Range(1, Lines + 2).Select(sequence => (long)sequence), events.Select(JsonEvents.Sequence));
        Assert.Equal("result", events[^1].Type());
        Assert.InRange(store.Reads, 2, Lines / 100);
        Assert.InRange(execution.Log.FirstInMemory ?? 0, Lines / 2, Lines + 2);
        Assert.Equal(1, execution.Log.FirstSequence);
    }

    [Fact]
    public async Task ReaderThatHasCaughtUpKeepsNothingOfWhatWasLoadedForIt()
    {
        const int Lines = 20_000;
        var (written, end) = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        using var engine = new Engine(new ExecutionOptions { WindowBytes = 64 * 1024 }, store: new FakeStore());
        var execution = engine.Start(async (log, stop) =>
        {
            foreach (var line in Enumerable.Range(0, Lines).Select(LineAt))
            {
                await log.WriteAsync(line, stop);
            }

            written.SetResult();
            await end.Task.WaitAsync(stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        });
        await written.Task.WaitAsync(Stop);
        await ReadLinesAsync(execution, Lines);
        var before = engine.Registry.LogBytes;

        await using var events = execution.Log.ReadEventsAsync(1, Stop).GetAsyncEnumerator(Stop);
        for (var sequence = 1L; sequence <= Lines + 1; sequence++)
        {
            Assert.True(await events.MoveNextAsync());
        }

        var next = events.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        Assert.Equal(before, engine.Registry.LogBytes);
        end.SetResult();
        Assert.True(await next);
    }

    [Fact]
    public async Task LastLinesGoIntoTheStoreWithTheResultThatRepeatsThem()
    {
        var (store, pool) = (new FakeStore(), new SegmentPool(1024 * 1024));
        var stored = new StoredExecution
        {
            Number = 1,
            Id = "E",
            Epoch = "e",
            Kind = "test",
            Name = "",
            Labels = new Dictionary<string, string>(),
            Request = "{}",
            StartedAt = DateTimeOffset.UnixEpoch,
        };
        var archive = new LogArchive(store, stored, isNew: true, pool, TimeProvider.System);
        store.Shut();
        var log = new ExecutionLog(
            "E", new LogOpening("running", "{}"u8.ToArray()), new ExecutionLogLimits(64 * 1024, 64 * 1024), pool, archive, last: 0, TimeProvider.System);
        Assert.True(log.TryWrite("one") && log.TryWrite("two"));

        var repeated = new List<string>();
        var sealing = log.SealAsync(new LogEnding(Render, () => Assert.Equal(1, log.LastSequence)));
        store.Open();
        await sealing.WaitAsync(Stop);

        Assert.Equal(["\"one\",\"two\""], repeated);
        Assert.Equal(2, store.Appends);
        Assert.Equal([1L, 2, 3, 4], store.Sequences);
        Assert.Equal(4, log.LastSequence);

        ValueTask<RenderedEnd> Render(ArrayBufferWriter<byte> json, Exception? failure)
        {
            using var record = LogRecord.Written(log, "E");
            var lines = new ArrayBufferWriter<byte>();
            lines.Write("["u8);
            record.CopyNewestLines(1024, lines);
            repeated.Add(Encoding.UTF8.GetString(lines.WrittenSpan[1..]));
            json.Write("{}"u8);
            return ValueTask.FromResult(new RenderedEnd(new StoredEnd(ExecutionStatus.Completed, DateTimeOffset.UnixEpoch, null, null, null, default, 0, 0), default));
        }
    }

    [Fact]
    public async Task ExecutionReadBackAfterARestartIsTheSameToTheByte()
    {
        var store = new FakeStore();
        using var before = new Engine(store: store);
        var execution = before.Start(
            async (log, _) =>
            {
                await log.WriteAsync("a \"quoted\" <line> & ü 😀\n\t\u0001", Stop);
                await log.EmitAsync("step-start", "{\"n\":1}"u8.ToArray(), Stop);
                return Completed with { Details = "{\"tests\":[1,2]}"u8.ToArray() };
            },
            request => request with
            {
                Preamble = ["one", "two"],
                ClosingLine = state => $"ended {state.Status}",
                Facts = new Dictionary<string, string> { ["agent"] = "demo" },
                Labels = new Dictionary<string, string> { ["team"] = "blue" },
            });
        await execution.Completion.WaitAsync(Stop);
        var (frames, document, item) = (await BytesAsync(execution.Log), (await execution.DescribeAsync(cancellationToken: Stop)).ToArray(), execution.DescribeAsItem().ToArray());

        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var loaded = await after.Registry.FindAsync(execution.Id, Stop);

        Assert.NotNull(loaded);
        Assert.Equal(Encoding.UTF8.GetString(frames), Encoding.UTF8.GetString(await BytesAsync(loaded.Log)));
        Assert.Equal(Encoding.UTF8.GetString(document), Encoding.UTF8.GetString((await loaded.DescribeAsync(cancellationToken: Stop)).Span));
        Assert.Equal(Encoding.UTF8.GetString(item), Encoding.UTF8.GetString(loaded.DescribeAsItem().Span));
        Assert.Equal(execution.Epoch, loaded.Epoch);
        Assert.Equal(["status", "log", "event", "result"], (await Engine.ReadAsync(loaded)).Select(JsonEvents.Type));
    }

    [Fact]
    public async Task RunThatWasUnderWayEndsAsFailedAfterARestartAndGoesOnInTheSameSequence()
    {
        var store = new FakeStore();
        using var before = new Engine(store: store);
        var broken = before.Start(async (log, stop) =>
        {
            await log.WriteAsync("the last line", stop);
            await Task.Delay(Timeout.Infinite, stop);
            return Completed;
        });
        await ReadLinesAsync(broken, 1);

        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var ended = await after.Registry.FindAsync(broken.Id, Stop);
        var events = await Engine.ReadAsync(ended!, from: 2);

        Assert.Equal(broken.Epoch, ended!.Epoch);
        Assert.Equal(["log", "log", "result"], events.Select(JsonEvents.Type));
        Assert.Equal([2, 3, 4], events.Select(JsonEvents.Sequence));
        Assert.Equal("The server stopped while this execution was running; it was not started again", events[1].Text("message"));
        Assert.Equal("failed", events[2].GetProperty("data").Text("status"));
        Assert.Equal("The server stopped while this execution was running", events[2].GetProperty("data").Text("error"));
        Assert.Equal(["the last line", events[1].Text("message")!], events[2].GetProperty("data").GetProperty("logs").EnumerateArray().Select(line => line.GetString()));
        Assert.Equal(ExecutionStatus.Failed, (await ended.Completion).Status);
        Assert.False(after.Registry.TryCancel(ended));
    }

    [Fact]
    public async Task FullDiskDoesNotKeepAServerFromStartingWhoseRunsWereUnderWay()
    {
        var (store, time) = (new FakeStore(), new ManualTime());
        using var before = new Engine(store: store);
        var broken = before.Start(async (log, stop) =>
        {
            await log.WriteAsync("the last line", stop);
            await Task.Delay(Timeout.Infinite, stop);
            return Completed;
        });
        await ReadLinesAsync(broken, 1);
        store.AppendFailure = new StoreException("the disk is full") { IsTransient = true };

        using var after = new Engine(time: time, store: store);
        await after.Registry.OpenAsync(Stop);
        var ended = (await after.Registry.FindAsync(broken.Id, Stop))!;

        Assert.Equal("the disk is full", after.Registry.StoreProblem);
        Assert.Equal(["status", "log", "result"], (await Engine.ReadAsync(ended)).Select(JsonEvents.Type));
        Assert.Equal("The server stopped while this execution was running", ended.State.Error);
        Assert.Equal(ExecutionStatus.Failed, (await ended.Completion).Status);
        var frames = await BytesAsync(ended.Log);

        store.AppendFailure = null;
        while (after.Registry.StoreProblem is not null)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        using var later = new Engine(store: store);
        await later.Registry.OpenAsync(Stop);
        Assert.Equal(Encoding.UTF8.GetString(frames), Encoding.UTF8.GetString(await BytesAsync((await later.Registry.FindAsync(broken.Id, Stop))!.Log)));
    }

    [Fact]
    public async Task NumbersListsAndKeysGoOnAcrossARestart()
    {
        var store = new FakeStore();
        using var before = new Engine(store: store);
        var first = await RunAsync(before, "k1");
        var second = await RunAsync(before, "k2");

        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var third = await RunAsync(after, "k3");
        var repeated = await after.Registry.StartAsync(Plan("k1"), Stop);
        var page = await after.Registry.ListAsync(new ExecutionFilter(), cursor: null, limit: 2, Stop);
        var next = await after.Registry.ListAsync(new ExecutionFilter(), page.Next, limit: 2, Stop);

        Assert.Equal(first.Id, repeated.Id);
        Assert.Equal([third.Id, second.Id], page.Items.Select(execution => execution.Id));
        Assert.Equal([first.Id], next.Items.Select(execution => execution.Id));
        Assert.Null(next.Next);
        Assert.Equal(3, store.Count);
    }

    [Fact]
    public async Task ExecutionThatIsListedWithoutDetailsIsFoundWithThem()
    {
        var store = new FakeStore();
        using var before = new Engine(store: store);
        var started = before.Start((_, _) => Task.FromResult(Completed with { Details = "{\"tests\":[]}"u8.ToArray() }));
        await started.Completion.WaitAsync(Stop);

        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var listed = (await after.Registry.ListAsync(new ExecutionFilter { WithoutDetails = true }, cursor: null, limit: 2, Stop)).Items[0];
        var found = (await after.Registry.FindAsync(started.Id, Stop))!;

        Assert.Equal(0, (await listed.Completion).Details.Length);
        Assert.Equal("{\"tests\":[]}", Encoding.UTF8.GetString((await found.Completion).Details.Span));
    }

    [Fact]
    public async Task ListHasWhatRunsFromMemoryAndWhatEndedFromTheStoreEachOnce()
    {
        var store = new FakeStore();
        using var engine = new Engine(store: store);
        await engine.Registry.OpenAsync(Stop);
        var ended = await RunAsync(engine, null);
        var running = engine.Start(async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return Completed;
        });
        await running.Stored.WaitAsync(Stop);

        var all = await engine.Registry.ListAsync(new ExecutionFilter(), null, 10, Stop);
        var unended = await engine.Registry.ListAsync(new ExecutionFilter { Status = ExecutionStatus.Running }, null, 10, Stop);

        Assert.Equal([running.Id, ended.Id], all.Items.Select(execution => execution.Id));
        Assert.Equal([running.Id], unended.Items.Select(execution => execution.Id));
    }

    [Fact]
    public async Task DeletedExecutionIsGoneFromMemoryAndStoreAndItsReaderIsToldWhatItMisses()
    {
        var store = new FakeStore();
        using var engine = new Engine(new ExecutionOptions { WindowBytes = 64 * 1024 }, store: store);
        var execution = await RunLinesAsync(engine, 5_000);
        await using var events = execution.Log.ReadEventsAsync(1, Stop).GetAsyncEnumerator(Stop);
        Assert.True(await events.MoveNextAsync());

        Assert.True(await engine.Registry.RemoveAsync(execution, Stop));
        Assert.False(await engine.Registry.RemoveAsync(execution, Stop));

        Assert.Null(await engine.Registry.FindAsync(execution.Id, Stop));
        Assert.Equal(0, store.Count);
        var last = 1L;
        JsonElement json = default;
        while (await events.MoveNextAsync())
        {
            json = JsonDocument.Parse(events.Current.ToArray()).RootElement;
            last = json.Type() == "truncated" ? json.GetProperty("to").GetInt64() : json.Sequence();
        }

        Assert.Equal("truncated", json.Type());
        Assert.Equal(execution.Log.LastSequence, last);
    }

    [Fact]
    public async Task DamagedStretchIsToldAsTruncatedAndWhatFollowsIsRead()
    {
        var store = new FakeStore();
        using var before = new Engine(store: store);
        var execution = before.Start(async (log, _) =>
        {
            foreach (var line in new[] { "one", "two", "three" })
            {
                await log.WriteAsync(line, Stop);
                await ReadLinesAsync(log, line);
            }

            return Completed;
        });
        await execution.Completion.WaitAsync(Stop);
        store.Damage(1, 3);

        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var events = await Engine.ReadAsync((await after.Registry.FindAsync(execution.Id, Stop))!);

        Assert.Equal(["status", "log", "truncated", "log", "result"], events.Select(JsonEvents.Type));
        Assert.Equal((3, 3), (events[2].GetProperty("from").GetInt64(), events[2].GetProperty("to").GetInt64()));
    }

    [Fact]
    public async Task StoreThatFailsFailsTheRunLoudlyAndItsLogIsWhatTheStoreHas()
    {
        var store = new FakeStore { FailsFrom = 3 };
        using var engine = new Engine(store: store);
        var unwound = false;
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WriteAsync("kept", Stop);
            await ReadLinesAsync(log, "kept");
            try
            {
                while (true)
                {
                    await log.WriteAsync("lost", stop);
                    await Task.Yield();
                    stop.ThrowIfCancellationRequested();
                }
            }
            finally
            {
                unwound = true;
            }
        });

        var result = await execution.Completion.WaitAsync(Stop);
        var events = await Engine.ReadAsync(execution);

        Assert.True(unwound);
        Assert.Equal((ExecutionStatus.Failed, "The log could not be stored: the disk is full"), (result.Status, result.Error));
        Assert.Equal(["status", "log", "result"], events.Select(JsonEvents.Type));
        Assert.Equal([1, 2, 3], events.Select(JsonEvents.Sequence));
        Assert.Equal(result.Error, events[2].GetProperty("data").Text("error"));
        Assert.Equal("the disk is full", engine.Registry.StoreProblem);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ResultThatTheStoreDidNotTakeIsKeptUntilItDoes(bool keepsWhatFails)
    {
        var store = new FakeStore { KeepsWhatFails = keepsWhatFails };
        var time = new ManualTime();
        using var engine = new Engine(time: time, store: store);
        var execution = engine.Start(async (log, _) =>
        {
            await log.WriteAsync("kept", Stop);
            await ReadLinesAsync(log, "kept");
            store.AppendFailure = new StoreException("the disk is full");
            await log.WriteAsync("lost", Stop);
            return Completed;
        });
        await execution.Completion.WaitAsync(Stop);
        var shown = await BytesAsync(execution.Log);
        Assert.NotNull(engine.Registry.StoreProblem);

        // Others use the memory meanwhile in which it was packed.
        using var others = new Engine(store: new FakeStore());
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => others.RunAsync([.. Enumerable.Repeat("other", 20)])));

        store.AppendFailure = null;
        await SavedAsync(engine, time);

        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var loaded = await after.Registry.FindAsync(execution.Id, Stop);
        Assert.Equal(Encoding.UTF8.GetString(shown), Encoding.UTF8.GetString(await BytesAsync(loaded!.Log)));
        Assert.Equal(ExecutionStatus.Failed, loaded.State.Status);
    }

    [Fact]
    public async Task DeletedResultThatTheStoreDidNotTakeIsNotOfferedAgain()
    {
        var store = new FakeStore { AppendFailure = new StoreException("the disk is full") };
        var time = new ManualTime();
        using var engine = new Engine(time: time, store: store);
        var deleted = await engine.RunAsync();
        var other = await engine.RunAsync();

        Assert.True(await engine.Registry.RemoveAsync(deleted, Stop));
        store.AppendFailure = null;
        await SavedAsync(engine, time);

        Assert.Null(await engine.Registry.FindAsync(deleted.Id, Stop));
        Assert.NotNull(await store.FindAsync(other.Id, Stop));
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public async Task ResultThatCanNeverBeStoredHoldsUpNoOther()
    {
        var store = new FakeStore { AppendFailure = new StoreException("the disk is full") };
        var time = new ManualTime();
        using var engine = new Engine(time: time, store: store);
        var never = await engine.RunAsync();
        var others = new List<Execution>();
        for (var i = 0; i < 20; i++)
        {
            others.Add(await engine.RunAsync());
        }

        store.RefusedForGood = never.Number;
        store.AppendFailure = null;
        await SavedAsync(engine, time);

        Assert.Equal(20, store.Count);
        Assert.All(others, other => Assert.False(other.Log.Archive!.IsUnsaved));
        Assert.True(engine.Registry.TryFind(never.Id, out _));
    }

    [Fact]
    public async Task ExecutionThatCouldNotBeStoredAtAllSaysSoToWhoeverStartedAndWatchesIt()
    {
        var store = new FakeStore { AppendFailure = new StoreException("the disk is full") };
        using var engine = new Engine(store: store);
        var execution = engine.Start((_, _) => Task.FromResult(Completed));

        var refusal = await Assert.ThrowsAsync<StoreException>(() => execution.Stored.WaitAsync(Stop));
        Assert.Equal("the disk is full", refusal.Message);
        Assert.Equal(["status", "result"], (await Engine.ReadAsync(execution)).Select(JsonEvents.Type));
        Assert.Equal(ExecutionStatus.Failed, (await execution.Completion).Status);
    }

    [Fact]
    public async Task BodyHearsOfAStoreThatRefusesTheFirstFrameAtOnce()
    {
        var store = new FakeStore { AppendFailure = new StoreException("the disk is full") };
        using var engine = new Engine(store: store);
        var execution = engine.Start(async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return Completed;
        });

        Assert.Equal("The log could not be stored: the disk is full", (await execution.Completion.WaitAsync(Stop)).Error);
    }

    [Fact]
    public async Task StatusIsFinalOnlyWhenTheResultIsStored()
    {
        var store = new FakeStore();
        using var engine = new Engine(store: store);
        var execution = engine.Start(async (log, _) =>
        {
            await log.WriteAsync("a line", Stop);
            await ReadLinesAsync(log, "a line");
            store.Shut();
            return Completed;
        });

        Assert.True(SpinWait.SpinUntil(() => execution.DecidedStatus == ExecutionStatus.Completed, TimeSpan.FromSeconds(20)));
        Assert.Equal(ExecutionStatus.Running, execution.State.Status);
        Assert.False(engine.Registry.TryCancel(execution));
        store.Open();
        await execution.Completion.WaitAsync(Stop);

        Assert.Equal(ExecutionStatus.Completed, execution.State.Status);
    }

    [Fact]
    public async Task ReaderWaitsWhileTheStoreCannotBeReadAndGoesOnWhenItCan()
    {
        var store = new FakeStore();
        using var engine = new Engine(new ExecutionOptions { WindowBytes = 64 * 1024 }, store: store);
        var execution = await RunLinesAsync(engine, 5_000);
        store.ReadFailure = new StoreException("the database restarts");

        var reading = Engine.ReadAsync(execution);
        await Assert.ThrowsAsync<StoreException>(async () => await execution.DescribeAsync(new RecordLines(1, 10), Stop));
        Assert.False(reading.IsCompleted);
        store.ReadFailure = null;

        Assert.Equal(5_002, (await reading).Count);
    }

    [Fact]
    public async Task StatusPagesReachLinesThatOnlyTheStoreHas()
    {
        var store = new FakeStore();
        using var engine = new Engine(new ExecutionOptions { WindowBytes = 64 * 1024, MaxRecordBytes = 256 * 1024 }, store: store);
        var execution = await RunLinesAsync(engine, 5_000);

        var page = JsonElement.Parse((await execution.DescribeAsync(new RecordLines(2, 3), Stop)).Span);
        var newest = JsonElement.Parse((await execution.DescribeAsync(cancellationToken: Stop)).Span).GetProperty("logs");

        Assert.Equal([LineAt(0), LineAt(1), LineAt(2)], page.GetProperty("logs").EnumerateArray().Select(line => line.GetString()!));
        Assert.Equal(5, page.GetProperty("logs_next").GetInt64());
        Assert.Equal(LineAt(4_999), newest[newest.GetArrayLength() - 1].GetString());
        Assert.InRange(newest.GetArrayLength(), (64 * 1024 / LineAt(0).Length) + 200, 5_000);
    }

    [Fact]
    public async Task DeletionThatFailsAfterItsWorkIsForgottenInMemory()
    {
        var store = new FakeStore { DeleteFailure = new StoreException("the disk is full") };
        using var engine = new Engine(store: store);
        var ended = await RunAsync(engine, null);

        await Assert.ThrowsAsync<StoreException>(() => engine.Registry.RemoveAsync(ended, Stop).AsTask());

        Assert.Null(await engine.Registry.FindAsync(ended.Id, Stop));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SweepForgetsInMemoryWhatItDeletedAndTellsReadersOfARunWhatItTrimmed(bool fails)
    {
        var store = new FakeStore();
        using var engine = new Engine(new ExecutionOptions { WindowBytes = 64 * 1024 }, store: store);
        var ended = await RunAsync(engine, null);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = engine.Start(async (log, stop) =>
        {
            for (var i = 0; i < 5_000; i++)
            {
                await log.WriteAsync(LineAt(i), stop);
            }

            await ReadLinesAsync(log, LineAt(4_999));
            written.SetResult();
            await Task.Delay(Timeout.Infinite, stop);
            return Completed;
        });
        await written.Task.WaitAsync(Stop);

        store.DeleteFailure = fails ? new StoreException("the disk is full") : null;
        var sweeping = engine.Registry.SweepAsync(new RetentionRule(null, MaxFinished: 0, MaxBytes: 1), Stop);
        if (fails)
        {
            await Assert.ThrowsAsync<StoreException>(() => sweeping);
        }
        else
        {
            Assert.Equal([ended.Id], (await sweeping).Deleted.Select(swept => swept.Id));
            Assert.Single((await sweeping).Trimmed);
        }

        Assert.Null(await engine.Registry.FindAsync(ended.Id, Stop));
        var first = store.FramesOf(running.Number)[0].First;
        Assert.Equal((first, true), (running.Log.FirstSequence, first > 1));
        await using var events = running.Log.ReadEventsAsync(1, Stop).GetAsyncEnumerator(Stop);
        Assert.True(await events.MoveNextAsync());
        var told = JsonElement.Parse(events.Current.Span);
        Assert.Equal(("truncated", 1, first - 1), (told.Type(), told.GetProperty("from").GetInt64(), told.GetProperty("to").GetInt64()));
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(first, JsonElement.Parse(events.Current.Span).Sequence());
    }

    [Fact]
    public async Task ReadersThatComeToTheSamePlaceTogetherShareOneRead()
    {
        var store = new FakeStore();
        using var before = new Engine(store: store);
        var execution = await RunLinesAsync(before, 5_000);
        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var loaded = (await after.Registry.FindAsync(execution.Id, Stop))!;
        Assert.Same(loaded, await after.Registry.FindAsync(execution.Id, Stop));

        var gate = new TaskCompletionSource();
        store.ReadsGate = gate.Task;
        store.ReadPlaces.Clear();
        var loads = Enumerable.Range(0, 100).Select(_ => loaded.Log.Archive!.LoadAsync(1, Stop)).ToList();
        gate.SetResult();
        var segments = await Task.WhenAll(loads);

        Assert.Equal([1], store.ReadPlaces);
        Assert.All(segments, segment => Assert.Same(segments[0], segment));
        Array.ForEach(segments, segment => segment!.Release());

        var readings = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Engine.ReadAsync(loaded)));

        Assert.All(readings, events => Assert.Equal(5_002, events.Count));
        Assert.Equal(0, after.Registry.LogBytes);
    }

    [Fact]
    public async Task ReadersAtManyPlacesThatComeAndGoGiveAllMemoryBack()
    {
        var store = new FakeStore();
        using var before = new Engine(store: store);
        var execution = await RunLinesAsync(before, 20_000);
        using var after = new Engine(store: store);
        await after.Registry.OpenAsync(Stop);
        var log = (await after.Registry.FindAsync(execution.Id, Stop))!.Log;

        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Stop }, async (number, _) =>
        {
            var from = 1 + (number * 97 % 20_000);
            using var cursor = log.OpenCursor(from, new LogBell());

            // Some leave while their first stretch is on its way.
            var isTaken = cursor.TryTake(out var range);
            for (var turn = 0; number % 3 != 0 && !isTaken; turn++)
            {
                await Task.Yield();
                isTaken = cursor.TryTake(out range);
            }

            Assert.True(!isTaken || range.First == from);
        });

        Assert.True(SpinWait.SpinUntil(() => after.Registry.LogBytes == 0, TimeSpan.FromSeconds(20)), $"{after.Registry.LogBytes} bytes");
    }

    [Fact]
    public async Task FinishedExecutionLeavesMemoryAndNobodyNotices()
    {
        var time = new ManualTime();
        using var engine = new Engine(time: time, store: new FakeStore());
        var execution = await RunLinesAsync(engine, 1_000);

        time.Advance(TimeSpan.FromMinutes(2));

        Assert.False(engine.Registry.TryFind(execution.Id, out _));
        Assert.Equal(0, engine.Registry.LogBytes);
        Assert.Equal(1_002, (await Engine.ReadAsync((await engine.Registry.FindAsync(execution.Id, Stop))!)).Count);
    }

    private static string LineAt(int number) => $"line {number:00000} {new string('x', 80)}";

    private static ExecutionPlan Plan(string? key) =>
        new(new ExecutionRequest { Kind = "test", Name = "a test", IdempotencyKey = key }, (_, _) => Task.FromResult(Completed));

    private static async Task<Execution> RunAsync(Engine engine, string? key)
    {
        var execution = await engine.Registry.StartAsync(Plan(key), Stop);
        await execution.Completion.WaitAsync(Stop);
        return execution;
    }

    private static Task<Execution> RunLinesAsync(Engine engine, int lines) => engine.RunAsync([.. Enumerable.Range(0, lines).Select(LineAt)]);

    private static async Task ReadLinesAsync(Execution execution, int lines)
    {
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            if (JsonElement.Parse(json.Span).Type() == "log" && --lines == 0)
            {
                return;
            }
        }
    }

    private static async Task ReadLinesAsync(ExecutionLog log, string until)
    {
        await foreach (var json in log.ReadEventsAsync(1, Stop))
        {
            if (JsonElement.Parse(json.Span) is var element && element.Type() == "log" && element.Text("message") == until)
            {
                return;
            }
        }
    }

    private static async Task SavedAsync(Engine engine, ManualTime time)
    {
        while (engine.Registry.StoreProblem is not null)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }

    private static async Task<byte[]> BytesAsync(ExecutionLog log)
    {
        var bytes = new MemoryStream();
        await foreach (var json in log.ReadEventsAsync(1, Stop))
        {
            bytes.Write(json.Span);
            bytes.WriteByte((byte)'\n');
        }

        return bytes.ToArray();
    }
}
