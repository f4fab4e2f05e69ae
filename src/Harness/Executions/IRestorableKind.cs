namespace Harness.Executions;

/// <summary>A kind whose executions go on after the process they ran in has ended: same id, same epoch, and the sequence continues.</summary>
public interface IRestorableKind : IExecutionKind
{
    /// <summary>Finds out from what an execution has said where it can go on.</summary>
    /// <param name="execution">As the store has it; its log can be read, and what is written to it comes after what is there.</param>
    /// <param name="cancellationToken">The start is given up.</param>
    ValueTask<Restoration> RestoreAsync(Execution execution, CancellationToken cancellationToken);
}

/// <summary>What becomes of an execution that had no end when its process ended.</summary>
public sealed record Restoration
{
    private Restoration()
    {
    }

    /// <summary>What goes on; null: nothing can.</summary>
    internal SuspendableBody? Body { get; private init; }

    /// <summary>What it waits for; null: it runs.</summary>
    internal ExecutionSuspension? Suspension { get; private init; }

    /// <summary>As that of an <see cref="ExecutionPlan"/>. Null: nothing.</summary>
    public Func<ExecutionLog, ExecutionStint, CancellationToken, ValueTask>? Announce { get; init; }

    /// <summary>Why nothing can go on.</summary>
    internal string Error { get; private init; } = "";

    /// <summary>It was suspended, and still is.</summary>
    public static Restoration Suspended(SuspendableBody body, ExecutionSuspension suspension) => new() { Body = body, Suspension = suspension };

    /// <summary>It was running, and runs on.</summary>
    public static Restoration Running(SuspendableBody body) => new() { Body = body };

    /// <summary>It cannot go on, and ends as failed.</summary>
    /// <param name="error">Why, for people.</param>
    public static Restoration Impossible(string error) => new() { Error = error };
}
