namespace Harness.Executions;

/// <summary>One running or finished thing. Thread-safe.</summary>
public sealed class Execution
{
    private readonly ExecutionOptions _options;
    private readonly TaskCompletionSource<ExecutionResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ExecutionState _state;
    private volatile ExecutionResult? _result;

    internal Execution(
        string id,
        string epoch,
        long number,
        ExecutionRequest request,
        ExecutionState state,
        ExecutionOptions options,
        SegmentPool pool,
        ILogStore store,
        TimeProvider time)
    {
        Id = id;
        Epoch = epoch;
        Number = number;
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

    /// <summary>
    /// Identity of its log, a few letters and digits. A sequence of an other epoch means nothing here: that log was lost. With memory only
    /// it is the server process's.
    /// </summary>
    public string Epoch { get; }

    /// <summary>The how-manieth execution of the registry it is: the order of lists.</summary>
    internal long Number { get; }

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
        ExecutionDocument.Full(Id, Request, State, Log, _result?.Details ?? default, _options, RecordLines.Newest);

    /// <summary>The status document with other lines than all of them.</summary>
    public ReadOnlyMemory<byte> DescribeAsJson(RecordLines lines) =>
        ExecutionDocument.Full(Id, Request, State, Log, _result?.Details ?? default, _options, lines);

    /// <summary>What lists say of it, as one JSON object: <c>id, kind, name, status, labels, started_at, completed_at, seq, epoch</c>.</summary>
    public ReadOnlyMemory<byte> DescribeAsItem() => ExecutionDocument.Item(this);

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
/// <param name="CancelReason">Why it was cancelled, in the words of who did it; null when it was not or nothing was said.</param>
public sealed record ExecutionState(
    ExecutionStatus Status, DateTimeOffset StartedAt, DateTimeOffset? CompletedAt, string? Error, string? CancelReason = null);

/// <summary>Which lines a status document repeats.</summary>
/// <param name="From">Sequence of the first event looked at; 0: the newest that fit.</param>
/// <param name="Limit">Lines at most; 0 with <paramref name="From"/> 0: as many as fit.</param>
/// <param name="IsNone">No lines at all.</param>
public readonly record struct RecordLines(long From, int Limit, bool IsNone = false)
{
    /// <summary>All of them, or the newest that fit (<see cref="ExecutionOptions.MaxRecordBytes"/>).</summary>
    public static RecordLines Newest => default;

    /// <summary>No lines: <c>logs</c> is empty.</summary>
    public static RecordLines None => new(0, 0, IsNone: true);
}
