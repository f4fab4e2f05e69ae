using System.Text.Json;
using Harness.Executions;
using Harness.Server.Transports;
using Harness.Server.Transports.Rest;
using Harness.Workflows;

namespace Harness.Server.Dialects.VoltAgent.Workflows;

/// <summary>Reads the bodies of workflow requests. An empty body is an empty object.</summary>
internal static class WorkflowBody
{
    private const int MaxNameLength = 256;
    private const int MaxIdLength = 64;
    private const string ApiReason = "API request";

    /// <summary><c>{input, options:{userId, conversationId, executionId, userContext|context}}</c></summary>
    public static async Task<(WorkflowInput Input, string? ExecutionId)> ReadInputAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = await ReadAsync(request, cancellationToken);
        var options = body.Inner("options");
        var input = new WorkflowInput
        {
            Input = body.Raw("input"),
            UserId = options.Text("userId", MaxNameLength),
            ConversationId = options.Text("conversationId", MaxNameLength),
            UserContext = Object(options, options.Has("userContext") ? "userContext" : "context"),
        };
        return (input, options.Text("executionId", MaxNameLength) is { Length: > 0 } id ? Checked(id) : null);
    }

    /// <summary><c>{resumeData, options:{stepId, suspendedAt}}</c></summary>
    public static async Task<ResumeRequest> ReadResumeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = await ReadAsync(request, cancellationToken);
        var options = body.Inner("options");
        return new ResumeRequest(body.Raw("resumeData"), options.Text("stepId", MaxNameLength) is { Length: > 0 } step ? step : null, options.Time("suspendedAt"));
    }

    /// <summary><c>{reason}</c>; the reference's word when there is none.</summary>
    public static async Task<string> ReadReasonAsync(HttpRequest request, CancellationToken cancellationToken) =>
        (await ReadAsync(request, cancellationToken)).Text("reason", CommandLimits.ReasonLength) is { Length: > 0 } reason ? reason : ApiReason;

    private static async Task<CommandFields> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await RequestBody.ReadFieldsAsync(request, cancellationToken);
        }
        catch (CommandException e) when (e.Code == "invalid_json")
        {
            // The reference's words, which say nothing of the place.
            throw ApiException.BadRequest("Malformed JSON in request body");
        }
        catch (CommandException)
        {
            throw ApiException.BadRequest("The request body must be a JSON object");
        }
    }

    private static string Checked(string id) =>
        id.Length <= MaxIdLength && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_')
            ? id
            : throw ApiException.BadRequest($"options.executionId must be 1 to {MaxIdLength} letters, digits, dots, dashes and underscores");

    private static JsonElement Object(CommandFields options, string name) => options.Has(name)
        ? options.Raw(name) is { ValueKind: JsonValueKind.Object } value ? value : throw ApiException.BadRequest($"options.{name} must be an object")
        : default;
}
