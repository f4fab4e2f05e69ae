using System.Text.Json;

namespace Harness.Workflows;

/// <summary>One run of one step.</summary>
public sealed record WorkflowStepRecord
{
    /// <summary>Which step.</summary>
    public required string Id { get; init; }

    /// <summary>Its name for people.</summary>
    public required string Name { get; init; }

    /// <summary>Its sort: one of <see cref="StepType"/>.</summary>
    public required string Type { get; init; }

    /// <summary>Its place in the workflow, or that of the one it is inside of.</summary>
    public required int Index { get; init; }

    /// <summary>The step it is inside of; null: none.</summary>
    public string? ParentId { get; init; }

    /// <summary>How it stands.</summary>
    public WorkflowStepStatus Status { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended; null: it has not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What it was given.</summary>
    public JsonElement Input { get; init; }

    /// <summary>What it gave; undefined: nothing yet.</summary>
    public JsonElement Output { get; init; }

    /// <summary>What went wrong; null: nothing.</summary>
    public string? Error { get; init; }

    internal static WorkflowStepRecord Begin(JsonElement data, DateTimeOffset at) => new()
    {
        Id = data.FindText("stepId")!,
        Name = data.FindText("from")!,
        Type = data.FindText("stepType")!,
        Index = data.GetProperty("stepIndex").GetInt32(),
        ParentId = data.FindText("parentStepId"),
        StartedAt = at,
        Input = data.Member("input"),
    };
}

/// <summary>How one run of a step stands.</summary>
public enum WorkflowStepStatus
{
    /// <summary>It runs.</summary>
    Running,

    /// <summary>It was left when the workflow was suspended.</summary>
    Suspended,

    /// <summary>It has given something.</summary>
    Success,

    /// <summary>It had nothing to do.</summary>
    Skipped,

    /// <summary>It has failed.</summary>
    Error,

    /// <summary>It was broken off, or no longer waited for: another branch of its race was faster.</summary>
    Canceled,
}
