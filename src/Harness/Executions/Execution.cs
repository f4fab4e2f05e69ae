using System.Buffers;

namespace Harness.Executions;

/// <summary>One running or finished thing. Thread-safe.</summary>
public sealed partial class Execution
{
    private readonly ExecutionOptions _options;
    private readonly TaskCompletionSource<ExecutionResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ExecutionState _state;
    private volatile ExecutionResult? _result;

    private Execution(string id, string epoch, long number, ExecutionRequest request, ExecutionState state, ExecutionOptions options, ExecutionLog log)
    {
        Id = id;
        Epoch = epoch;
        Number = number;
        Request = request;
        _state = state;
        _options = options;
        Log = log;
    }

    /// <summary>A version 4 UUID in lower case, unless the request has one of its own: the id on every transport.</summary>
    public string Id { get; }

    /// <summary>
    /// Identity of its log, a few letters and digits. A sequence of an other epoch means nothing here: that log was lost. It is the store's;
    /// with memory only it is the server process's.
    /// </summary>
    public string Epoch { get; }

    /// <summary>Counts the executions from 1, over all processes that had the same store: the order of lists.</summary>
    internal long Number { get; }

    /// <summary>What was started.</summary>
    public ExecutionRequest Request { get; }

    /// <summary>Where it stands; replaced whole, so that its parts agree. A final one shows when the result is stored.</summary>
    public ExecutionState State
    {
        get => _state;
        internal set => _state = value;
    }

    /// <summary>
    /// The status it has or, between its end and the moment the result is stored, will have: when this is final it is too late to cancel.
    /// </summary>
    public ExecutionStatus DecidedStatus => (State.Status.IsFinal() ? State : Decided ?? State).Status;

    /// <summary>What it says.</summary>
    public ExecutionLog Log { get; }

    /// <summary>Ends, never faulted, when the result is in the log.</summary>
    public Task<ExecutionResult> Completion => _completion.Task;

    /// <summary>
    /// Ends when the execution is stored: from then on it outlives the process. With memory only it has ended already.
    /// </summary>
    /// <exception cref="StoreException">It could not be stored, and has failed therefore.</exception>
    public Task Stored => Log.Archive is null || Log.Opened.IsCompletedSuccessfully && Log.Failure is null ? Task.CompletedTask : WaitUntilStoredAsync();

    /// <summary>
    /// The status document of this moment (<see cref="ExecutionDocument"/>), as UTF-8 JSON, with the newest lines that memory has: where
    /// an answer must not wait for the store.
    /// </summary>
    public ReadOnlyMemory<byte> DescribeNow()
    {
        using var record = LogRecord.InMemory(Log, Id);
        return Describe(State, record, _result, RecordLines.Newest);
    }

    /// <summary>The status document, with the lines wanted, also from the store.</summary>
    /// <exception cref="StoreException">The store cannot be read now.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> DescribeAsync(RecordLines lines = default, CancellationToken cancellationToken = default)
    {
        using var record = LogRecord.InMemory(Log, Id);
        await record.LoadAsync(lines, _options.MaxRecordBytes, cancellationToken);
        return Describe(State, record, _result, lines);
    }

    /// <summary>What lists say of it, as one JSON object: <c>id, kind, name, status, labels, started_at, completed_at, seq, epoch</c>.</summary>
    public ReadOnlyMemory<byte> DescribeAsItem() => ExecutionDocument.Item(this);

    /// <summary>Guards the claim: who removes the cancellation source also decides the state, in one step.</summary>
    internal Lock Claim { get; } = new();

    /// <summary>A new one: its log begins with the state.</summary>
    internal static Execution Begin(
        string epoch, long number, ExecutionRequest request, ExecutionState state, ExecutionOptions options, SegmentPool pool, IExecutionStore store, TimeProvider time)
    {
        var id = request.Id ?? Guid.NewGuid().ToString();
        var archive = store.IsPersistent
            ? new LogArchive(store, StoredRequest.Store(id, epoch, number, request, state), isNew: true, pool, time)
            : null;
        var opening = new LogOpening(state.Status.ToWire(), ExecutionDocument.Opening(id, request, state));
        return new Execution(
            id, epoch, number, request, state, options, new ExecutionLog(id, opening, LimitsOf(options), pool, archive, last: 0, time));
    }

    /// <summary>One of the store. One that has not ended goes on after its last frame: somebody has to end it.</summary>
    internal static Execution Load(StoredExecution stored, ExecutionOptions options, SegmentPool pool, IExecutionStore store, TimeProvider time)
    {
        var (request, end) = (StoredRequest.Load(stored), stored.End);
        var archive = new LogArchive(store, stored, isNew: false, pool, time);
        var state = end is null
            ? new ExecutionState(ExecutionStatus.Running, stored.StartedAt, CompletedAt: null, Error: null)
            : new ExecutionState(end.Status, stored.StartedAt, end.CompletedAt, end.Error, end.CancelReason);
        var log = end is null
            ? new ExecutionLog(stored.Id, null, LimitsOf(options), pool, archive, stored.LastSequence, time)
            : new ExecutionLog(stored.Id, LimitsOf(options), pool, archive, stored.LastSequence, time);
        var execution = new Execution(stored.Id, stored.Epoch, stored.Number, request, state, options, log);
        if (end is not null)
        {
            execution._result = new ExecutionResult(end.Status, end.Error) { Details = end.Details };
            execution._completion.SetResult(execution._result);
        }

        return execution;
    }

    /// <summary>How it will end, before that shows.</summary>
    internal ExecutionState? Decided { get; set; }

    /// <summary>True when the store did not take its end at first: whoever saves it then passes it on to retention.</summary>
    internal bool IsKeptUnsaved { get; set; }

    /// <summary>The document of the result frame, and which part of it repeats lines. Nothing is shown yet. For the log writer.</summary>
    internal async ValueTask<LineQuote> RenderEndAsync(ArrayBufferWriter<byte> json, ExecutionState state, ExecutionResult result)
    {
        using var record = LogRecord.Written(Log, Id);
        try
        {
            await record.LoadAsync(RecordLines.Newest, _options.MaxRecordBytes, CancellationToken.None);
        }
        catch (StoreException)
        {
            // The lines are in the log; this frame repeats those that were read, and says that there are more.
        }

        return Describe(json, state, record, result, RecordLines.Newest);
    }

    /// <summary>From now on every status says the same as the result frame.</summary>
    internal void ShowEnd(ExecutionState state, ExecutionResult result) => (_result, State) = (result, state);

    internal ReadOnlyMemory<byte> DescribeChange() => ExecutionDocument.Change(Id, Request, State);

    /// <summary>The end, for those who still read when the lines are gone from memory.</summary>
    internal (ReadOnlyMemory<byte> Document, DateTimeOffset At) DescribeEnd() => (DescribeNow(), State.CompletedAt ?? State.StartedAt);

    internal void Complete(ExecutionResult result)
    {
        _completion.TrySetResult(result);
        _gone.TrySetResult();
    }

    private static ExecutionLogLimits LimitsOf(ExecutionOptions options) => new(options.WindowBytes, options.MaxLineBytes);

    private ReadOnlyMemory<byte> Describe(ExecutionState state, LogRecord record, ExecutionResult? result, RecordLines lines)
    {
        var json = new ArrayBufferWriter<byte>();
        Describe(json, state, record, result, lines);
        return json.WrittenMemory;
    }

    private LineQuote Describe(ArrayBufferWriter<byte> json, ExecutionState state, LogRecord record, ExecutionResult? result, RecordLines lines) =>
        ExecutionDocument.Write(json, Id, Request, state, record, result?.Details ?? default, _options, lines);

    private async Task WaitUntilStoredAsync()
    {
        await Log.Opened;
        if (Log.Failure is { } failure)
        {
            throw failure as StoreException ?? new StoreException(failure.Message, failure);
        }
    }
}

/// <summary>Where an execution stands, and since when. Times are UTC.</summary>
/// <param name="Status">The status; final ones never change.</param>
/// <param name="StartedAt">When it was started (not when its body began).</param>
/// <param name="CompletedAt">When it ended, or when it was cancelled; null before.</param>
/// <param name="Error">What went wrong; null unless it failed.</param>
/// <param name="CancelReason">Why it was cancelled, in the words of who did it; null when it was not or nothing was said.</param>
public sealed record ExecutionState(
    ExecutionStatus Status, DateTimeOffset StartedAt, DateTimeOffset? CompletedAt, string? Error, string? CancelReason = null)
{
    /// <summary>What it waits for; null unless <see cref="Status"/> is <see cref="ExecutionStatus.Suspended"/>.</summary>
    public ExecutionSuspension? Suspension { get; init; }
}

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
