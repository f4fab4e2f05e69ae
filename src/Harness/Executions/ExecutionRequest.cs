using System.Collections.ObjectModel;

namespace Harness.Executions;

/// <summary>What the engine has to know of a thing before it runs it. Nothing here may hold a secret: all of it is shown to watchers.</summary>
public sealed record ExecutionRequest
{
    /// <summary>The id it is to have: 1 to 64 ASCII letters, digits, dots, dashes and underscores that no other has; null: one is made.</summary>
    public string? Id { get; init; }

    /// <summary>What is executed: <c>suite</c>, <c>synthetic</c>, …</summary>
    public required string Kind { get; init; }

    /// <summary>
    /// A name for people; need not be unique, may be empty. Of this and all other texts here no more is kept than documents show: requests outlive their
    /// executions in memory, and nobody counts them.
    /// </summary>
    public required string Name { get; init => field = Shown(value); }

    /// <summary>The one line of the first <c>status</c> frame's <c>logs</c>. It is not part of the record.</summary>
    public string Greeting { get; init => field = Shown(value); } = "Execution started";

    /// <summary>
    /// Lines that open the record (<c>logs</c> of a status or result) but are never pushed as <c>log</c> frames: the seed's suites
    /// have three of them.
    /// </summary>
    public IReadOnlyList<string> Preamble { get; init => field = [.. value.Select(Shown)]; } = [];

    /// <summary>The line that closes the record, not pushed as a <c>log</c> frame either, for the state it ends in; null: none.</summary>
    public Func<ExecutionState, string?>? ClosingLine { get; init; }

    /// <summary>Further members of every status of this execution, such as which agent answers. Keys are wire names.</summary>
    public IReadOnlyDictionary<string, string> Facts
    {
        get;
        init => field = value.Count == 0 ? value : value.ToDictionary(fact => fact.Key, fact => Shown(fact.Value), StringComparer.Ordinal);
    } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The client's own words to find the execution by.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>
    /// A client's mark by which a repeated start is known: while an execution with it is there, it is given back in place of a new one.
    /// Null: none.
    /// </summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>How long the body may run; null: the limit of <see cref="ExecutionOptions.TimeLimit"/>, which also caps it.</summary>
    public TimeSpan? TimeLimit { get; init; }

    // One character more than is ever shown, so that it shows as cut.
    private static string Shown(string text) => text.Length > ExecutionDocument.MaxTextBytes ? text[..(ExecutionDocument.MaxTextBytes + 1)] : text;
}

/// <summary>How a body ended.</summary>
/// <param name="Status">One of the final statuses, or <see cref="ExecutionStatus.Suspended"/> with a <see cref="Suspension"/>.</param>
/// <param name="Error">What went wrong, for people; null unless <paramref name="Status"/> is <see cref="ExecutionStatus.Failed"/>.</param>
public sealed record ExecutionResult(ExecutionStatus Status, string? Error = null)
{
    /// <summary>
    /// Further members of <c>result.data</c> as one UTF-8 JSON object, such as <c>{"tests":[…]}</c>; empty for none.
    /// It is left out of the result frame, with <c>details_truncated</c> in its place, when it does not fit.
    /// </summary>
    public ReadOnlyMemory<byte> Details { get; init; }

    /// <summary>
    /// Set with <see cref="ExecutionStatus.Suspended"/>, the one status that is not final: the body has ended for now, and is called again
    /// when the execution is resumed.
    /// </summary>
    public ExecutionSuspension? Suspension { get; init; }
}

/// <summary>
/// What runs: writes lines into its log, watches its token, says how it ended. What it throws ends this one execution as
/// <see cref="ExecutionStatus.Failed"/> (or, when the token was cancelled, as <see cref="ExecutionStatus.Canceled"/>) and nothing else.
/// Lines may still be written after the token was cancelled, up to <see cref="ExecutionOptions.CancelGrace"/>.
/// </summary>
public delegate Task<ExecutionResult> ExecutionBody(ExecutionLog log, CancellationToken stop);

/// <summary>A thing ready to be started: what it is and what runs.</summary>
public sealed record ExecutionPlan(ExecutionRequest Request, ExecutionBody Body)
{
    /// <summary>As the other, with a body that can be suspended from outside and knows what it is resumed with.</summary>
    public ExecutionPlan(ExecutionRequest request, SuspendableBody body)
        : this(request, (_, _) => throw new InvalidOperationException("This body runs in stints")) => Suspendable = body;

    /// <summary>Runs in place of <see cref="Body"/>; null: the body knows nothing of suspending.</summary>
    internal SuspendableBody? Suspendable { get; }

    /// <summary>
    /// Says what the body would say first in a stint, so that the next process knows it of one that came no further in this one. Called before each wait
    /// for a place, and whenever it is resumed. Null: nothing.
    /// </summary>
    public Func<ExecutionLog, ExecutionStint, CancellationToken, ValueTask>? Announce { get; init; }
}
