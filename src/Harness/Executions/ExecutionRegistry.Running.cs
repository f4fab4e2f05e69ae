using Microsoft.Extensions.Logging;

namespace Harness.Executions;

/// <content>One execution from its start to its result.</content>
public sealed partial class ExecutionRegistry
{
    private async Task RunAsync(Execution execution, CancellationTokenSource source)
    {
        var began = _time.GetTimestamp();

        // What is not stored is shown to nobody: there is no use in going on.
        execution.Log.OnFailure = () => _ = GiveUpAsync(execution, source);

        // Either this sees the failure, or the log writer sees whom to tell.
        Interlocked.MemoryBarrier();
        if (execution.Log.Failure is not null)
        {
            // The store refused the very first frame, faster than this.
            await GiveUpAsync(execution, source);
        }

        ExecutionResult result;
        try
        {
            result = await RunStintsAsync(execution, source);
        }
        catch (OperationCanceledException) when (source.IsCancellationRequested)
        {
            result = new ExecutionResult(ExecutionStatus.Canceled);
        }
        catch (Exception e)
        {
            LogBodyFailed(execution.Id, e);
            result = new ExecutionResult(ExecutionStatus.Failed, e.Message);
        }

        if (execution.HasPlace)
        {
            _places.Release();
        }

        if (IsLeft(execution, source, result))
        {
            await LeaveLogAsync(execution);
            return;
        }

        // A token cancelled by nobody's claim was cancelled by the timer, or because the store failed.
        if (result.Status != ExecutionStatus.Completed && source.IsCancellationRequested && execution.Log.Failure is null
            && _sources.ContainsKey(execution.Id))
        {
            var error = $"The execution took longer than its time limit of {TimeLimit(execution).TotalSeconds:0.###} s and was stopped";
            result = result with { Status = ExecutionStatus.Failed, Error = error };
        }

        result = await SealAsync(execution, result);
        if (!execution.IsKeptUnsaved)
        {
            _finished.Add(execution);
        }

        execution.Complete(result);
        _endings.Add(execution.Id, result.Status, _time.GetElapsedTime(began));
    }

    private Task GiveUpAsync(Execution execution, CancellationTokenSource source)
    {
        if (execution.Log.LastSequence == 0)
        {
            // Who started it is told that it was not: the next start with its key is a new one.
            GiveBackKey(execution);
        }

        return source.CancelAsync();
    }

    // From here on it ends, or is left: who comes to leave it later finds no plan.
    private bool IsLeft(Execution execution, CancellationTokenSource source, ExecutionResult result)
    {
        lock (execution.Claim)
        {
            (execution.Plan, execution.Stint) = (null, null);
            if (execution.IsLeft && result.Status == ExecutionStatus.Completed)
            {
                // It was through before it heard of that: there is nothing to go on with.
                execution.IsLeft = false;
                _sources[execution.Id] = source;
            }

            return execution.IsLeft;
        }
    }

    // False when it was cancelled or left in the moment in which it got a place: it does not begin, and has none.
    private async Task<bool> TryWaitForPlaceAsync(Execution execution, CancellationToken stop)
    {
        var since = _time.GetTimestamp();
        try
        {
            if (execution.Plan!.Announce is { } announce)
            {
                await announce(execution.Log, execution.Stint!, stop);
            }

            await execution.Log.WriteAsync($"Waiting for a free place: {_options.MaxConcurrent} executions run already, which is the limit", stop);
            await _places.WaitAsync(stop);
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }

        lock (execution.Claim)
        {
            if (execution.State.Status.IsFinal() || execution.IsLeft)
            {
                _places.Release();
                return false;
            }

            execution.HasPlace = true;
            execution.State = execution.State with { Status = ExecutionStatus.Running };
        }

        await execution.Log.WriteStatusAsync(execution.DescribeChange(), CancellationToken.None);
        await execution.Log.WriteAsync(
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Running after {_time.GetElapsedTime(since).TotalSeconds:0.0} s of waiting"),
            CancellationToken.None);
        return true;
    }

    private async Task<ExecutionResult> RunBodyAsync(Execution execution, ExecutionBody body, CancellationTokenSource source)
    {
        var began = _time.GetTimestamp();
        using var timer = _time.CreateTimer(
            static state => _ = ((CancellationTokenSource)state!).CancelAsync(), source, TimeLeft(execution), Timeout.InfiniteTimeSpan);
        var running = BeginAsync(body, execution.Log, source.Token);
        if (await HasUnwoundAsync(running, source.Token))
        {
            var result = await running;
            execution.Ran += _time.GetElapsedTime(began);
            return result is null || !(result.Status.IsFinal() || (result.Status == ExecutionStatus.Suspended && result.Suspension is not null))
                ? throw new InvalidOperationException("The body ended without a final status")
                : result;
        }

        LogAbandoned(execution.Id, _options.CancelGrace);
        _ = running.ContinueWith(
            static (task, _) => _ = task.Exception, null, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        await execution.Log.WriteAsync($"Did not stop within {_options.CancelGrace.TotalSeconds:0.###} s and was left behind", CancellationToken.None);
        return new ExecutionResult(ExecutionStatus.Canceled);
    }

    // Null when the body gives no task or no result: it is no use, but it compiles.
    private static async Task<ExecutionResult?> BeginAsync(ExecutionBody body, ExecutionLog log, CancellationToken stop)
    {
        await TurnQueue.ToBegin;
        return body(log, stop) is { } running ? await running : null;
    }

    private TimeSpan TimeLeft(Execution execution) =>
        TimeLimit(execution) is var limit && limit > execution.Ran ? limit - execution.Ran : TimeSpan.Zero;

    private TimeSpan TimeLimit(Execution execution) =>
        execution.Request.TimeLimit is { } wish && wish < _options.TimeLimit ? wish : _options.TimeLimit;

    /// <summary>Waits for the body to end: as long as it may run, and a while more once its token is cancelled.</summary>
    private async Task<bool> HasUnwoundAsync(Task running, CancellationToken stop)
    {
        if (running.IsCompleted)
        {
            return true;
        }

        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (stop.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), stopped))
        {
            await Task.WhenAny(running, stopped.Task);
        }

        if (!running.IsCompleted)
        {
            using var grace = new CancellationTokenSource(_options.CancelGrace, _time);
            await running.WaitAsync(grace.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return running.IsCompleted;
    }

    // The log writer asks for the result when every line is there, and shows it when it is stored.
    private async Task<ExecutionResult> SealAsync(Execution execution, ExecutionResult result)
    {
        ExecutionState? state = null;
        try
        {
            await execution.Log.SealAsync(new LogEnding(
                async (json, failure) =>
                {
                    (state, result) = Decide(execution, state, result, failure);
                    var quote = await execution.RenderEndAsync(json, state, result);
                    return new RenderedEnd(execution.Log.Archive is null ? null : EndOf(execution, state, result), quote);
                },
                () =>
                {
                    // Who reads the result can ask at once what is wrong with the store.
                    if (execution.Log.Archive is { IsUnsaved: true })
                    {
                        KeepUnsaved(execution);
                    }

                    execution.ShowEnd(state!, result);
                }));
        }
        catch (Exception e)
        {
            LogUnsealed(execution.Id, e);
            (state, result) = Decide(execution, state, result, e);
            execution.ShowEnd(state, result);
        }

        if (execution.Log.Failure is { } problem)
        {
            LogStoreFailed(execution.Id, problem);
        }

        return result;
    }

    // Who takes the source out decides: this, or a cancel before it. Asked again after a failure, the decision stands.
    private (ExecutionState State, ExecutionResult Result) Decide(
        Execution execution, ExecutionState? decided, ExecutionResult result, Exception? failure)
    {
        lock (execution.Claim)
        {
            if (decided is null && !_sources.TryRemove(execution.Id, out _))
            {
                return (execution.State, result with { Status = ExecutionStatus.Canceled, Error = null });
            }

            if (decided?.Status == ExecutionStatus.Canceled)
            {
                return (decided, result);
            }

            if (failure is not null)
            {
                result = new ExecutionResult(ExecutionStatus.Failed, $"The log could not be stored: {failure.Message}");
            }

            var state = execution.State with
            {
                Status = result.Status,
                Error = result.Status == ExecutionStatus.Failed ? result.Error ?? "It failed without saying why" : null,
                CompletedAt = _time.GetUtcNow(),
            };
            execution.Decided = state;
            if (execution.Log.Archive is null)
            {
                // Nothing can keep it from being shown.
                execution.State = state;
            }

            return (state, result);
        }
    }

    [LoggerMessage(2, LogLevel.Warning, "The body of execution {ExecutionId} failed")]
    private partial void LogBodyFailed(string executionId, Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "The body of execution {ExecutionId} did not stop within {Grace} of its cancellation; it was left behind")]
    private partial void LogAbandoned(string executionId, TimeSpan grace);

    [LoggerMessage(4, LogLevel.Error, "The log of execution {ExecutionId} could not be stored")]
    private partial void LogStoreFailed(string executionId, Exception exception);

    [LoggerMessage(8, LogLevel.Error, "The log of execution {ExecutionId} could not be ended")]
    private partial void LogUnsealed(string executionId, Exception exception);

    [LoggerMessage(5, LogLevel.Information, "Stopping: {Count} executions are cancelled and awaited")]
    private partial void LogStopping(int count);
}
