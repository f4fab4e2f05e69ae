using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;

namespace Harness.Executions;

/// <content>What has to do with the store: opening it, finding in it, and what it did not take.</content>
public sealed partial class ExecutionRegistry
{
    // With a store memory need not keep finished executions: those that are asked for right after their end are spared a read.
    private const int MaxInMemory = 1_000;

    // Ends that the store has not taken wait here, each with its log in memory. When there are so many nothing new is started.
    private const int MaxUnsaved = 1_000;

    private const int MaxEndedAtOnce = 64;

    private static readonly TimeSpan InMemory = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SaveInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Execution, byte> _unsaved = new();
    private readonly CancellationTokenSource _saving = new();
    private readonly SemaphoreSlim _saveTurn = new(1);
    private int _isSaving;
    private volatile string? _storeProblem;

    /// <summary>False when memory is all there is.</summary>
    public bool IsPersistent => _store.IsPersistent;

    /// <summary>What keeps the store from taking the ends of executions, or new ones; null: nothing.</summary>
    public string? StoreProblem => (_unsaved.IsEmpty ? null : _storeProblem) ?? _store.Problem;

    /// <summary>
    /// Opens the store. Executions that were under way when the process before this one ended get a last line and a <c>failed</c> result
    /// that says so. Call it once, before the first start.
    /// </summary>
    /// <exception cref="StoreException">The store cannot be used, and what to do about it.</exception>
    public Task OpenAsync(CancellationToken cancellationToken) => OpenAsync([], cancellationToken);

    /// <summary>As the other; executions of kinds that can restore them go on.</summary>
    /// <param name="kinds">All kinds there are.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <exception cref="StoreException">The store cannot be used, and what to do about it.</exception>
    public async Task OpenAsync(IEnumerable<IExecutionKind> kinds, CancellationToken cancellationToken)
    {
        _restorable = kinds.OfType<IRestorableKind>().ToDictionary(kind => kind.Name, StringComparer.Ordinal);
        var opening = await _store.OpenAsync(cancellationToken);
        (_epoch, _started) = (opening.Epoch, opening.LastNumber);
        if (opening.Unfinished.Count > 0)
        {
            LogUnfinished(opening.Unfinished.Count);
        }

        await Parallel.ForEachAsync(
            opening.Unfinished,
            new ParallelOptions { MaxDegreeOfParallelism = MaxEndedAtOnce, CancellationToken = cancellationToken },
            async (stored, stop) => await GoOnAsync(stored, stop));
    }

    /// <summary>Deletes what a rule no longer keeps, in the store and in memory.</summary>
    /// <exception cref="StoreException">The store cannot do it now.</exception>
    public async Task<SweepOutcome> SweepAsync(RetentionRule rule, CancellationToken cancellationToken)
    {
        if (!_store.IsPersistent)
        {
            return new SweepOutcome([], [], 0);
        }

        var outcome = await _store.SweepAsync(rule, cancellationToken);
        foreach (var deleted in outcome.Deleted)
        {
            Drop(deleted.Id, deleted.Number);
        }

        foreach (var trimmed in outcome.Trimmed)
        {
            Trim(trimmed.Id, trimmed.Number, trimmed.FirstSequence);
        }

        if (outcome.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return outcome;
    }

    private async Task<bool> DeleteStoredAsync(Execution execution, CancellationToken cancellationToken)
    {
        try
        {
            return await _store.DeleteAsync(execution.Number, cancellationToken);
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            await SeeWhatIsLeftAsync(execution);
            throw;
        }
    }

    private async Task SeeWhatIsLeftAsync(Execution execution)
    {
        try
        {
            if (await _store.FindAsync(execution.Id, CancellationToken.None) is { } left)
            {
                Trim(execution.Id, execution.Number, left.FirstSequence);
            }
            else if (!_unsaved.ContainsKey(execution))
            {
                Drop(execution.Id, execution.Number);
            }
        }
        catch (StoreException)
        {
            // Readers find out, then.
        }
    }

    private void Trim(string id, long number, long first)
    {
        if ((TryFind(id, out var execution) || _loaded.TryFind(id, out execution)) && execution.Number == number)
        {
            execution.Log.Archive?.Trim(first);
        }
    }

    private async Task EndBrokenOffAsync(Execution execution, string error)
    {
        var state = execution.State with { Status = ExecutionStatus.Failed, CompletedAt = _time.GetUtcNow(), Error = error };
        var result = new ExecutionResult(ExecutionStatus.Failed, error);
        await execution.Log.WriteAsync($"{error}; it was not started again", CancellationToken.None);
        await execution.Log.SealAsync(new LogEnding(
            async (json, failure) =>
            {
                // On a full disk the server has to start, or nothing could be deleted: this end is kept until there is room.
                if (failure is not (null or StoreException { IsTransient: true }))
                {
                    throw failure;
                }

                var quote = await execution.RenderEndAsync(json, state, result);
                return new RenderedEnd(EndOf(execution, state, result), quote);
            },
            () => execution.ShowEnd(state, result)));
        execution.Complete(result);
        if (execution.Log.Archive!.IsUnsaved)
        {
            Hold(execution);
            KeepUnsaved(execution);
        }
        else
        {
            execution.Log.Release(execution.DescribeEnd);
        }
    }

    // Before it runs: it may be forgotten as soon as it has ended, and its key with it.
    private void Hold(Execution execution)
    {
        _executions[execution.Id] = execution;
        if (execution.Request.IdempotencyKey is { } key)
        {
            _keys[key] = execution;
        }
    }

    private static StoredEnd EndOf(Execution execution, ExecutionState state, ExecutionResult result) => new(
        state.Status,
        state.CompletedAt!.Value,
        state.Error,
        state.CancelReason,
        execution.Request.ClosingLine?.Invoke(state),
        result.Details,
        LastSequence: 0,
        Bytes: 0);

    private Execution? Load(StoredExecution? stored)
    {
        if (stored?.End is null)
        {
            // One without an end is in memory, and was there before the store was asked.
            return stored is not null && TryFind(stored.Id, out var running) ? running : null;
        }

        return _loaded.Add(Execution.Load(stored, _options, _pool, _store, _time));
    }

    // One without details is for its list alone: who finds the execution later wants all of it.
    private Execution LoadBriefly(StoredExecution stored) =>
        _loaded.TryFind(stored.Id, out var execution) ? execution : Execution.Load(stored, _options, _pool, _store, _time);

    private async ValueTask<List<Execution>> ListStoredAsync(
        ExecutionFilter filter, long before, int wanted, CancellationToken cancellationToken)
    {
        var found = new List<Execution>();
        while (found.Count < wanted)
        {
            var page = await _store.ListAsync(filter, before, wanted, cancellationToken);

            // What is in memory has been looked at: there it may be further than in the store.
            found.AddRange(page
                .Where(stored => stored.End is not null && !_executions.ContainsKey(stored.Id))
                .Select(stored => filter.WithoutDetails ? LoadBriefly(stored) : Load(stored)!));
            if (page.Count < wanted)
            {
                break;
            }

            before = page[^1].Number;
        }

        return found;
    }

    // By its number, too: once it is deleted, an other may have its id.
    private bool Drop(string id, long number)
    {
        _loaded.Remove(id, number);
        if (!_executions.TryGetValue(id, out var execution) || execution.Number != number)
        {
            return false;
        }

        Forget(execution);
        return true;
    }

    private void RefuseWhileUnsaved()
    {
        if (_unsaved.Count >= MaxUnsaved)
        {
            throw new ExecutionInputException(
                $"The store takes nothing ({_storeProblem}), and {_unsaved.Count} results wait for it; send this again when it works")
            {
                IsForNow = true,
            };
        }
    }

    // Its readers have seen a result that the store does not have: it stays in memory and is offered again.
    private void KeepUnsaved(Execution execution)
    {
        execution.IsKeptUnsaved = true;
        _storeProblem = execution.Log.Failure?.Message;
        _unsaved.TryAdd(execution, 0);
        if (Interlocked.Exchange(ref _isSaving, 1) == 0)
        {
            _ = SaveRegularlyAsync(_saving.Token);
        }
    }

    private async Task SaveRegularlyAsync(CancellationToken stop)
    {
        do
        {
            while (!_unsaved.IsEmpty && !stop.IsCancellationRequested)
            {
                await Task.Delay(SaveInterval, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await SaveAsync(stop);
            }

            // One that comes now either finds nobody saving, or is seen below.
            Interlocked.Exchange(ref _isSaving, 0);
        }
        while (!_unsaved.IsEmpty && !stop.IsCancellationRequested && Interlocked.Exchange(ref _isSaving, 1) == 0);
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        foreach (var execution in _unsaved.Keys)
        {
            try
            {
                await SaveAsync(execution, cancellationToken);
            }
            catch (Exception e) when (e is StoreException or OperationCanceledException)
            {
                _storeProblem = e.Message;
                return;
            }
        }

        LogSaved();
    }

    private async Task SaveAsync(Execution execution, CancellationToken cancellationToken)
    {
        // What is deleted in this moment must not be saved after that.
        await _saveTurn.WaitAsync(cancellationToken);
        try
        {
            if (_unsaved.ContainsKey(execution))
            {
                await execution.Log.Archive!.SaveAsync(cancellationToken);
            }
        }
        catch (StoreException e) when (e.IsForGood)
        {
            // Those behind it are not to wait for what will never be.
            LogNeverSaved(execution.Id, e.Message);
        }
        finally
        {
            _saveTurn.Release();
        }

        if (_unsaved.TryRemove(execution, out _))
        {
            _finished.Add(execution);
        }
    }

    private async Task<bool> DeleteUnsavedAsync(Execution execution, CancellationToken cancellationToken)
    {
        await _saveTurn.WaitAsync(cancellationToken);
        try
        {
            var wasStored = await DeleteStoredAsync(execution, cancellationToken);
            _unsaved.TryRemove(execution, out _);
            return wasStored;
        }
        finally
        {
            _saveTurn.Release();
        }
    }

    [LoggerMessage(6, LogLevel.Warning, "{Count} executions had no end when the server stopped: those that can go on do, the others end as failed")]
    private partial void LogUnfinished(int count);

    [LoggerMessage(11, LogLevel.Error, "The result of execution {ExecutionId} will never be in the store, and is gone when memory forgets it: {Reason}")]
    private partial void LogNeverSaved(string executionId, string reason);

    [LoggerMessage(7, LogLevel.Debug, "The store has the results of all executions that ended")]
    private partial void LogSaved();
}
