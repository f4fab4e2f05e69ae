// Wire contracts of the workflow routes (seed, "Workflow Endpoints"; compat/voltagent 1a, 1b and 5).
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Harness.Executions;
using Harness.Workflows;

namespace Harness.Server.Dialects.VoltAgent.Workflows;

/// <summary>The words and times of this API.</summary>
internal static class WireWords
{
    /// <summary>A status: <c>running, suspended, completed, error</c>, and <c>cancelled</c>.</summary>
    public static string Of(ExecutionStatus status) => status switch
    {
        ExecutionStatus.Pending => "running",
        ExecutionStatus.Failed => "error",
        _ => status.ToWire(),
    };

    /// <summary>A time with milliseconds.</summary>
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>A value, or null when there is none.</summary>
    public static JsonElement? Of(JsonElement value) => value.ValueKind == JsonValueKind.Undefined ? null : value;
}

/// <summary>A workflow in a list. It is always <c>idle</c>: executions have the other statuses.</summary>
internal sealed record WorkflowItem(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("purpose")] string Purpose,
    [property: JsonPropertyName("stepsCount")] int StepsCount,
    [property: JsonPropertyName("status")] string Status)
{
    public static WorkflowItem From(Workflow workflow) => new(workflow.Id, workflow.Name, workflow.Purpose ?? "", workflow.Steps.Count, "idle");
}

/// <summary>A workflow by itself. What its steps do is not told.</summary>
internal sealed record WorkflowDetails(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("purpose")] string Purpose,
    [property: JsonPropertyName("stepsCount")] int StepsCount,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("steps")] IReadOnlyList<WorkflowStepItem> Steps,
    [property: JsonPropertyName("inputSchema")] JsonElement? InputSchema,
    [property: JsonPropertyName("suspendSchema")] JsonElement? SuspendSchema,
    [property: JsonPropertyName("resumeSchema")] JsonElement? ResumeSchema,
    [property: JsonPropertyName("resultSchema")] JsonElement? ResultSchema)
{
    public static WorkflowDetails From(Workflow workflow) => new(
        workflow.Id,
        workflow.Name,
        workflow.Purpose ?? "",
        workflow.Steps.Count,
        "idle",
        [.. workflow.Steps.Select(WorkflowStepItem.From)],
        workflow.InputSchema?.Document,
        workflow.SuspendSchema?.Document,
        workflow.ResumeSchema?.Document,
        workflow.ResultSchema?.Document);
}

/// <summary>A step of a workflow.</summary>
internal sealed record WorkflowStepItem(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("purpose")] string? Purpose,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("stepIndex")] int StepIndex,
    [property: JsonPropertyName("suspendSchema")] JsonElement? SuspendSchema,
    [property: JsonPropertyName("resumeSchema")] JsonElement? ResumeSchema)
{
    public static WorkflowStepItem From(WorkflowStep step, int index) => new(
        step.Id, step.Name, step.Purpose, step.Type, index, step.SuspendSchema?.Document, step.ResumeSchema?.Document);
}

/// <summary>The answer to <c>execute</c> and <c>resume</c>: how far it has come for now.</summary>
internal sealed record WorkflowAnswer(
    [property: JsonPropertyName("executionId")] string ExecutionId,
    [property: JsonPropertyName("startAt")] string StartAt,
    [property: JsonPropertyName("endAt")] string? EndAt,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("result")] JsonElement? Result)
{
    [JsonPropertyName("suspension"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public WireSuspension? Suspension { get; init; }

    [JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }
}

/// <summary>What it waits for.</summary>
internal sealed record WireSuspension(
    [property: JsonPropertyName("suspendedAt")] string SuspendedAt,
    [property: JsonPropertyName("reason"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason,
    [property: JsonPropertyName("suspendedStepIndex")] int SuspendedStepIndex,
    [property: JsonPropertyName("suspendedStepId")] string SuspendedStepId,
    [property: JsonPropertyName("suspendData"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? SuspendData)
{
    /// <summary>Of a status document's <c>suspension</c>, which a workflow has filled (<see cref="WorkflowKind"/>).</summary>
    public static WireSuspension From(JsonElement suspension) => new(
        WireWords.Of(suspension.GetProperty("suspended_at").GetDateTimeOffset()),
        suspension.TryGetProperty("reason", out var reason) ? reason.GetString() : null,
        suspension.GetProperty("step_index").GetInt32(),
        suspension.GetProperty("step").GetString()!,
        suspension.TryGetProperty("data", out var data) ? data : null);

    public static WireSuspension From(WorkflowSuspension suspension) => new(
        WireWords.Of(suspension.At), suspension.Reason, suspension.StepIndex, suspension.StepId, WireWords.Of(suspension.Data));
}

/// <summary>The answer to <c>suspend</c>.</summary>
internal sealed record SuspendAnswer(
    [property: JsonPropertyName("executionId")] string ExecutionId,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("suspension")] SuspendedSince Suspension);

/// <summary>Since when, and why.</summary>
internal sealed record SuspendedSince(
    [property: JsonPropertyName("suspendedAt")] string SuspendedAt,
    [property: JsonPropertyName("reason")] string? Reason);

/// <summary>How many there are.</summary>
internal sealed record CountAnswer([property: JsonPropertyName("count")] int Count);
