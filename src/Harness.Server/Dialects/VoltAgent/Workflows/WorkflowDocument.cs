using System.ComponentModel;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Harness.Server.Transports.Rest;
using Microsoft.OpenApi;

namespace Harness.Server.Dialects.VoltAgent.Workflows;

/// <summary>Describes what workflow routes take, in OpenAPI documents.</summary>
internal static class WorkflowDocument
{
    private const string RunExample = """
        {"input":{"orderId":"order-123","amount":5000},"options":{"userId":"user-456"}}
        """;

    private const string ResumeExample = """
        {"resumeData":{"approved":true,"managerId":"mgr-456"}}
        """;

    private static readonly (string, JsonSchemaType, string) Limit = ("limit", JsonSchemaType.Integer, "Executions of one page: 1 to 100");

    public static RouteHandlerBuilder TakesInput(this RouteHandlerBuilder route) => route.TakesBody<WorkflowRunBody>(isRequired: true, RunExample);

    public static RouteHandlerBuilder TakesResumeData(this RouteHandlerBuilder route) =>
        route.TakesBody<WorkflowResumeBody>(isRequired: false, ResumeExample);

    public static RouteHandlerBuilder TakesPage(this RouteHandlerBuilder route) =>
        route.TakesQuery(("page", JsonSchemaType.Integer, "From 0"), Limit);

    public static RouteHandlerBuilder TakesFilter(this RouteHandlerBuilder route) => route.TakesQuery(
        ("status", JsonSchemaType.String, "running, suspended, completed, error or cancelled"),
        ("userId", JsonSchemaType.String, "Whose"),
        ("from", JsonSchemaType.String, "Started then or later"),
        ("to", JsonSchemaType.String, "Started then or earlier"),
        ("offset", JsonSchemaType.Integer, "So many are skipped"),
        Limit);

    public static RouteHandlerBuilder TakesUntil(this RouteHandlerBuilder route) =>
        route.TakesQuery(("until", JsonSchemaType.String, "end, or suspended: the stream ends at the next suspension too"));

    private sealed record WorkflowRunBody(
        [property: JsonPropertyName("input"), Description("What the workflow's inputSchema asks for")] JsonNode Input,
        [property: JsonPropertyName("options")] WorkflowRunOptions? Options = null);

    private sealed record WorkflowRunOptions
    {
        [JsonPropertyName("userId"), Description("Who asked, to find the execution by")]
        public string? UserId { get; init; }

        [JsonPropertyName("conversationId"), Description("The conversation it belongs to")]
        public string? ConversationId { get; init; }

        [JsonPropertyName("executionId"), Description("An id of the client's own: 1 to 64 letters, digits, dots, dashes and underscores")]
        public string? ExecutionId { get; init; }

        [JsonPropertyName("userContext"), Description("What the steps should know of who asks; also context")]
        public JsonObject? UserContext { get; init; }
    }

    private sealed record WorkflowResumeBody(
        [property: JsonPropertyName("resumeData"), Description("What the step's resumeSchema asks for")] JsonNode? ResumeData = null,
        [property: JsonPropertyName("options")] WorkflowResumeOptions? Options = null);

    private sealed record WorkflowResumeOptions(
        [property: JsonPropertyName("stepId"), Description("The step to go on at")] string? StepId = null,
        [property: JsonPropertyName("suspendedAt"), Description("The suspension this is for; sent twice, it does not answer the next")] string? SuspendedAt = null);
}
