namespace Harness.Executions;

/// <summary>One running or finished thing. Thread-safe. (Placeholder of the same shape; the real one lands on main.)</summary>
public sealed class Execution
{
    internal Execution(string id, ExecutionRequest request) => (Id, Request) = (id, request);

    /// <summary>A version 4 UUID in lower case, the id on every transport.</summary>
    public string Id { get; }

    /// <summary>What was started.</summary>
    public ExecutionRequest Request { get; }

    /// <summary>Where it stands; replaced whole, so that its parts agree.</summary>
    public ExecutionState State { get; } = new(ExecutionStatus.Running, DateTimeOffset.UnixEpoch, null, null);

    /// <summary>What it said.</summary>
    public ExecutionLog Log { get; } = new();

    /// <summary>Ends, never faulted, when the result is in the log.</summary>
    public Task<ExecutionResult> Completion { get; } = Task.FromResult(new ExecutionResult(ExecutionStatus.Completed));

    /// <summary>
    /// The status document clients read (PROTOCOL, <c>TestStatusResponse</c>): id, status, started_at, completed_at, logs, error and the
    /// further members, as UTF-8 JSON.
    /// </summary>
    public ReadOnlyMemory<byte> DescribeAsJson() => throw new InvalidOperationException("placeholder");
}

/// <summary>Where an execution stands, and since when. Times are UTC.</summary>
/// <param name="Status">The status; final ones never change.</param>
/// <param name="StartedAt">When it was started (not when its body began).</param>
/// <param name="CompletedAt">When it ended, or when it was cancelled; null before.</param>
/// <param name="Error">What went wrong; null unless it failed.</param>
public sealed record ExecutionState(ExecutionStatus Status, DateTimeOffset StartedAt, DateTimeOffset? CompletedAt, string? Error);
