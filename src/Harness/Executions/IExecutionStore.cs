namespace Harness.Executions;

/// <summary>
/// Where executions are kept beyond memory and beyond the process. What readers get was given to <see cref="AppendAsync"/> before, so that
/// nothing a client has seen can be lost. Thread-safe; appends of one execution come one at a time and in order, those of different
/// executions at once: a store gathers them into one transaction. Every method throws <see cref="StoreException"/> when the store cannot
/// do it now; what the store already holds is then unchanged, except that an append may have been kept although it was said to fail.
/// </summary>
public interface IExecutionStore : IAsyncDisposable
{
    /// <summary>False when nothing is kept: then no other method but <see cref="OpenAsync"/> is called.</summary>
    bool IsPersistent { get; }

    /// <summary>Why it takes nothing that is new, as far as that is known without trying; null: it is not known to.</summary>
    string? Problem => null;

    /// <summary>Makes the store ready; called once, before anything else.</summary>
    /// <exception cref="StoreException">It cannot be used, and why: in use by another server, damaged, written by a newer version, …</exception>
    Task<StoreOpening> OpenAsync(CancellationToken cancellationToken);

    /// <summary>Keeps everything in <paramref name="append"/> or nothing, and returns when it is as safe as the store was asked to make it.</summary>
    /// <param name="append">What to keep. Its memory is read until the call returns.</param>
    /// <param name="cancellationToken">Ends the wait; it may be kept or not.</param>
    ValueTask AppendAsync(StoreAppend append, CancellationToken cancellationToken);

    /// <summary>
    /// The stretch of frames that contains the sequence <paramref name="from"/>, or when that is gone the next later one, and those that
    /// follow it, until they are <paramref name="maxBytes"/> packed bytes together or more: at least one, unless there is none.
    /// </summary>
    ValueTask<IReadOnlyList<StoredFrames>> ReadAsync(long execution, long from, int maxBytes, CancellationToken cancellationToken);

    /// <summary>As <see cref="ReadAsync"/>, going back: the newest stretch that begins before <paramref name="before"/> first.</summary>
    ValueTask<IReadOnlyList<StoredFrames>> ReadBackwardAsync(long execution, long before, int maxBytes, CancellationToken cancellationToken);

    /// <summary>The execution with this id; null: none is kept.</summary>
    ValueTask<StoredExecution?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>The execution that was started with this key; null: none is kept.</summary>
    ValueTask<StoredExecution?> FindByKeyAsync(string key, CancellationToken cancellationToken);

    /// <summary>Executions that match, with numbers below <paramref name="before"/>, the newest first, <paramref name="limit"/> at most.</summary>
    ValueTask<IReadOnlyList<StoredExecution>> ListAsync(ExecutionFilter filter, long before, int limit, CancellationToken cancellationToken);

    /// <summary>Deletes an execution with its frames. False when it is not there.</summary>
    ValueTask<bool> DeleteAsync(long execution, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes finished executions that a rule no longer keeps, the longest ended first; then, while more bytes are kept than allowed, the
    /// oldest frames of those that run. In steps, between which appends go on. When one of them fails, or the call is cancelled, after others
    /// were done, it does not throw: <see cref="SweepOutcome.Failure"/> says why it ended, beside what is gone.
    /// </summary>
    ValueTask<SweepOutcome> SweepAsync(RetentionRule rule, CancellationToken cancellationToken);
}

/// <summary>What an opened store knows.</summary>
/// <param name="Epoch">Identity of everything in it: <see cref="Execution.Epoch"/>. Made once, when the store is made.</param>
/// <param name="LastNumber">The highest number an execution has ever had here; 0: none yet.</param>
/// <param name="Unfinished">Executions without a result: their process ended before they did.</param>
public sealed record StoreOpening(string Epoch, long LastNumber, IReadOnlyList<StoredExecution> Unfinished);

/// <summary>One transaction's worth of one execution.</summary>
public sealed record StoreAppend
{
    /// <summary>Whose: <see cref="StoredExecution.Number"/>.</summary>
    public required long Execution { get; init; }

    /// <summary>Set with the first frames: the execution itself.</summary>
    public StoredExecution? Created { get; init; }

    /// <summary>Stretches of frames in order, without a gap between them.</summary>
    public required IReadOnlyList<StoredFrames> Frames { get; init; }

    /// <summary>Set with the last frames: how it ended.</summary>
    public StoredEnd? Ended { get; init; }

    /// <summary>
    /// True when an earlier append failed: whatever the store has of this execution from the first of these frames on was never shown to
    /// anybody, and is replaced.
    /// </summary>
    public bool IsRepair { get; init; }
}

/// <summary>A stretch of a log as stores keep it.</summary>
/// <param name="First">Sequence of its first frame.</param>
/// <param name="Last">Sequence of its last frame.</param>
/// <param name="Packed">The frames (<see cref="FramePacker"/>); a store need not understand them.</param>
public readonly record struct StoredFrames(long First, long Last, ReadOnlyMemory<byte> Packed);

/// <summary>An execution as stores keep it.</summary>
public sealed record StoredExecution
{
    /// <summary>Counts the executions of a store from 1: the order of lists.</summary>
    public required long Number { get; init; }

    /// <summary><see cref="Execution.Id"/>.</summary>
    public required string Id { get; init; }

    /// <summary><see cref="Execution.Epoch"/>.</summary>
    public required string Epoch { get; init; }

    /// <summary><see cref="ExecutionRequest.Kind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary><see cref="ExecutionRequest.Name"/>.</summary>
    public required string Name { get; init; }

    /// <summary><see cref="ExecutionRequest.Labels"/>.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary><see cref="ExecutionRequest.IdempotencyKey"/>: no two executions in a store have the same.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The rest of the request, as one JSON object; a store need not understand it. No secrets are in it.</summary>
    public required string Request { get; init; }

    /// <summary>When it was started, UTC, to the tick.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Sequence of the oldest frame kept; above <see cref="LastSequence"/> when none is.</summary>
    public long FirstSequence { get; init; } = 1;

    /// <summary>Sequence of the newest frame kept; 0 in <see cref="StoreAppend.Created"/>.</summary>
    public long LastSequence { get; init; }

    /// <summary>Packed bytes of its frames that were appended so far.</summary>
    public long Bytes { get; init; }

    /// <summary>True when the store could not read all of it: labels are empty then, and times the next possible ones.</summary>
    public bool IsDamaged { get; init; }

    /// <summary>How it ended; null: it has not.</summary>
    public StoredEnd? End { get; init; }
}

/// <summary>How an execution ended, as stores keep it.</summary>
/// <param name="Status">A final status.</param>
/// <param name="CompletedAt">When, UTC, to the tick.</param>
/// <param name="Error"><see cref="ExecutionState.Error"/>.</param>
/// <param name="CancelReason"><see cref="ExecutionState.CancelReason"/>.</param>
/// <param name="ClosingLine">The line that closes the record and is no frame; null: none.</param>
/// <param name="Details"><see cref="ExecutionResult.Details"/>; empty: none.</param>
/// <param name="LastSequence">Sequence of the <c>result</c> frame.</param>
/// <param name="Bytes">Packed bytes of all its frames together.</param>
public sealed record StoredEnd(
    ExecutionStatus Status,
    DateTimeOffset CompletedAt,
    string? Error,
    string? CancelReason,
    string? ClosingLine,
    ReadOnlyMemory<byte> Details,
    long LastSequence,
    long Bytes);

/// <summary>What is kept of executions that have ended; null: no limit of that sort.</summary>
/// <param name="EndedBefore">Those that ended earlier go.</param>
/// <param name="MaxFinished">So many are kept.</param>
/// <param name="MaxBytes">So many packed bytes of frames and details are kept, of all executions together.</param>
public sealed record RetentionRule(DateTimeOffset? EndedBefore, int? MaxFinished, long? MaxBytes);

/// <summary>What a sweep took.</summary>
/// <param name="Deleted">Executions that are gone.</param>
/// <param name="Trimmed">Executions that run, or whose deletion failed halfway, and have lost their oldest frames.</param>
/// <param name="Bytes">Packed bytes that are gone.</param>
public sealed record SweepOutcome(IReadOnlyList<SweptExecution> Deleted, IReadOnlyList<SweptExecution> Trimmed, long Bytes)
{
    /// <summary>What ended it before it was through: a <see cref="StoreException"/> or a cancellation. Null: it is through.</summary>
    public Exception? Failure { get; init; }
}

/// <summary>An execution a sweep has touched.</summary>
/// <param name="Number"><see cref="StoredExecution.Number"/>.</param>
/// <param name="Id"><see cref="StoredExecution.Id"/>.</param>
/// <param name="FirstSequence">Sequence of the oldest frame that is left.</param>
public readonly record struct SweptExecution(long Number, string Id, long FirstSequence);

/// <summary>The store cannot do what was asked; the message is for people and says what to do about it.</summary>
public sealed class StoreException : Exception
{
    /// <inheritdoc cref="StoreException"/>
    public StoreException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>True when the same call may succeed later without anybody doing anything, as when a database restarts.</summary>
    public bool IsTransient { get; init; }

    /// <summary>True when what was to be kept can never be, whatever becomes of the store: it contradicts what is there.</summary>
    public bool IsForGood { get; init; }
}
