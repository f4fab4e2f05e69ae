using System.Text.Json;
using System.Text.Json.Serialization;
using Harness.Executions;
using Harness.Workflows;

namespace Harness.Server.Dialects.VoltAgent.Workflows;

/// <summary>All that is known of one execution of a workflow, read from its log.</summary>
internal sealed record WorkflowRecord
{
    private static readonly JsonSerializerOptions Kept = new() { MaxDepth = JsonDepth.MaxKept };

    [JsonPropertyName("id")]
    public required string Id { get; init; }

    [JsonPropertyName("executionId")]
    public string ExecutionId => Id;

    [JsonPropertyName("workflowId")]
    public required string WorkflowId { get; init; }

    [JsonPropertyName("workflowName")]
    public required string WorkflowName { get; init; }

    [JsonPropertyName("status")]
    public required string Status { get; init; }

    [JsonPropertyName("startTime")]
    public required string StartTime { get; init; }

    [JsonPropertyName("endTime")]
    public string? EndTime { get; init; }

    [JsonPropertyName("input")]
    public JsonElement? Input { get; init; }

    [JsonPropertyName("output")]
    public JsonElement? Output { get; init; }

    [JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    [JsonPropertyName("suspension"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public WireSuspension? Suspension { get; init; }

    [JsonPropertyName("cancellation"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public WireCancellation? Cancellation { get; init; }

    [JsonPropertyName("userId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? UserId { get; init; }

    [JsonPropertyName("conversationId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ConversationId { get; init; }

    [JsonPropertyName("context")]
    public required JsonElement Context { get; init; }

    [JsonPropertyName("workflowState")]
    public required JsonElement WorkflowState { get; init; }

    /// <summary>Every run of every step; null in lists.</summary>
    [JsonPropertyName("steps"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<WireStep>? Steps { get; init; }

    [JsonPropertyName("startAt")]
    public string StartAt => StartTime;

    [JsonPropertyName("endAt")]
    public string? EndAt => EndTime;

    [JsonPropertyName("createdAt")]
    public string CreatedAt => StartTime;

    [JsonPropertyName("updatedAt")]
    public required string UpdatedAt { get; init; }

    /// <summary>Reads one.</summary>
    /// <exception cref="ExecutionInputException">Its first events are no longer kept.</exception>
    public static async Task<WorkflowRecord> ReadAsync(Execution execution, bool withSteps, CancellationToken cancellationToken) =>
        From(execution, await WorkflowProgress.ReadAsync(execution.Log, cancellationToken), withSteps);

    /// <summary>Reads one for a list; of one whose events are no longer kept, or cannot be read, what is known without them.</summary>
    public static async Task<WorkflowRecord> ReadListedAsync(Execution execution, bool withSteps, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(execution, withSteps, cancellationToken);
        }
        catch (Exception e) when (e is ExecutionInputException or JsonException)
        {
            return From(execution, new WorkflowProgress(), withSteps);
        }
    }

    private static WorkflowRecord From(Execution execution, WorkflowProgress progress, bool withSteps)
    {
        var (state, steps) = (execution.State, progress.Steps);
        var suspension = state.Status == ExecutionStatus.Suspended ? progress.Suspension : null;
        var updated = state.CompletedAt ?? suspension?.At ?? (steps.Count > 0 ? steps[^1].EndedAt ?? steps[^1].StartedAt : state.StartedAt);
        return new WorkflowRecord
        {
            Id = execution.Id,
            WorkflowId = execution.Request.Facts[WorkflowKind.Fact],
            WorkflowName = execution.Request.Name,
            Status = WireWords.Of(state.Status),
            StartTime = WireWords.Of(state.StartedAt),
            EndTime = state.CompletedAt is { } end ? WireWords.Of(end) : null,
            Input = WireWords.Of(progress.Input),
            Output = state.Status == ExecutionStatus.Completed ? OutputOf(steps) : null,
            Error = state.Error,
            Suspension = suspension is null ? null : WireSuspension.From(suspension),
            Cancellation = state.Status == ExecutionStatus.Canceled ? new WireCancellation(WireWords.Of(state.CompletedAt!.Value), state.CancelReason) : null,
            UserId = progress.UserId,
            ConversationId = progress.ConversationId,
            Context = WireWords.Of(progress.UserContext) ?? JsonElement.Parse("{}"),
            WorkflowState = JsonSerializer.SerializeToElement(progress.State, Kept),
            Steps = withSteps ? [.. steps.Select(step => WireStep.From(step, state))] : null,
            UpdatedAt = WireWords.Of(updated),
        };
    }

    private static JsonElement? OutputOf(IReadOnlyList<WorkflowStepRecord> steps) =>
        steps.LastOrDefault(step => step.ParentId is null && step.Status is WorkflowStepStatus.Success or WorkflowStepStatus.Skipped) is { } last
            ? WireWords.Of(last.Output)
            : null;
}

/// <summary>When it was cancelled, and why.</summary>
internal sealed record WireCancellation(
    [property: JsonPropertyName("cancelledAt")] string CancelledAt,
    [property: JsonPropertyName("reason")] string? Reason);

/// <summary>One run of one step.</summary>
internal sealed record WireStep
{
    [JsonPropertyName("stepId")]
    public required string StepId { get; init; }

    [JsonPropertyName("stepIndex")]
    public required int StepIndex { get; init; }

    [JsonPropertyName("stepType")]
    public required string StepType { get; init; }

    [JsonPropertyName("stepName")]
    public required string StepName { get; init; }

    [JsonPropertyName("parentStepId"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ParentStepId { get; init; }

    [JsonPropertyName("status")]
    public required string Status { get; init; }

    [JsonPropertyName("startTime")]
    public required string StartTime { get; init; }

    [JsonPropertyName("endTime")]
    public string? EndTime { get; init; }

    [JsonPropertyName("input")]
    public JsonElement? Input { get; init; }

    [JsonPropertyName("output")]
    public JsonElement? Output { get; init; }

    [JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    /// <summary>A step that had not ended when its workflow did was broken off with it.</summary>
    public static WireStep From(WorkflowStepRecord step, ExecutionState state) => new()
    {
        StepId = step.Id,
        StepIndex = step.Index,
        StepType = step.Type,
        StepName = step.Name,
        ParentStepId = step.ParentId,
        Status = step.Status switch
        {
            WorkflowStepStatus.Success => "success",
            WorkflowStepStatus.Skipped => "skipped",
            WorkflowStepStatus.Error => "error",
            WorkflowStepStatus.Suspended => "suspended",
            WorkflowStepStatus.Canceled => "cancelled",
            _ => state.Status.IsFinal() ? WireWords.Of(state.Status) : "running",
        },
        StartTime = WireWords.Of(step.StartedAt),
        EndTime = step.EndedAt is { } end ? WireWords.Of(end) : null,
        Input = WireWords.Of(step.Input),
        Output = WireWords.Of(step.Output),
        Error = step.Error,
    };
}

/// <summary>A page of a workflow's history, from 0.</summary>
internal sealed record HistoryAnswer(
    [property: JsonPropertyName("executions")] IReadOnlyList<WorkflowRecord> Executions,
    [property: JsonPropertyName("pagination")] Pagination Pagination);
