using System.Text.Json;

namespace Harness.Workflows;

/// <summary>
/// The typed events a workflow's log is made of. Members of their data: <c>from</c> (a name for people), <c>status</c>, and what belongs to
/// the event. What a workflow has done can be read back from them alone.
/// </summary>
public static class WorkflowEvents
{
    /// <summary>It begins: <c>input</c>, and <c>metadata</c> with <c>userId, conversationId, context</c>.</summary>
    public const string Started = "workflow-start";

    /// <summary>A step begins: <c>stepId, stepIndex, stepType, input</c>, and <c>parentStepId</c> inside of another.</summary>
    public const string StepStarted = "step-start";

    /// <summary>A step has ended: <c>output</c>, <c>status</c> is <c>success</c> or <c>skipped</c>; <c>workflowState</c> when it has changed.</summary>
    public const string StepCompleted = "step-complete";

    /// <summary>A step has failed: <c>error</c>.</summary>
    public const string StepFailed = "step-error";

    /// <summary>
    /// It waits: <c>stepId, stepIndex</c> and <c>metadata</c> with <c>reason, suspendData, suspension</c>; <c>workflowState</c> when it has changed.
    /// </summary>
    public const string Suspended = "workflow-suspended";

    /// <summary>It goes on: <c>stepId, stepIndex, input</c> is what it was resumed with.</summary>
    public const string Resumed = "workflow-resumed";

    private static readonly string[] Own =
        [Started, StepStarted, StepCompleted, StepFailed, Suspended, Resumed, "workflow-complete", "workflow-error", "workflow-cancelled", "workflow-result", "error"];

    /// <summary>True for a name that steps may not use for events of their own.</summary>
    public static bool IsOwn(string name) => Own.Contains(name);

    internal static ReadOnlyMemory<byte> Start(Workflow workflow, WorkflowInput input) => WorkflowJson.Write(json =>
    {
        json.WriteString("from", workflow.Name);
        json.WriteString("status", "running");
        json.WriteValue("input", input.Input.OrNull());
        json.WriteStartObject("metadata");
        json.WriteText("userId", input.UserId);
        json.WriteText("conversationId", input.ConversationId);
        json.WriteValue("context", input.UserContext);
        json.WriteEndObject();
    });

    internal static ReadOnlyMemory<byte> Step(
        WorkflowStep step, int index, WorkflowStep? parent, string status, Action<Utf8JsonWriter>? more = null) => WorkflowJson.Write(json =>
    {
        json.WriteString("from", step.Name);
        json.WriteString("status", status);
        json.WriteString("stepId", step.Id);
        json.WriteNumber("stepIndex", index);
        json.WriteString("stepType", step.Type);
        json.WriteText("parentStepId", parent?.Id);
        more?.Invoke(json);
    });

    internal static ReadOnlyMemory<byte> Suspend(WorkflowStep step, int index, bool isOwnWish, string? reason, JsonElement data, JsonElement? state, DateTimeOffset at) =>
        Step(step, index, parent: null, "suspended", json =>
        {
            json.WriteValue("workflowState", state ?? default);
            json.WriteStartObject("metadata");
            json.WriteText("reason", reason);
            json.WriteValue("suspendData", data);
            json.WriteBoolean("byStep", isOwnWish);
            json.WriteStartObject("suspension");
            json.WriteString("suspendedAt", at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture));
            json.WriteText("reason", reason);
            json.WriteNumber("suspendedStepIndex", index);
            json.WriteEndObject();
            json.WriteEndObject();
        });
}

/// <summary>What a workflow is started with.</summary>
public sealed record WorkflowInput
{
    /// <summary>The input; undefined is read as null.</summary>
    public JsonElement Input { get; init; }

    /// <summary>For whom it runs; null: nobody is named.</summary>
    public string? UserId { get; init; }

    /// <summary>In which conversation; null: none is named.</summary>
    public string? ConversationId { get; init; }

    /// <summary>For agents; undefined: nothing.</summary>
    public JsonElement UserContext { get; init; }
}
