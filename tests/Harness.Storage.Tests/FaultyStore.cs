using System.Collections.Concurrent;
using Harness.Executions;

namespace Harness.Storage.Tests;

/// <summary>A store that fails or stands still when a test says so, and otherwise does what the one behind it does.</summary>
public sealed class FaultyStore(IExecutionStore inner) : IExecutionStore
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _blocked;
    private StoreException? _appendError;
    private StoreException? _readError;
    private int _failures;
    private bool _keepsFirst;

    public bool IsPersistent => inner.IsPersistent;

    public string? Problem => inner.Problem;

    /// <summary>Appends that have come so far, failed ones too.</summary>
    public int Appends { get; private set; }

    /// <summary>Filters of the lists that were asked for so far.</summary>
    public ConcurrentQueue<ExecutionFilter> Lists { get; } = [];

    /// <summary>What everyone who looks for an id waits for; called with that id.</summary>
    public Func<string, Task> Finding { get; set; } = _ => Task.CompletedTask;

    /// <summary>From now on appends fail, <paramref name="times"/> of them.</summary>
    /// <param name="error">With this.</param>
    /// <param name="times">How many.</param>
    /// <param name="keepsFirst">True: they are kept all the same, as when a connection is lost behind a commit.</param>
    public void FailAppends(StoreException error, int times = int.MaxValue, bool keepsFirst = false)
    {
        lock (_gate)
        {
            (_appendError, _failures, _keepsFirst) = (error, times, keepsFirst);
        }
    }

    /// <summary>From now on everything that reads fails.</summary>
    public void FailReads(StoreException error) => Volatile.Write(ref _readError, error);

    /// <summary>From now on nothing fails.</summary>
    public void Heal()
    {
        lock (_gate)
        {
            _failures = 0;
        }

        Volatile.Write(ref _readError, null);
    }

    /// <summary>From now on every call stands still until <see cref="Release"/>.</summary>
    public void Block() => Interlocked.CompareExchange(ref _blocked, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);

    /// <summary>What stands still goes on.</summary>
    public void Release() => Interlocked.Exchange(ref _blocked, null)?.SetResult();

    public Task<StoreOpening> OpenAsync(CancellationToken cancellationToken) => inner.OpenAsync(cancellationToken);

    public async ValueTask AppendAsync(StoreAppend append, CancellationToken cancellationToken)
    {
        await PassAsync(cancellationToken);
        StoreException? error;
        lock (_gate)
        {
            Appends++;
            error = _failures > 0 ? _appendError : null;
            _failures -= error is null ? 0 : 1;
        }

        if (error is null || _keepsFirst)
        {
            await inner.AppendAsync(append, cancellationToken);
        }

        if (error is not null)
        {
            throw error;
        }
    }

    public async ValueTask<IReadOnlyList<StoredFrames>> ReadAsync(long execution, long from, int maxBytes, CancellationToken cancellationToken)
    {
        await PassToReadAsync(cancellationToken);
        return await inner.ReadAsync(execution, from, maxBytes, cancellationToken);
    }

    public async ValueTask<IReadOnlyList<StoredFrames>> ReadBackwardAsync(
        long execution, long before, int maxBytes, CancellationToken cancellationToken)
    {
        await PassToReadAsync(cancellationToken);
        return await inner.ReadBackwardAsync(execution, before, maxBytes, cancellationToken);
    }

    public async ValueTask<StoredExecution?> FindAsync(string id, CancellationToken cancellationToken)
    {
        await PassToReadAsync(cancellationToken);
        await Finding(id);
        return await inner.FindAsync(id, cancellationToken);
    }

    public async ValueTask<StoredExecution?> FindByKeyAsync(string key, CancellationToken cancellationToken)
    {
        await PassToReadAsync(cancellationToken);
        return await inner.FindByKeyAsync(key, cancellationToken);
    }

    public async ValueTask<IReadOnlyList<StoredExecution>> ListAsync(
        ExecutionFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        await PassToReadAsync(cancellationToken);
        Lists.Enqueue(filter);
        return await inner.ListAsync(filter, before, limit, cancellationToken);
    }

    public async ValueTask<bool> DeleteAsync(long execution, CancellationToken cancellationToken)
    {
        await PassAsync(cancellationToken);
        return await inner.DeleteAsync(execution, cancellationToken);
    }

    public async ValueTask<SweepOutcome> SweepAsync(RetentionRule rule, CancellationToken cancellationToken)
    {
        await PassAsync(cancellationToken);
        return await inner.SweepAsync(rule, cancellationToken);
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private Task PassAsync(CancellationToken cancellationToken) =>
        Volatile.Read(ref _blocked) is { } blocked ? blocked.Task.WaitAsync(cancellationToken) : Task.CompletedTask;

    private async Task PassToReadAsync(CancellationToken cancellationToken)
    {
        await PassAsync(cancellationToken);
        if (Volatile.Read(ref _readError) is { } error)
        {
            throw error;
        }
    }
}
