using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Harness.Executions;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>One generation of an agent's history. What is not known yet is null.</summary>
internal sealed record HistoryEntry(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("agentId")] string AgentId,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("startTime")] string StartTime,
    [property: JsonPropertyName("endTime")] string? EndTime,
    [property: JsonPropertyName("input")] string? Input,
    [property: JsonPropertyName("output")] JsonElement? Output,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("usage")] JsonElement? Usage,
    [property: JsonPropertyName("userId")] string? UserId,
    [property: JsonPropertyName("conversationId")] string? ConversationId)
{
    /// <summary>An execution of a generation, as it stands.</summary>
    public static async Task<HistoryEntry> FromAsync(string agent, Execution execution)
    {
        var (state, labels) = (execution.State, execution.Request.Labels);
        var details = default(JsonElement);
        if (execution.Completion.IsCompleted && (await execution.Completion).Details is { IsEmpty: false } known)
        {
            details = JsonElement.Parse(known.Span, JsonDepth.Kept);
        }

        return new HistoryEntry(
            execution.Id,
            agent,
            WordOf(state.Status),
            Time(state.StartedAt),
            state.CompletedAt is { } end ? Time(end) : null,
            Find(details, "input")?.GetString(),
            Find(details, "object") ?? Find(details, "text"),
            state.Error ?? state.CancelReason,
            Find(details, "usage"),
            labels.GetValueOrDefault("user"),
            labels.GetValueOrDefault("conversation"));
    }

    /// <summary>Times as this API writes them.</summary>
    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The word of this API for a status.</summary>
    public static string WordOf(ExecutionStatus status) => status switch
    {
        ExecutionStatus.Pending or ExecutionStatus.Running => "working",
        ExecutionStatus.Failed => "error",
        _ => status.ToWire(),
    };

    private static JsonElement? Find(JsonElement details, string name) =>
        details.ValueKind == JsonValueKind.Object && details.TryGetProperty(name, out var value) ? value : null;
}
