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
    // What runs, what ended lately, and without a store everything there is.
    private readonly ConcurrentDictionary<string, Execution> _executions = new();

    // The cancellation registry: who removes a source decides how its execution ends.
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _sources = new();

    // Bounded by the executions in memory: a key goes with its execution.
    private readonly ConcurrentDictionary<string, Execution> _keys = new();
    private readonly Lock _starting = new();
    private readonly SemaphoreSlim _places;
    private readonly FinishedExecutions _finished;
    private readonly LoadedExecutions _loaded = new();
    private readonly EndingsLog _endings;
    private readonly ExecutionOptions _options;
    private readonly SegmentPool _pool;
    private readonly IExecutionStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger<ExecutionRegistry> _logger;
    private string _epoch = LogEpoch.New();
    private long _started;
    private int _pending;
    private int _suspended;
    private volatile bool _stopping;

    /// <summary>Options are read once. A registry with a store takes executions after <see cref="OpenAsync(CancellationToken)"/>.</summary>
    public ExecutionRegistry(
        IOptions<ExecutionOptions> options, IExecutionStore store, TimeProvider time, ILogger<ExecutionRegistry> logger)
    {
        _options = options.Value;
        _store = store;
        _time = time;
        _logger = logger;
        _endings = new EndingsLog(logger, time);
        _places = new SemaphoreSlim(_options.MaxConcurrent);
        _pool = new SegmentPool(_options.TotalWindowBytes);
        _finished = store.IsPersistent
            ? new FinishedExecutions(InMemory, MaxInMemory, _pool, time, Forget)
            : new FinishedExecutions(_options.Retention, _options.MaxFinished, _pool, time, Forget);
        _pool.Relieve = _finished.Sweep;
    }

    /// <summary>Bytes of log frames held in memory by all executions together.</summary>
    public long LogBytes => _pool.Used;

    /// <summary>Executions that have not ended.</summary>
    public int ActiveCount => _sources.Count;

    /// <summary>
    /// Starts an execution; its body runs on the pool. When there is one with the same <see cref="ExecutionRequest.IdempotencyKey"/>
    /// already, that one is given back and nothing is started. Waits for the store only when there is a key that memory does not know.
    /// </summary>
    /// <exception cref="ExecutionInputException">Too many executions wait already, or the server is stopping.</exception>
    /// <exception cref="StoreException">The store cannot be asked for the key now.</exception>
    public async ValueTask<Execution> StartAsync(ExecutionPlan plan, CancellationToken cancellationToken = default) =>
        plan.Request.IdempotencyKey is { } key && await FindByKeyAsync(key, cancellationToken) is { } earlier ? earlier : Start(plan);

    /// <summary>As <see cref="StartAsync"/>, at once: keys of executions that only the store has are not looked for.</summary>
    /// <exception cref="ExecutionInputException">Too many executions wait already, or the server is stopping.</exception>
    public Execution Start(ExecutionPlan plan)
    {
        var (key, id) = (plan.Request.IdempotencyKey, plan.Request.Id);
        if (key is null && id is null)
        {
            return StartNew(plan);
        }

        lock (_starting)
        {
            if (key is not null && _keys.TryGetValue(key, out var earlier))
            {
                return earlier;
            }

            if (id is not null && _executions.ContainsKey(id))
            {
                throw new ExecutionInputException($"There is an execution {id} already");
            }

            return StartNew(plan);
        }
    }

    /// <summary>
    /// Starts one that a running execution waits for. It runs on that one's place and at once: if it needed one of its own, executions that
    /// wait for others could take all there are and wait for ever. Also while the server stops, as long as the other runs.
    /// </summary>
    public Execution StartInside(ExecutionPlan plan) => StartNew(plan, isInside: true);

    /// <summary>Finds the execution that was started with this key; null: none is kept.</summary>
    /// <exception cref="StoreException">The store cannot be asked now.</exception>
    public async ValueTask<Execution?> FindByKeyAsync(string key, CancellationToken cancellationToken = default) =>
        _keys.TryGetValue(key, out var execution) ? execution
            : _store.IsPersistent ? Load(await _store.FindByKeyAsync(key, cancellationToken))
            : null;

    private Execution StartNew(ExecutionPlan plan, bool isInside = false)
    {
        if (!isInside && plan.Suspendable is not null)
        {
            RefuseBesideSuspended();
        }

        var hasPlace = !isInside && TakePlace();
        var status = hasPlace || isInside ? ExecutionStatus.Running : ExecutionStatus.Pending;
        var state = new ExecutionState(status, _time.GetUtcNow(), CompletedAt: null, Error: null);
        var source = new CancellationTokenSource();
        var execution = Execution.Begin(_epoch, Interlocked.Increment(ref _started), plan.Request, state, _options, _pool, _store, _time);
        (execution.Plan, execution.Stint, execution.HasPlace, execution.IsInside) = (plan, new ExecutionStint(resume: null), hasPlace, isInside);
        _sources[execution.Id] = source;
        Hold(execution);
        if (_stopping && !isInside)
        {
            // It had its place before that began, and may have come too late to be seen by it. Its body's time limit ends the wait.
            _ = Outlives(execution) ? LeaveAsync(execution, CancellationToken.None) : Task.FromResult(TryCancel(execution));
        }

        // RunAsync never faults, and Completion says when it has ended.
        _ = RunAsync(execution, source);
        return execution;
    }

    /// <summary>Finds an execution that is in memory: every one that has not ended, and with no store all there are.</summary>
    public bool TryFind(string id, [NotNullWhen(true)] out Execution? execution) => _executions.TryGetValue(id, out execution);

    /// <summary>Finds a pending, running or retained execution; null: there is none.</summary>
    /// <exception cref="StoreException">The store cannot be asked now.</exception>
    public async ValueTask<Execution?> FindAsync(string id, CancellationToken cancellationToken = default) =>
        _executions.TryGetValue(id, out var execution) || _loaded.TryFind(id, out execution) ? execution
            : _store.IsPersistent ? Load(await _store.FindAsync(id, cancellationToken))
            : null;

    /// <summary>Executions in memory, the newest first.</summary>
    public IReadOnlyList<Execution> List() => [.. _executions.Values.OrderByDescending(execution => execution.Number)];

    /// <summary>A page of the executions that match, the newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="cursor">Where the page before ended (<see cref="ExecutionPage.Next"/>); null: the first page.</param>
    /// <param name="limit">Executions at most.</param>
    /// <param name="cancellationToken">Ends the wait for the store.</param>
    /// <exception cref="ExecutionInputException">The cursor is none of this registry's.</exception>
    /// <exception cref="StoreException">The store cannot be asked now.</exception>
    public async ValueTask<ExecutionPage> ListAsync(
        ExecutionFilter filter, string? cursor, int limit, CancellationToken cancellationToken = default)
    {
        var before = long.MaxValue;
        var parts = cursor?.Split('-') ?? [];
        if (cursor is not null && (parts.Length != 2 || parts[0] != _epoch || !long.TryParse(parts[1], out before)))
        {
            throw new ExecutionInputException("The cursor is unknown or from before a restart; begin again without one");
        }

        // In memory first: what leaves it meanwhile is in the store then.
        var found = _executions.Values.Where(execution => execution.Number < before && filter.Matches(execution)).ToList();
        if (_store.IsPersistent)
        {
            found.AddRange(await ListStoredAsync(filter, before, limit + 1, cancellationToken));
        }

        var page = found.DistinctBy(execution => execution.Number).OrderByDescending(execution => execution.Number).Take(limit + 1).ToList();
        return page.Count <= limit
            ? new ExecutionPage(page, Next: null)
            : new ExecutionPage(page[..limit], $"{_epoch}-{page[limit - 1].Number}");
    }

    /// <summary>Forgets an execution that has ended, in memory and in the store. False when it has not, or is gone already.</summary>
    /// <exception cref="StoreException">The store cannot delete it now.</exception>
    public async ValueTask<bool> RemoveAsync(Execution execution, CancellationToken cancellationToken = default)
    {
        if (!execution.Completion.IsCompleted)
        {
            return false;
        }

        var wasStored = _store.IsPersistent && await (_unsaved.ContainsKey(execution)
            ? DeleteUnsavedAsync(execution, cancellationToken)
            : DeleteStoredAsync(execution, cancellationToken));
        return Drop(execution.Id, execution.Number) || wasStored;
    }

    /// <summary>
    /// Refuses new executions, cancels all that run and waits until each has its result. Those that can go on in the next process are
    /// suspended instead, and wait for it.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait; what still runs then is left behind.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        var active = _executions.Values.Where(execution => !execution.Completion.IsCompleted).ToList();
        var leaving = active.Where(Outlives).ToList();

        // What others wait for is theirs to end: cancelled before them, it would fail those that could go on later.
        var inside = active.Where(execution => execution.IsInside).ToList();

        // Those that wait for a place are left at once and first: none is to begin with what another gives back.
        var left = leaving.OrderByDescending(execution => execution.State.Status == ExecutionStatus.Pending)
            .Select(execution => LeaveAsync(execution, cancellationToken)).ToList();
        foreach (var execution in active.Except(leaving).Except(inside))
        {
            TryCancel(execution);
        }

        if (active.Count > leaving.Count)
        {
            LogStopping(active.Count - leaving.Count);
        }

        await Task.WhenAll(left);
        foreach (var execution in inside)
        {
            TryCancel(execution);
        }

        // Also those that were being started in this moment.
        while (_executions.Values.Where(execution => !execution.Gone.IsCompleted).Select(execution => execution.Gone).ToList() is { Count: > 0 } last)
        {
            await Task.WhenAll(last).WaitAsync(cancellationToken);
        }

        await SaveAsync(cancellationToken);
    }

    /// <summary>Stops the retention timer.</summary>
    public void Dispose()
    {
        _saving.Cancel();
        _saving.Dispose();
        _saveTurn.Dispose();
        _finished.Dispose();
        _endings.Dispose();
        _places.Dispose();
    }

    private void Forget(Execution execution)
    {
        if (_executions.TryRemove(KeyValuePair.Create(execution.Id, execution)))
        {
            _finished.Remove(execution);
            GiveBackKey(execution);
            execution.Log.Release(execution.DescribeEnd);
        }
    }

    private void GiveBackKey(Execution execution)
    {
        if (execution.Request.IdempotencyKey is { } key)
        {
            _keys.TryRemove(KeyValuePair.Create(key, execution));
        }
    }
}
