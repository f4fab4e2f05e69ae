using System.Diagnostics.CodeAnalysis;

namespace Harness.Executions;

/// <summary>Starts, finds, lists and cancels executions. Thread-safe. (Placeholder of the same shape; the real one lands on main.)</summary>
public sealed class ExecutionRegistry
{
    /// <summary>Starts an execution and returns at once; its body runs on the pool.</summary>
    /// <exception cref="ExecutionInputException">Too many executions wait already.</exception>
    public Execution Start(ExecutionPlan plan) => throw new InvalidOperationException("placeholder");

    /// <summary>Finds a running, pending or retained execution.</summary>
    public bool TryFind(string id, [NotNullWhen(true)] out Execution? execution)
    {
        execution = null;
        return false;
    }

    /// <summary>
    /// Cancels an execution that has not ended. False when it had ended or was cancelled before: the state then says how.
    /// Of many callers exactly one gets true.
    /// </summary>
    public bool TryCancel(Execution execution) => false;

    /// <summary>All executions there are, the newest first.</summary>
    public IReadOnlyList<Execution> List() => [];

    /// <summary>Refuses new executions, cancels all that run and waits for their results.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
