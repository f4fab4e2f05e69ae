using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Harness.Executions;

/// <summary>
/// Starts, finds, lists and cancels executions, and forgets finished ones after a while. Thread-safe. The one place where what a body
/// throws becomes a status.
/// </summary>
public sealed partial class ExecutionRegistry : IDisposable
{
    private readonly ConcurrentDictionary<string, Execution> _executions = new();

    // The cancellation registry: who removes a source decides how its execution ends.
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _sources = new();
    private readonly SemaphoreSlim _places;
    private readonly FinishedExecutions _finished;
    private readonly ExecutionOptions _options;
    private readonly SegmentPool _pool;
    private readonly ILogStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger<ExecutionRegistry> _logger;
    private int _pending;
    private volatile bool _stopping;

    /// <summary>Options are read once.</summary>
    public ExecutionRegistry(
        IOptions<ExecutionOptions> options, ILogStore store, TimeProvider time, ILogger<ExecutionRegistry> logger)
    {
        _options = options.Value;
        _store = store;
        _time = time;
        _logger = logger;
        _places = new SemaphoreSlim(_options.MaxConcurrent);
        _pool = new SegmentPool(_options.TotalWindowBytes);
        _finished = new FinishedExecutions(_options, _pool, time, Forget);
        _pool.Relieve = _finished.Sweep;
    }

    /// <summary>Bytes of log frames held in memory by all executions together.</summary>
    public long LogBytes => _pool.Used;

    /// <summary>Executions that have not ended.</summary>
    public int ActiveCount => _sources.Count;

    /// <summary>Starts an execution and returns at once; its body runs on the pool.</summary>
    /// <exception cref="ExecutionInputException">Too many executions wait already, or the server is stopping.</exception>
    public Execution Start(ExecutionPlan plan)
    {
        if (_stopping)
        {
            throw new ExecutionInputException("The server is stopping and starts nothing new; send this again when it is back");
        }

        var hasPlace = _places.Wait(0);
        if (!hasPlace && Interlocked.Increment(ref _pending) > _options.MaxPending)
        {
            Interlocked.Decrement(ref _pending);
            throw new ExecutionInputException(
                $"Too many executions: {_options.MaxConcurrent} run and {_options.MaxPending} wait; send this again when some have ended");
        }

        var status = hasPlace ? ExecutionStatus.Running : ExecutionStatus.Pending;
        var state = new ExecutionState(status, _time.GetUtcNow(), CompletedAt: null, Error: null);
        var execution = new Execution(Guid.NewGuid().ToString(), plan.Request, state, _options, _pool, _store, _time);
        var source = new CancellationTokenSource();
        _sources[execution.Id] = source;
        _executions[execution.Id] = execution;

        // RunAsync never faults, and Completion says when it has ended.
        _ = RunAsync(execution, plan.Body, source, hasPlace);
        return execution;
    }

    /// <summary>Finds a pending, running or retained execution.</summary>
    public bool TryFind(string id, [NotNullWhen(true)] out Execution? execution) => _executions.TryGetValue(id, out execution);

    /// <summary>All executions there are, the newest first.</summary>
    public IReadOnlyList<Execution> List() => [.. _executions.Values.OrderByDescending(execution => execution.State.StartedAt)];

    /// <summary>
    /// Cancels an execution that has not ended. False when it had ended or was cancelled before: its state then says how, and never
    /// changes again. Of many callers exactly one gets true.
    /// </summary>
    /// <param name="execution">What to cancel.</param>
    /// <param name="claimed">
    /// Called after the state shows <see cref="ExecutionStatus.Canceled"/> and before the body hears of it: what it sends comes before
    /// what the body says of its end.
    /// </param>
    public bool TryCancel(Execution execution, Action? claimed = null)
    {
        CancellationTokenSource? source;
        lock (execution.Claim)
        {
            if (!_sources.TryRemove(execution.Id, out source))
            {
                return false;
            }

            execution.State = execution.State with { Status = ExecutionStatus.Canceled, CompletedAt = _time.GetUtcNow() };
        }

        claimed?.Invoke();

        // Callbacks on the token are the body's code: they run on the pool and their faults stay there.
        _ = source.CancelAsync();
        return true;
    }

    /// <summary>Refuses new executions, cancels all that run and waits until each has its result.</summary>
    /// <param name="cancellationToken">Ends the wait; what still runs then is left behind.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        var active = _executions.Values.Where(execution => !execution.Completion.IsCompleted).ToList();
        foreach (var execution in active)
        {
            TryCancel(execution);
        }

        if (active.Count > 0)
        {
            LogStopping(active.Count);
        }

        await Task.WhenAll(active.Select(execution => execution.Completion)).WaitAsync(cancellationToken);
    }

    /// <summary>Stops the retention timer.</summary>
    public void Dispose()
    {
        _finished.Dispose();
        _places.Dispose();
    }

    private async Task RunAsync(Execution execution, ExecutionBody body, CancellationTokenSource source, bool hasPlace)
    {
        var began = _time.GetTimestamp();
        ExecutionResult result;
        try
        {
            if (!hasPlace)
            {
                await WaitForPlaceAsync(execution, source.Token);
                hasPlace = true;
            }

            result = await RunBodyAsync(execution, body, source);
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

        if (hasPlace)
        {
            _places.Release();
        }

        // A token cancelled by nobody's claim was cancelled by the timer.
        if (result.Status != ExecutionStatus.Completed && source.IsCancellationRequested && _sources.ContainsKey(execution.Id))
        {
            var error = $"The execution took longer than its time limit of {TimeLimit(execution).TotalSeconds:0.###} s and was stopped";
            result = result with { Status = ExecutionStatus.Failed, Error = error };
        }

        result = await SealAsync(execution, result);
        _finished.Add(execution);
        execution.Complete(result);
        LogEnded(execution.Id, result.Status, _time.GetElapsedTime(began).TotalMilliseconds);
    }

    private async Task WaitForPlaceAsync(Execution execution, CancellationToken stop)
    {
        var since = _time.GetTimestamp();
        try
        {
            await execution.Log.WriteAsync($"Waiting for a free place: {_options.MaxConcurrent} executions run already, which is the limit", stop);
            await _places.WaitAsync(stop);
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }

        lock (execution.Claim)
        {
            if (!execution.State.Status.IsFinal())
            {
                execution.State = execution.State with { Status = ExecutionStatus.Running };
            }
        }

        await execution.Log.WriteStatusAsync(execution.DescribeChange(), CancellationToken.None);
        await execution.Log.WriteAsync(
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Running after {_time.GetElapsedTime(since).TotalSeconds:0.0} s of waiting"),
            CancellationToken.None);
    }

    private async Task<ExecutionResult> RunBodyAsync(Execution execution, ExecutionBody body, CancellationTokenSource source)
    {
        using var timer = _time.CreateTimer(
            static state => _ = ((CancellationTokenSource)state!).CancelAsync(), source, TimeLimit(execution), Timeout.InfiniteTimeSpan);
        var running = Task.Run(() => body(execution.Log, source.Token), CancellationToken.None);
        if (await HasUnwoundAsync(running, source.Token))
        {
            var result = await running;
            return result is null || !result.Status.IsFinal()
                ? throw new InvalidOperationException("The body ended without a final status")
                : result;
        }

        LogAbandoned(execution.Id, _options.CancelGrace);
        _ = running.ContinueWith(
            static (task, _) => _ = task.Exception, null, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        await execution.Log.WriteAsync($"Did not stop within {_options.CancelGrace.TotalSeconds:0.###} s and was left behind", CancellationToken.None);
        return new ExecutionResult(ExecutionStatus.Canceled);
    }

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

    // The log writer calls the renderer when every line is there: only then the final state shows, unless cancel has claimed it.
    private async Task<ExecutionResult> SealAsync(Execution execution, ExecutionResult result)
    {
        try
        {
            await execution.Log.SealAsync(() =>
            {
                result = Decide(execution, result);
                return execution.End(result);
            });
        }
        catch (Exception e)
        {
            LogStoreFailed(execution.Id, e);
            result = Decide(execution, new ExecutionResult(ExecutionStatus.Failed, $"The log could not be stored: {e.Message}"));
        }

        return result;
    }

    private ExecutionResult Decide(Execution execution, ExecutionResult result)
    {
        lock (execution.Claim)
        {
            if (!_sources.TryRemove(execution.Id, out _))
            {
                return result with { Status = ExecutionStatus.Canceled, Error = null };
            }

            execution.State = execution.State with
            {
                Status = result.Status,
                Error = result.Status == ExecutionStatus.Failed ? result.Error ?? "It failed without saying why" : null,
                CompletedAt = _time.GetUtcNow(),
            };
            return result;
        }
    }

    private void Forget(Execution execution)
    {
        if (_executions.TryRemove(execution.Id, out _))
        {
            execution.Log.Release();
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Execution {ExecutionId} ended {Status} after {ElapsedMs:0} ms")]
    private partial void LogEnded(string executionId, ExecutionStatus status, double elapsedMs);

    [LoggerMessage(2, LogLevel.Warning, "The body of execution {ExecutionId} failed")]
    private partial void LogBodyFailed(string executionId, Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "The body of execution {ExecutionId} did not stop within {Grace} of its cancellation; it was left behind")]
    private partial void LogAbandoned(string executionId, TimeSpan grace);

    [LoggerMessage(4, LogLevel.Error, "The log of execution {ExecutionId} could not be stored")]
    private partial void LogStoreFailed(string executionId, Exception exception);

    [LoggerMessage(5, LogLevel.Information, "Stopping: {Count} executions are cancelled and awaited")]
    private partial void LogStopping(int count);
}
