using System.Text.Json;
using Harness.Schemas;

namespace Harness.Workflows;

/// <summary>One step of a <see cref="Workflow"/>.</summary>
public sealed record WorkflowStep
{
    /// <summary>Its name in addresses; unique in the workflow.</summary>
    public required string Id { get; init; }

    /// <summary>Its name for people; the id when nothing is said.</summary>
    public string Name
    {
        get => field ?? Id;
        init;
    }

    /// <summary>What it is for; null: nothing is said.</summary>
    public string? Purpose { get; init; }

    /// <summary>What sort of step it is, for people and clients: one of <see cref="StepType"/>.</summary>
    public required string Type { get; init; }

    /// <summary>What it does.</summary>
    public required StepBody Run { get; init; }

    /// <summary>
    /// True when it may run a second time without harm: then a workflow whose process was killed during the step begins it again. Otherwise
    /// that workflow ends as failed, because nobody knows how far the step had come.
    /// </summary>
    public bool IsRepeatable { get; init; }

    /// <summary>What it hands out when it suspends is held to; null: <see cref="Workflow.SuspendSchema"/>.</summary>
    public JsonSchema? SuspendSchema { get; init; }

    /// <summary>What it is resumed with is held to; null: <see cref="Workflow.ResumeSchema"/>.</summary>
    public JsonSchema? ResumeSchema { get; init; }

    /// <summary>The steps inside of it, each branch in order; empty for most.</summary>
    public IReadOnlyList<IReadOnlyList<WorkflowStep>> Branches { get; init; } = [];
}

/// <summary>What a step does: says what it gives, that it was skipped, or that it has to wait. What it throws ends the workflow as failed.</summary>
public delegate Task<StepOutcome> StepBody(StepContext context, CancellationToken stop);

/// <summary>The sorts of steps there are.</summary>
public static class StepType
{
    /// <summary>A function of the program.</summary>
    public const string Function = "func";

    /// <summary>Asks an agent.</summary>
    public const string Agent = "agent";

    /// <summary>Runs its branch on a condition.</summary>
    public const string When = "conditional-when";

    /// <summary>Runs its branches at once and waits for all.</summary>
    public const string All = "parallel-all";

    /// <summary>Runs its branches at once and takes the first that ends.</summary>
    public const string Race = "parallel-race";

    /// <summary>Waits for a time.</summary>
    public const string Sleep = "sleep";

    /// <summary>Calls an address.</summary>
    public const string Http = "http";

    /// <summary>Sets members of the data.</summary>
    public const string Set = "set";

    /// <summary>Waits for somebody to resume it.</summary>
    public const string Wait = "wait-for-resume";
}

/// <summary>How a step ended for now.</summary>
public sealed record StepOutcome
{
    private StepOutcome()
    {
    }

    /// <summary>What it gives to the next step.</summary>
    public JsonElement Output { get; private init; }

    /// <summary>True when it did nothing, and gives what it was given.</summary>
    public bool IsSkipped { get; private init; }

    /// <summary>What it waits for; null: it has ended.</summary>
    public StepSuspension? Suspension { get; private init; }

    /// <summary>It gives this.</summary>
    public static StepOutcome Completed(JsonElement output) => new() { Output = output };

    /// <summary>It did nothing.</summary>
    public static StepOutcome Skipped(JsonElement data) => new() { Output = data, IsSkipped = true };

    /// <summary>It waits to be resumed, and then runs again from its beginning.</summary>
    public static implicit operator StepOutcome(StepSuspension suspension) => new() { Suspension = suspension };
}

/// <summary>As <see cref="StepOutcome"/>, of a step in code: a value, or what <see cref="StepContext.Suspend"/> gave.</summary>
/// <typeparam name="T">What the step gives.</typeparam>
public readonly record struct StepOutcome<T>
{
    private readonly T? _output;
    private readonly StepSuspension? _suspension;

    private StepOutcome(T? output, StepSuspension? suspension) => (_output, _suspension) = (output, suspension);

    /// <summary>It gives this.</summary>
    public static implicit operator StepOutcome<T>(T output) => new(output, null);

    /// <summary>It waits to be resumed.</summary>
    public static implicit operator StepOutcome<T>(StepSuspension suspension) => new(default, suspension);

    internal StepOutcome ToOutcome() => _suspension is { } suspension
        ? suspension
        : StepOutcome.Completed(JsonSerializer.SerializeToElement(_output, WorkflowJson.Options));
}

/// <summary>Why a step waits. Made by <see cref="StepContext.Suspend"/>.</summary>
public sealed record StepSuspension
{
    internal StepSuspension(string stepId, string? reason, JsonElement data) => (StepId, Reason, Data) = (stepId, reason, data);

    /// <summary>Which step.</summary>
    public string StepId { get; }

    /// <summary>Why, for people; null: nothing was said.</summary>
    public string? Reason { get; }

    /// <summary>What whoever resumes it should know; undefined: nothing.</summary>
    public JsonElement Data { get; }
}
