using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Harness.Executions;

/// <summary>Why an execution stands still, and what it takes to go on. Shown to everyone who may see the execution: no secret is in it.</summary>
public sealed record ExecutionSuspension
{
    /// <summary>Since when, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why, for people; null: nothing was said.</summary>
    public string? Reason { get; init; }

    /// <summary>What the kind adds, as one UTF-8 JSON object whose members join those of the suspension in status documents; empty for none.</summary>
    public ReadOnlyMemory<byte> Details { get; init; }

    /// <summary>
    /// Looks at what a resume brings before anything else does, and throws <see cref="ExecutionInputException"/> for what cannot be used;
    /// null: everything can.
    /// </summary>
    public Action<ResumeRequest>? Check { get; init; }
}

/// <summary>What a suspended execution goes on with.</summary>
/// <param name="Data">For the body; undefined when nothing was sent.</param>
/// <param name="At">Where to go on, in the words of the kind; null: where it stopped.</param>
/// <param name="SuspendedAt">The <see cref="ExecutionSuspension.At"/> of the one suspension this is for, so that what is sent twice does not answer the next; null: whichever there is.</param>
public sealed record ResumeRequest(JsonElement Data = default, string? At = null, DateTimeOffset? SuspendedAt = null);

/// <summary>
/// One go of a body that can be suspended: from the start or from a resume to the end or to a suspension. It ends in a suspension by giving
/// back <see cref="ExecutionStatus.Suspended"/> with <see cref="ExecutionResult.Suspension"/>.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without a timer has nothing to dispose, and may be cancelled at any time")]
public sealed class ExecutionStint
{
    private readonly CancellationTokenSource _suspending = new();
    private readonly TaskCompletionSource<ExecutionSuspension?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _reason;

    internal ExecutionStint(ResumeRequest? resume) => Resume = resume;

    /// <summary>What it goes on with; null: it was not resumed, but begins.</summary>
    public ResumeRequest? Resume { get; }

    /// <summary>Cancelled when somebody wants the execution suspended: what runs is to stop where it can go on later.</summary>
    public CancellationToken Suspending => _suspending.Token;

    /// <summary>What they said; null: nothing.</summary>
    public string? SuspendReason => _reason;

    /// <summary>Ends with the stint: the suspension when it was suspended and shows it, else null.</summary>
    internal Task<ExecutionSuspension?> Ended => _ended.Task;

    internal void AskToSuspend(string? reason)
    {
        _reason ??= reason;

        // Callbacks on the token are the body's code: they run on the pool and their faults stay there.
        _ = _suspending.CancelAsync();
    }

    internal void End(ExecutionSuspension? suspension) => _ended.TrySetResult(suspension);
}

/// <summary>As <see cref="ExecutionBody"/>, of what can be suspended: called once for each stint.</summary>
public delegate Task<ExecutionResult> SuspendableBody(ExecutionLog log, ExecutionStint stint, CancellationToken stop);
