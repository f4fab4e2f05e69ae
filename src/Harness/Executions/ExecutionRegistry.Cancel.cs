namespace Harness.Executions;

/// <content>Cancelling: the claim that decides how an execution ends.</content>
public sealed partial class ExecutionRegistry
{
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
}
