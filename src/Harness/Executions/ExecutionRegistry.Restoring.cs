using Microsoft.Extensions.Logging;

namespace Harness.Executions;

/// <content>Executions that outlive their process: left to the next one when this one stops, and taken up when it starts.</content>
public sealed partial class ExecutionRegistry
{
    private const string ServerStopped = "The server stopped";

    private Dictionary<string, IRestorableKind> _restorable = [];

    private bool Outlives(Execution execution) => _store.IsPersistent && _restorable.ContainsKey(execution.Request.Kind);

    private async Task LeaveAsync(Execution execution, CancellationToken cancellationToken)
    {
        do
        {
            // What runs is asked to stop where it can go on.
            await SuspendAsync(execution, ServerStopped, cancellationToken);
        }
        while (!TryLeave(execution));
    }

    // False: it waited for a place when it was asked, and has got one since.
    private bool TryLeave(Execution execution)
    {
        lock (execution.Claim)
        {
            // Without a plan its body has ended, and its result is on the way.
            if (execution.State.Status.IsFinal() || execution.Plan is null || !_sources.TryGetValue(execution.Id, out var source))
            {
                return true;
            }

            if (execution.State.Status == ExecutionStatus.Running && execution.Plan.Suspendable is not null)
            {
                return false;
            }

            execution.IsLeft = true;
            _sources.TryRemove(execution.Id, out _);
            _ = source.CancelAsync();
            return true;
        }
    }

    private async Task LeaveLogAsync(Execution execution)
    {
        try
        {
            await execution.Log.LeaveAsync();
        }
        catch (Exception e)
        {
            LogUnsealed(execution.Id, e);
        }

        execution.Leave();
    }

    private async Task GoOnAsync(StoredExecution stored, CancellationToken cancellationToken)
    {
        var execution = Execution.Load(stored, _options, _pool, _store, _time);
        if (StoredRequest.IsDamaged(stored))
        {
            LogDamaged(stored.Id);
            await EndBrokenOffAsync(execution, "The server stopped while this execution was running, and what the store has of it is damaged");
            return;
        }

        if (!_restorable.TryGetValue(stored.Kind, out var kind))
        {
            await EndBrokenOffAsync(execution, "The server stopped while this execution was running");
            return;
        }

        var restoration = await RestoreAsync(kind, execution, cancellationToken);
        if (restoration.Body is null)
        {
            await EndBrokenOffAsync(execution, restoration.Error);
            return;
        }

        TakeUp(execution, restoration);
    }

    private static async ValueTask<Restoration> RestoreAsync(IRestorableKind kind, Execution execution, CancellationToken cancellationToken)
    {
        try
        {
            return await kind.RestoreAsync(execution, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever a kind makes of what it reads there: the others are to go on.
            return Restoration.Impossible($"The server stopped while this execution was running, and it cannot go on: {e.Message}");
        }
    }

    private void TakeUp(Execution execution, Restoration restoration)
    {
        execution.Plan = new ExecutionPlan(execution.Request, restoration.Body!) { Announce = restoration.Announce };
        if (restoration.Suspension is { } suspension)
        {
            execution.State = execution.State with { Status = ExecutionStatus.Suspended, Suspension = suspension };
            StandStill(execution);
        }
        else
        {
            execution.Stint = new ExecutionStint(resume: null);
            execution.HasPlace = _places.Wait(0);
            if (!execution.HasPlace)
            {
                // It has waited for a place before, and is not refused one now.
                Interlocked.Increment(ref _pending);
                execution.State = execution.State with { Status = ExecutionStatus.Pending };
            }
        }

        var source = new CancellationTokenSource();
        _sources[execution.Id] = source;
        Hold(execution);

        // RunAsync never faults, and Completion says when it has ended.
        _ = RunAsync(execution, source);
    }

    [LoggerMessage(10, LogLevel.Warning, "Execution {ExecutionId} is damaged in the store: labels, request or times cannot be read, and it ends as failed")]
    private partial void LogDamaged(string executionId);
}
