using System.Text.Json;
using Harness.Executions;

namespace Harness.Tests.Executions;

public sealed class ExecutionRegistryTests
{
    private static readonly ExecutionResult Completed = new(ExecutionStatus.Completed);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OfTextsOfARequestIsKeptWhatDocumentsShow()
    {
        using var engine = new Engine();
        var text = new string('n', 1_000_000);
        var execution = engine.Start(
            (_, _) => Task.FromResult(new ExecutionResult(ExecutionStatus.Completed)),
            request => request with { Name = text, Preamble = ["Suite: " + text], Facts = new Dictionary<string, string> { ["agent"] = text } });
        await execution.Completion.WaitAsync(Stop);

        var document = JsonElement.Parse((await execution.DescribeAsync(cancellationToken: Stop)).Span);
        var kept = execution.Request.Name.Length + execution.Request.Preamble[0].Length + execution.Request.Facts["agent"].Length;

        Assert.Equal($"Suite: {new string('n', 8185)}… [cut]", document.GetProperty("logs")[0].GetString());
        Assert.Equal($"{new string('n', 8192)}… [cut]", document.Text("agent"));
        Assert.InRange(kept, 0, 3 * 8193);
    }

    [Fact]
    public async Task DeletedExecutionsDoNotDisplaceThoseThatAreKept()
    {
        using var engine = new Engine(new ExecutionOptions { MaxFinished = 2 });
        var kept = await engine.RunAsync("kept");
        for (var i = 0; i < 5; i++)
        {
            Assert.True(await engine.Registry.RemoveAsync(await engine.RunAsync("deleted"), TestContext.Current.CancellationToken));
        }

        await engine.RunAsync("another");

        Assert.True(engine.Registry.TryFind(kept.Id, out _));
        Assert.Equal(2, engine.Registry.List().Count);
    }

    [Fact]
    public async Task StartedExecutionIsFoundListedAndEndsWithItsBodysResult()
    {
        using var engine = new Engine();
        var first = await engine.RunAsync();
        var second = engine.Start((_, _) => Task.FromResult(new ExecutionResult(ExecutionStatus.Failed, "the agent said no")));
        await second.Completion.WaitAsync(Stop);

        Assert.True(engine.Registry.TryFind(first.Id, out var found));
        Assert.Same(first, found);
        Assert.Equal([second.Id, first.Id], engine.Registry.List().OrderByDescending(e => e.State.CompletedAt).Select(e => e.Id));
        Assert.Equal(ExecutionStatus.Completed, first.State.Status);
        Assert.Equal((ExecutionStatus.Failed, "the agent said no"), (second.State.Status, second.State.Error));
        Assert.Equal(0, engine.Registry.ActiveCount);
        Assert.False(engine.Registry.TryFind("nope", out _));
    }

    [Fact]
    public async Task WhateverABodyThrowsEndsOnlyThatExecutionAndSaysWhy()
    {
        using var engine = new Engine();
        ExecutionBody[] bodies =
        [
            (_, _) => throw new InvalidOperationException("thrown at once"),
            (_, _) => NoTask(),
            async (_, _) =>
            {
                await Task.Yield();
                throw new KeyNotFoundException("thrown later");
            },
            (_, _) => Task.FromException<ExecutionResult>(new OperationCanceledException("a token of its own")),
            (_, _) => Task.FromResult<ExecutionResult>(null!),
            (_, _) => Task.FromResult(new ExecutionResult(ExecutionStatus.Running)),
        ];

        var executions = bodies.Select(body => engine.Start(body)).ToList();
        var results = await Task.WhenAll(executions.Select(execution => execution.Completion)).WaitAsync(Stop);

        Assert.All(results, result => Assert.Equal(ExecutionStatus.Failed, result.Status));
        Assert.All(executions, execution => Assert.False(string.IsNullOrEmpty(execution.State.Error)));
        Assert.Equal("thrown at once", results[0].Error);
        Assert.Equal("The body ended without a final status", results[1].Error);
        Assert.Equal("thrown later", results[2].Error);
        Assert.Equal(ExecutionStatus.Completed, (await engine.RunAsync()).State.Status);
    }

    [Fact]
    public async Task BodiesThatBlockTheirThreadsHoldUpNoOther()
    {
        using var engine = new Engine();
        using var release = new ManualResetEventSlim();

        // One more than the pool has threads; it takes its time to add some.
        var blocked = Enumerable.Range(0, Environment.ProcessorCount + 1).Select(_ => engine.Start((_, _) =>
        {
            Assert.True(release.Wait(TimeSpan.FromMinutes(1), Stop));
            return Task.FromResult(Completed);
        })).ToList();

        var others = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => engine.RunAsync("a line")));

        Assert.All(others, execution => Assert.Equal(ExecutionStatus.Completed, execution.State.Status));
        Assert.All(blocked, execution => Assert.False(execution.Completion.IsCompleted));
        release.Set();
        await Task.WhenAll(blocked.Select(execution => execution.Completion)).WaitAsync(Stop);
    }

    [Fact]
    public async Task CancelShowsAtOnceReachesTheBodyAndEndsInAResult()
    {
        using var engine = new Engine();
        var running = new TaskCompletionSource();
        var seen = new TaskCompletionSource();
        var unwind = new TaskCompletionSource();
        var execution = engine.Start(async (log, stop) =>
        {
            await using var registration = stop.Register(seen.SetResult);
            running.SetResult();
            await unwind.Task.WaitAsync(Stop);
            await log.WriteAsync("still said after the cancel", CancellationToken.None);
            stop.ThrowIfCancellationRequested();
            return Completed;
        });
        await running.Task.WaitAsync(Stop);

        Assert.True(engine.Registry.TryCancel(execution));
        Assert.Equal(ExecutionStatus.Canceled, execution.State.Status);
        Assert.NotNull(execution.State.CompletedAt);
        Assert.False(execution.Log.IsSealed);
        await seen.Task.WaitAsync(Stop);
        unwind.SetResult();
        var events = await Engine.ReadAsync(execution);

        Assert.Equal("still said after the cancel", events[^2].Text("message"));
        Assert.Equal("cancelled", events[^1].GetProperty("data").Text("status"));
        Assert.False(events[^1].GetProperty("data").TryGetProperty("error", out _));
        Assert.False(engine.Registry.TryCancel(execution));
    }

    [Fact]
    public async Task LateSuccessNeverOverwritesCancelled()
    {
        using var engine = new Engine();
        var running = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var execution = engine.Start(async (_, _) =>
        {
            running.SetResult();
            await goOn.Task;
            return Completed;
        });
        await running.Task.WaitAsync(Stop);

        Assert.True(engine.Registry.TryCancel(execution));
        goOn.SetResult();
        var result = await execution.Completion.WaitAsync(Stop);

        Assert.Equal(ExecutionStatus.Canceled, result.Status);
        Assert.Equal(ExecutionStatus.Canceled, execution.State.Status);
        Assert.Equal("cancelled", (await Engine.ReadAsync(execution))[^1].GetProperty("data").Text("status"));
    }

    [Fact]
    public async Task TenThousandRacesOfCancelAndSuccessEachHaveOneWinnerThatAllSee()
    {
        const int Races = 10_000;
        using var engine = new Engine(new ExecutionOptions { MaxFinished = 16 });
        var cancelled = 0;

        // Whoever won gets a later start next time, so that the two stay close together on any machine.
        var headStart = 0;
        for (var race = 0; race < Races; race++)
        {
            using var gun = new Barrier(2);
            var execution = engine.Start(async (log, _) =>
            {
                await log.WriteAsync("ready", CancellationToken.None);
                gun.SignalAndWait(Stop);
                Thread.SpinWait(headStart);
                return Completed;
            });

            gun.SignalAndWait(Stop);
            Thread.SpinWait(-headStart);
            var won = engine.Registry.TryCancel(execution);
            var atOnce = execution.State;
            var result = await execution.Completion.WaitAsync(Stop);
            var last = (await Engine.ReadAsync(execution))[^1];

            var expected = won ? ExecutionStatus.Canceled : ExecutionStatus.Completed;
            Assert.Equal(expected, atOnce.Status);
            Assert.Equal(expected, result.Status);
            Assert.Same(atOnce, execution.State);
            Assert.Equal(expected.ToWire(), last.GetProperty("data").Text("status"));
            Assert.False(engine.Registry.TryCancel(execution));
            cancelled += won ? 1 : 0;
            headStart += won ? -25 : 25;
        }

        // Both outcomes must have been raced, or the test has shown nothing.
        Assert.InRange(cancelled, 1, Races - 1);
    }

    [Fact]
    public async Task OfManyCancellersExactlyOneSucceeds()
    {
        using var engine = new Engine();
        var execution = engine.Start(async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return Completed;
        });

        var claims = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => engine.Registry.TryCancel(execution), Stop)));

        Assert.Single(claims, claimed => claimed);
        Assert.Equal(ExecutionStatus.Canceled, (await execution.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task ExecutionsOverTheLimitWaitAsPendingAndSaySo()
    {
        using var engine = new Engine(new ExecutionOptions { MaxConcurrent = 1 });
        var release = new TaskCompletionSource();
        var first = engine.Start(async (_, stop) =>
        {
            await release.Task.WaitAsync(stop);
            return Completed;
        });

        var second = engine.Start(async (log, stop) =>
        {
            await log.WriteAsync("my own line", stop);
            return Completed;
        });
        Assert.Equal(ExecutionStatus.Pending, second.State.Status);
        release.SetResult();
        var events = await Engine.ReadAsync(second);

        Assert.Equal(ExecutionStatus.Completed, first.State.Status);
        Assert.Equal(["status", "log", "status", "log", "log", "result"], events.Select(JsonEvents.Type));
        Assert.Equal("pending", events[0].Text("message"));
        Assert.Equal("Waiting for a free place: 1 executions run already, which is the limit", events[1].Text("message"));
        Assert.Equal("running", events[2].GetProperty("data").Text("status"));
        Assert.StartsWith("Running after ", events[3].Text("message"), StringComparison.Ordinal);
        Assert.Equal("my own line", events[4].Text("message"));
    }

    [Fact]
    public async Task PendingExecutionCanBeCancelledAndMoreThanTheLimitAreRefused()
    {
        using var engine = new Engine(new ExecutionOptions { MaxConcurrent = 1, MaxPending = 1 });
        var first = engine.Start(async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return Completed;
        });
        var second = engine.Start((_, _) => throw new InvalidOperationException("must not run"));

        var refusal = Assert.Throws<ExecutionInputException>(() => engine.Start((_, _) => Task.FromResult(Completed)));
        Assert.StartsWith("Too many executions: 1 run and 1 wait", refusal.Message, StringComparison.Ordinal);
        Assert.True(engine.Registry.TryCancel(second));
        Assert.Equal(ExecutionStatus.Canceled, (await second.Completion.WaitAsync(Stop)).Status);

        var third = engine.Start((_, _) => Task.FromResult(Completed));
        Assert.True(engine.Registry.TryCancel(first));
        Assert.Equal(ExecutionStatus.Completed, (await third.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task WhoFailsBeforeItWaitsForAPlaceIsNotCountedAmongThoseThatWait()
    {
        using var engine = new Engine(new ExecutionOptions { MaxConcurrent = 1, MaxPending = 1 });
        var end = new TaskCompletionSource<ExecutionResult>();
        var first = engine.Start((_, _) => end.Task);
        var failing = engine.Registry.Start(new ExecutionPlan(
            new ExecutionRequest { Kind = "test", Name = "failing" }, (_, _) => throw new InvalidOperationException("must not run"))
        {
            Announce = (_, _, _) => throw new InvalidOperationException("nothing to say"),
        });
        Assert.Equal(ExecutionStatus.Failed, (await failing.Completion.WaitAsync(Stop)).Status);

        var third = engine.Start((_, _) => Task.FromResult(Completed));
        end.SetResult(Completed);

        Assert.Equal(ExecutionStatus.Completed, (await third.Completion.WaitAsync(Stop)).Status);
        await first.Completion.WaitAsync(Stop);
    }

    [Fact]
    public async Task BodyThatTakesTooLongIsStoppedAndFails()
    {
        var time = new ManualTime();
        using var engine = new Engine(new ExecutionOptions { TimeLimit = TimeSpan.FromMinutes(1) }, time);
        var running = new TaskCompletionSource();
        var execution = engine.Start(async (_, stop) =>
        {
            running.SetResult();
            await Task.Delay(Timeout.Infinite, stop);
            return Completed;
        }, request => request with { TimeLimit = TimeSpan.FromSeconds(30) });
        await running.Task.WaitAsync(Stop);

        time.Advance(TimeSpan.FromSeconds(30));
        var result = await execution.Completion.WaitAsync(Stop);

        Assert.Equal(ExecutionStatus.Failed, result.Status);
        Assert.Equal("The execution took longer than its time limit of 30 s and was stopped", execution.State.Error);
    }

    [Fact]
    public async Task BodyThatDoesNotStopIsLeftBehindAfterTheGraceAndTheLogSaysSo()
    {
        using var engine = new Engine(new ExecutionOptions { CancelGrace = TimeSpan.FromMilliseconds(20) });
        var running = new TaskCompletionSource();
        var never = new TaskCompletionSource<ExecutionResult>();
        var execution = engine.Start((_, _) =>
        {
            running.SetResult();
            return never.Task;
        });
        await running.Task.WaitAsync(Stop);

        Assert.True(engine.Registry.TryCancel(execution));
        var result = await execution.Completion.WaitAsync(Stop);
        never.SetException(new InvalidOperationException("too late to matter"));

        Assert.Equal(ExecutionStatus.Canceled, result.Status);
        Assert.Equal("Did not stop within 0.02 s and was left behind", (await Engine.ReadAsync(execution))[^2].Text("message"));
    }

    [Fact]
    public async Task ExecutionThatAnotherWaitsForRunsOnItsPlace()
    {
        using var engine = new Engine(new ExecutionOptions { MaxConcurrent = 1, MaxPending = 1 });
        var (status, third) = (ExecutionStatus.Pending, (Execution?)null);
        var outer = engine.Start(async (_, stop) =>
        {
            third = engine.Start((_, _) => Task.FromResult(Completed));
            var inner = engine.Registry.StartInside(new ExecutionPlan(
                new ExecutionRequest { Kind = "test", Name = "inner" }, (_, _) => Task.FromResult(Completed)));
            status = inner.State.Status;
            return status == ExecutionStatus.Pending ? Completed : await inner.Completion.WaitAsync(stop);
        });

        await outer.Completion.WaitAsync(Stop);
        await third!.Completion.WaitAsync(Stop);

        Assert.NotEqual(ExecutionStatus.Pending, status);

        // It gave nothing back that it had not taken: the third one waited for the only place there is.
        Assert.Contains(await Engine.ReadAsync(third), frame => frame.Type() == "log" && frame.Text("message")!.StartsWith("Waiting for a free place", StringComparison.Ordinal));
        var (first, holds) = (new TaskCompletionSource(), new TaskCompletionSource<ExecutionResult>());
        var holding = engine.Start((_, _) =>
        {
            first.SetResult();
            return holds.Task;
        });
        await first.Task.WaitAsync(Stop);
        var waiting = engine.Start((_, _) => Task.FromResult(Completed));
        Assert.Equal(ExecutionStatus.Pending, waiting.State.Status);
        holds.SetResult(Completed);
        await waiting.Completion.WaitAsync(Stop);
        await holding.Completion.WaitAsync(Stop);
    }

    [Fact]
    public async Task LinesAfterTheEndAreDropped()
    {
        using var engine = new Engine();
        ExecutionLog? kept = null;
        var execution = engine.Start((log, _) =>
        {
            kept = log;
            return Task.FromResult(Completed);
        });
        await execution.Completion.WaitAsync(Stop);

        await kept!.WriteAsync("too late", Stop);

        Assert.Equal(["status", "result"], (await Engine.ReadAsync(execution)).Select(JsonEvents.Type));
    }

    [Fact]
    public async Task FinishedExecutionsAreForgottenByAge()
    {
        var time = new ManualTime();
        using var engine = new Engine(new ExecutionOptions { Retention = TimeSpan.FromMinutes(5) }, time);
        var old = await engine.RunAsync("a line");
        time.Advance(TimeSpan.FromMinutes(4));
        var young = await engine.RunAsync("a line");
        Assert.True(engine.Registry.TryFind(old.Id, out _));

        time.Advance(TimeSpan.FromMinutes(2));

        Assert.False(engine.Registry.TryFind(old.Id, out _));
        Assert.True(engine.Registry.TryFind(young.Id, out _));
    }

    [Fact]
    public async Task FinishedExecutionsAreForgottenByCountTheOldestFirst()
    {
        using var engine = new Engine(new ExecutionOptions { MaxFinished = 2 });

        var executions = new List<Execution>();
        for (var i = 0; i < 5; i++)
        {
            executions.Add(await engine.RunAsync($"run {i}"));
        }

        Assert.Equal([false, false, false, true, true], executions.Select(execution => engine.Registry.TryFind(execution.Id, out _)));
    }

    [Fact]
    public async Task WhatHasJustEndedIsFoundAlsoWhenRunningOnesHoldTheMemory()
    {
        using var engine = new Engine(new ExecutionOptions { TotalWindowBytes = 1024 * 1024, WindowBytes = 512 * 1024 });
        var running = new List<Execution>();
        for (var i = 0; i < 3; i++)
        {
            running.Add(engine.Start(async (log, stop) =>
            {
                for (var line = 0; line < 3_500; line++)
                {
                    await log.WriteAsync(new string('x', 100), stop);
                }

                await Task.Delay(Timeout.Infinite, stop);
                return Completed;
            }));
            while (running[^1].Log.LastSequence < 3_501)
            {
                await Task.Yield();
            }
        }

        var ended = new List<Execution>();
        for (var i = 0; i < 20; i++)
        {
            ended.Add(await engine.RunAsync("a line"));
        }

        Assert.All(ended, execution => Assert.True(engine.Registry.TryFind(execution.Id, out _)));
    }

    [Fact]
    public async Task OneThatIsBeingReadIsKeptAndThoseBehindItAreNot()
    {
        var time = new ManualTime();
        using var engine = new Engine(new ExecutionOptions { MaxFinished = 2 }, time);
        var first = await engine.RunAsync("read for long");
        using (first.Log.OpenCursor(1, new LogBell()))
        {
            for (var i = 0; i < 10; i++)
            {
                await engine.RunAsync("a line");
            }

            time.Advance(TimeSpan.FromSeconds(10));
            Assert.True(engine.Registry.TryFind(first.Id, out _));
            Assert.Equal(3, engine.Registry.List().Count);
        }

        time.Advance(TimeSpan.FromSeconds(10));

        Assert.False(engine.Registry.TryFind(first.Id, out _));
        Assert.Equal(2, engine.Registry.List().Count);
    }

    [Fact]
    public async Task MemoryOfForgottenLogsIsGivenBack()
    {
        using var engine = new Engine(new ExecutionOptions { MaxFinished = 0 });

        for (var i = 0; i < 20; i++)
        {
            await engine.RunAsync([.. Enumerable.Repeat(new string('x', 100), 5_000)]);
        }

        Assert.Equal(0, engine.Registry.LogBytes);
    }

    [Fact]
    public async Task AllLogsTogetherStayWithinTheTotalAndTheOldestFinishedGoFirst()
    {
        const int Total = 4 * 1024 * 1024;
        using var engine = new Engine(new ExecutionOptions { TotalWindowBytes = Total });

        var executions = new List<Execution>();
        for (var i = 0; i < 20; i++)
        {
            executions.Add(await engine.RunAsync([.. Enumerable.Repeat(new string('x', 100), 5_000)]));
            Assert.InRange(engine.Registry.LogBytes, 0, Total);
        }

        Assert.False(engine.Registry.TryFind(executions[0].Id, out _));
        Assert.True(engine.Registry.TryFind(executions[^1].Id, out _));
    }

    [Fact]
    public async Task RunningLogKeepsItsWindowAsLongAsFinishedOnesCanMakeRoom()
    {
        const int Total = 4 * 1024 * 1024;
        using var engine = new Engine(new ExecutionOptions { TotalWindowBytes = Total, WindowBytes = Total / 2 });
        string[] lines = [.. Enumerable.Repeat(new string('x', 100), 6_500)];
        for (var i = 0; i < 4; i++)
        {
            await engine.RunAsync(lines);
        }

        // Each of them takes some 1.5 MiB: the total is full, and the next run needs the room of those before it.
        var execution = await engine.RunAsync(lines);

        Assert.Equal(1, execution.Log.FirstSequence);
    }

    [Fact]
    public async Task ExecutionThatIsBeingReadIsKeptUntilItsReaderIsThrough()
    {
        using var engine = new Engine(new ExecutionOptions { MaxFinished = 0 });
        var goOn = new TaskCompletionSource();
        var execution = engine.Start(async (log, stop) =>
        {
            await log.WaitForReadersAsync(1, stop);
            await goOn.Task.WaitAsync(stop);
            await log.WriteAsync("a line", stop);
            return Completed;
        });
        await using var reader = execution.Log.ReadEventsAsync(1, Stop).GetAsyncEnumerator(Stop);
        Assert.True(await reader.MoveNextAsync());
        goOn.SetResult();
        await execution.Completion.WaitAsync(Stop);

        Assert.True(engine.Registry.TryFind(execution.Id, out _));
        var rest = 0;
        while (await reader.MoveNextAsync())
        {
            rest++;
        }

        await engine.RunAsync();
        Assert.Equal(2, rest);
        Assert.False(engine.Registry.TryFind(execution.Id, out _));
    }

    [Fact]
    public async Task StopCancelsWhatRunsAwaitsItsResultAndRefusesWhatIsNew()
    {
        using var engine = new Engine();
        var execution = engine.Start(async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return Completed;
        });

        await engine.Registry.StopAsync(Stop);

        Assert.True(execution.Log.IsSealed);
        Assert.Equal(ExecutionStatus.Canceled, execution.State.Status);
        Assert.Throws<ExecutionInputException>(() => engine.Start((_, _) => Task.FromResult(Completed)));
    }

    // Plugged-in code need not know of nullability.
    private static Task<ExecutionResult> NoTask()
    {
        Task<ExecutionResult>? none = null;
        return none!;
    }
}
