using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
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
    // Bounded by the executions there are: a key goes with its execution.
    private readonly ConcurrentDictionary<string, Execution> _keys = new();
    private readonly Lock _starting = new();
    private readonly string _epoch = NewEpoch();
    private readonly SemaphoreSlim _places;
    private readonly FinishedExecutions _finished;
    private readonly ExecutionOptions _options;
    private readonly SegmentPool _pool;
    private readonly ILogStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger<ExecutionRegistry> _logger;
    private long _started;
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

    /// <summary>
    /// Starts an execution and returns at once; its body runs on the pool. When there is one with the same
    /// <see cref="ExecutionRequest.IdempotencyKey"/> already, that one is given back and nothing is started.
    /// </summary>
    /// <exception cref="ExecutionInputException">Too many executions wait already, or the server is stopping.</exception>
    public Execution Start(ExecutionPlan plan)
    {
        if (plan.Request.IdempotencyKey is not { } key)
        {
            return StartNew(plan);
        }

        lock (_starting)
        {
            return _keys.TryGetValue(key, out var earlier) ? earlier : _keys[key] = StartNew(plan);
        }
    }

    /// <summary>Finds the execution that was started with this key, as long as it is retained.</summary>
    public bool TryFindByKey(string key, [NotNullWhen(true)] out Execution? execution) => _keys.TryGetValue(key, out execution);

    private Execution StartNew(ExecutionPlan plan)
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
        var execution = new Execution(
            Guid.NewGuid().ToString(), _epoch, Interlocked.Increment(ref _started), plan.Request, state, _options, _pool, _store, _time);
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
    public IReadOnlyList<Execution> List() => [.. _executions.Values.OrderByDescending(execution => execution.Number)];

    /// <summary>A page of the executions that match, the newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="cursor">Where the page before ended (<see cref="ExecutionPage.Next"/>); null: the first page.</param>
    /// <param name="limit">Executions at most.</param>
    /// <exception cref="ExecutionInputException">The cursor is none of this registry's.</exception>
    public ExecutionPage List(ExecutionFilter filter, string? cursor, int limit)
    {
        var before = long.MaxValue;
        var parts = cursor?.Split('-') ?? [];
        if (cursor is not null && (parts.Length != 2 || parts[0] != _epoch || !long.TryParse(parts[1], out before)))
        {
            throw new ExecutionInputException("The cursor is unknown or from before a restart; begin again without one");
        }

        List<Execution> found =
        [
            .. _executions.Values
                .Where(execution => execution.Number < before && filter.Matches(execution))
                .OrderByDescending(execution => execution.Number)
                .Take(limit + 1),
        ];
        return found.Count <= limit
            ? new ExecutionPage(found, Next: null)
            : new ExecutionPage(found[..limit], $"{_epoch}-{found[limit - 1].Number}");
    }

    /// <summary>Forgets an execution that has ended. False when it has not, or is gone already.</summary>
    public bool TryRemove(Execution execution)
    {
        if (!execution.Completion.IsCompleted || !_executions.ContainsKey(execution.Id))
        {
            return false;
        }

        Forget(execution);
        return true;
    }

    /// <summary>
    /// Cancels an execution that has not ended. False when it had ended or was cancelled before: its state then says how, and never
    /// changes again. Of many callers exactly one gets true.
    /// </summary>
    /// <param name="execution">What to cancel.</param>
    /// <param name="claimed">
    /// Called after the state shows <see cref="ExecutionStatus.Canceled"/> and before the body hears of it: what it sends comes before
    /// what the body says of its end.
    /// </param>
    /// <param name="reason">Why, for people; every later status of the execution says so.</param>
    public bool TryCancel(Execution execution, Action? claimed = null, string? reason = null)
    {
        if (TryClaim(execution, reason) is not { } source)
        {
            return false;
        }

        claimed?.Invoke();

        // Callbacks on the token are the body's code: they run on the pool and their faults stay there.
        _ = source.CancelAsync();
        return true;
    }

    /// <summary>Cancels several at once, as <see cref="TryCancel"/> does one.</summary>
    /// <param name="executions">What to cancel.</param>
    /// <param name="claimed">Called once with those that had not ended, before their bodies hear of it; not when there are none.</param>
    /// <param name="reason">Why, for people.</param>
    /// <returns>Those that had not ended.</returns>
    public IReadOnlyList<Execution> Cancel(
        IEnumerable<Execution> executions, Action<IReadOnlyList<Execution>>? claimed = null, string? reason = null)
    {
        var (taken, sources) = (new List<Execution>(), new List<CancellationTokenSource>());
        foreach (var execution in executions)
        {
            if (TryClaim(execution, reason) is { } source)
            {
                taken.Add(execution);
                sources.Add(source);
            }
        }

        if (taken.Count > 0)
        {
            claimed?.Invoke(taken);
        }

        sources.ForEach(source => _ = source.CancelAsync());
        return taken;
    }

    private CancellationTokenSource? TryClaim(Execution execution, string? reason)
    {
        lock (execution.Claim)
        {
            if (!_sources.TryRemove(execution.Id, out var source))
            {
                return null;
            }

            execution.State = execution.State with
            {
                Status = ExecutionStatus.Canceled,
                CompletedAt = _time.GetUtcNow(),
                CancelReason = reason,
            };
            return source;
        }
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

    // Six letters and digits: enough that no client meets the same twice, and short, since every server-sent event carries it.
    private static string NewEpoch() => string.Create(6, 0, (text, _) => RandomNumberGenerator.GetItems("abcdefghjkmnpqrstuvwxyz23456789", text));

    private void Forget(Execution execution)
    {
        if (_executions.TryRemove(execution.Id, out _))
        {
            if (execution.Request.IdempotencyKey is { } key)
            {
                _keys.TryRemove(key, out _);
            }

            execution.Log.Release();
        }
    }
}
