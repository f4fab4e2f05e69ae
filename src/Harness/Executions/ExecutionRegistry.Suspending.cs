using System.Text.Json;

namespace Harness.Executions;

/// <content>Suspending and resuming: a body that has ended for now, and what goes on later.</content>
public sealed partial class ExecutionRegistry
{
    /// <summary>
    /// Asks the body to stop where it can go on later, and waits until it has. While it is suspended it has no place among the concurrent
    /// bodies, and its time limit stands still.
    /// </summary>
    /// <param name="execution">What to suspend.</param>
    /// <param name="reason">Why, for people; null: nothing is said.</param>
    /// <param name="cancellationToken">Ends the wait; it may still be suspended then.</param>
    /// <returns>The suspension; null when it does not run, cannot be suspended, or ended in this moment.</returns>
    public async ValueTask<ExecutionSuspension?> SuspendAsync(Execution execution, string? reason, CancellationToken cancellationToken = default)
    {
        // Before it is asked: it may suspend itself in this moment.
        var from = execution.Log.LastSequence + 1;
        ExecutionStint stint;
        lock (execution.Claim)
        {
            if (execution.State.Status != ExecutionStatus.Running
                || execution.Plan is not { Suspendable: not null }
                || execution.Stint is null
                || !_sources.ContainsKey(execution.Id))
            {
                return null;
            }

            stint = execution.Stint;
        }

        stint.AskToSuspend(reason);
        if (await stint.Ended.WaitAsync(cancellationToken) is { } suspension && await IsStoredAsync(execution.Log, from, isSuspended: true, cancellationToken))
        {
            return suspension;
        }

        await execution.Completion.WaitAsync(cancellationToken);
        return null;
    }

    /// <summary>As <see cref="TryResume"/>, and waits until the log has it: who is told of it may rely on that after a crash.</summary>
    /// <exception cref="ExecutionInputException">It cannot go on with that, too many executions wait already, or the server is stopping.</exception>
    /// <exception cref="StoreException">The store did not take it, and the execution fails therefore.</exception>
    public async ValueTask<bool> ResumeAsync(Execution execution, ResumeRequest request, CancellationToken cancellationToken = default)
    {
        var from = execution.Log.LastSequence + 1;
        if (!TryResume(execution, request))
        {
            return false;
        }

        return await IsStoredAsync(execution.Log, from, isSuspended: false, cancellationToken)
            ? true
            : throw new StoreException($"The resume could not be stored: {execution.Log.Failure?.Message ?? "the log has ended"}");
    }

    /// <summary>
    /// Lets a suspended execution go on, at once or when there is a place for it. False when it is not suspended, or not the suspension that is asked
    /// for: of many callers exactly one gets true.
    /// </summary>
    /// <param name="execution">What to resume.</param>
    /// <param name="request">What it goes on with.</param>
    /// <exception cref="ExecutionInputException">It cannot go on with that, too many executions wait already, or the server is stopping.</exception>
    public bool TryResume(Execution execution, ResumeRequest request)
    {
        if (execution.State is not { Status: ExecutionStatus.Suspended, Suspension: { } suspension } || (request.SuspendedAt ?? suspension.At) != suspension.At)
        {
            return false;
        }

        suspension.Check?.Invoke(request);
        var hasPlace = TakePlace();
        lock (execution.Claim)
        {
            var wake = execution.Wake;
            if (wake is not null && execution.State.Status == ExecutionStatus.Suspended && ReferenceEquals(execution.State.Suspension, suspension))
            {
                execution.HasPlace = hasPlace;
                GoOn(execution);
                execution.Stint = new ExecutionStint(request);
                execution.State = execution.State with { Status = hasPlace ? ExecutionStatus.Running : ExecutionStatus.Pending, Suspension = null };
                wake.SetResult();
                return true;
            }
        }

        GiveBackPlace(hasPlace);
        return false;
    }

    /// <summary>Runs a body to its end, in as many stints as it takes.</summary>
    private async Task<ExecutionResult> RunStintsAsync(Execution execution, CancellationTokenSource source)
    {
        if (execution.State.Status == ExecutionStatus.Suspended)
        {
            await WaitForResumeAsync(execution, source.Token);
        }

        while (true)
        {
            if (!execution.HasPlace && !execution.IsInside && !await TryWaitForPlaceAsync(execution, source.Token))
            {
                return new ExecutionResult(ExecutionStatus.Canceled);
            }

            var stint = execution.Stint!;
            ExecutionSuspension? suspension = null;
            ReadOnlyMemory<byte> document;
            try
            {
                var result = await RunBodyAsync(execution, BodyOf(execution.Plan!, stint), source);
                if (result.Status.IsFinal())
                {
                    return result;
                }

                if (!TryShowSuspended(execution, result.Suspension!, out document))
                {
                    return new ExecutionResult(ExecutionStatus.Canceled);
                }

                suspension = result.Suspension;
            }
            finally
            {
                stint.End(suspension);
            }

            await execution.Log.WriteStatusAsync(document, CancellationToken.None);
            await WaitForResumeAsync(execution, source.Token);
        }
    }

    private static ExecutionBody BodyOf(ExecutionPlan plan, ExecutionStint stint) =>
        plan.Suspendable is { } body ? (log, stop) => body(log, stint, stop) : plan.Body;

    // False when it was cancelled in this moment: that stands. Resumed before its frame is written, the frame still says what was.
    private bool TryShowSuspended(Execution execution, ExecutionSuspension suspension, out ReadOnlyMemory<byte> document)
    {
        document = default;
        lock (execution.Claim)
        {
            if (execution.State.Status.IsFinal())
            {
                return false;
            }

            if (execution.HasPlace)
            {
                _places.Release();
            }

            (execution.HasPlace, execution.IsInside) = (false, false);
            StandStill(execution);
            execution.State = execution.State with { Status = ExecutionStatus.Suspended, Suspension = suspension };
            document = execution.DescribeChange();
            return true;
        }
    }

    // Who is told that it stands still, or goes on, may rely on that after a crash: the frame that says so is in the log. False: the log ended
    // without it, because the store did not take it.
    private static async Task<bool> IsStoredAsync(ExecutionLog log, long from, bool isSuspended, CancellationToken cancellationToken)
    {
        await foreach (var json in log.ReadEventsAsync(from, cancellationToken))
        {
            if (json.Span.StartsWith("{\"type\":\"status\""u8)
                && JsonElement.Parse(json.Span, JsonDepth.Kept).GetProperty("data").GetProperty("status").ValueEquals("suspended") == isSuspended)
            {
                return true;
            }
        }

        return false;
    }

    private async Task WaitForResumeAsync(Execution execution, CancellationToken stop)
    {
        Task? resumed;
        lock (execution.Claim)
        {
            // Null when somebody was faster than this: it is resumed already.
            resumed = execution.Wake?.Task;
        }

        await (resumed ?? Task.CompletedTask).WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (execution.Claim)
        {
            if (execution.Wake is not null)
            {
                GoOn(execution);
                throw new OperationCanceledException(stop);
            }
        }

        // Before the status that says so: who has seen that may rely on it after a crash.
        if (execution.Plan?.Announce is { } announce)
        {
            await announce(execution.Log, execution.Stint!, CancellationToken.None);
        }

        await execution.Log.WriteStatusAsync(execution.DescribeChange(), CancellationToken.None);
    }

    // Under its claim.
    private void StandStill(Execution execution)
    {
        execution.Wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Increment(ref _suspended);
    }

    // Under its claim.
    private void GoOn(Execution execution)
    {
        execution.Wake = null;
        Interlocked.Decrement(ref _suspended);
    }

    private void RefuseBesideSuspended()
    {
        if (Volatile.Read(ref _suspended) >= _options.MaxSuspended)
        {
            throw new ExecutionInputException(
                $"Too many executions: {_options.MaxSuspended} are suspended, which is the limit; send this again when some have been resumed or cancelled")
            {
                IsForNow = true,
            };
        }
    }

    // False: it has to wait for one, and is counted among those that do.
    private bool TakePlace()
    {
        if (_stopping)
        {
            throw new ExecutionInputException("The server is stopping and starts nothing new; send this again when it is back") { IsForNow = true };
        }

        RefuseWhileUnsaved();
        if (_places.Wait(0))
        {
            return true;
        }

        if (Interlocked.Increment(ref _pending) <= _options.MaxPending)
        {
            return false;
        }

        Interlocked.Decrement(ref _pending);
        throw new ExecutionInputException(
            $"Too many executions: {_options.MaxConcurrent} run and {_options.MaxPending} wait; send this again when some have ended")
        {
            IsForNow = true,
        };
    }

    private void GiveBackPlace(bool hasPlace)
    {
        if (hasPlace)
        {
            _places.Release();
        }
        else
        {
            Interlocked.Decrement(ref _pending);
        }
    }
}
