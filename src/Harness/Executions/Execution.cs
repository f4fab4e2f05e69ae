namespace Harness.Executions;

/// <summary>One running or finished thing. Thread-safe.</summary>
public sealed class Execution
{
    private readonly ExecutionOptions _options;
    private readonly TaskCompletionSource<ExecutionResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ExecutionState _state;
    private volatile ExecutionResult? _result;

    internal Execution(
        string id, ExecutionRequest request, ExecutionState state, ExecutionOptions options, SegmentPool pool, ILogStore store, TimeProvider time)
    {
        Id = id;
        Request = request;
        _state = state;
        _options = options;
        Log = new ExecutionLog(
            id,
            ExecutionDocument.Opening(id, request, state),
            state.Status.ToWire(),
            new ExecutionLogLimits(options.WindowBytes, options.MaxLineBytes),
            pool,
            store,
            time);
    }

    /// <summary>A version 4 UUID in lower case, the id on every transport.</summary>
    public string Id { get; }

    /// <summary>What was started.</summary>
    public ExecutionRequest Request { get; }

    /// <summary>Where it stands; replaced whole, so that its parts agree.</summary>
    public ExecutionState State
    {
        get => _state;
        internal set => _state = value;
    }

    /// <summary>What it says.</summary>
    public ExecutionLog Log { get; }

    /// <summary>Ends, never faulted, when the result is in the log.</summary>
    public Task<ExecutionResult> Completion => _completion.Task;

    /// <summary>The status document of this moment (<see cref="ExecutionDocument"/>), as UTF-8 JSON.</summary>
    public ReadOnlyMemory<byte> DescribeAsJson() =>
        ExecutionDocument.Full(Id, Request, State, Log, _result?.Details ?? default, _options);

    /// <summary>Guards the claim: who removes the cancellation source also decides the state, in one step.</summary>
    internal Lock Claim { get; } = new();

    /// <summary>The document of the result frame; from now on every status says the same.</summary>
    internal ReadOnlyMemory<byte> End(ExecutionResult result)
    {
        _result = result;
        return DescribeAsJson();
    }

    internal ReadOnlyMemory<byte> DescribeChange() => ExecutionDocument.Change(Id, Request, State);

    internal void Complete(ExecutionResult result) => _completion.TrySetResult(result);
}

/// <summary>Where an execution stands, and since when. Times are UTC.</summary>
/// <param name="Status">The status; final ones never change.</param>
/// <param name="StartedAt">When it was started (not when its body began).</param>
/// <param name="CompletedAt">When it ended, or when it was cancelled; null before.</param>
/// <param name="Error">What went wrong; null unless it failed.</param>
public sealed record ExecutionState(ExecutionStatus Status, DateTimeOffset StartedAt, DateTimeOffset? CompletedAt, string? Error);
