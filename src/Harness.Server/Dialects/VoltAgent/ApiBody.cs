using System.Text.Json;
using Harness.Executions;
using Harness.Server.Transports;
using Harness.Server.Transports.Rest;

namespace Harness.Server.Dialects.VoltAgent;

/// <summary>Reads JSON bodies, whatever content type they claim to have.</summary>
internal static class ApiBody
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = JsonSyntax.MaxDepth };

    /// <summary>The body, an object.</summary>
    /// <param name="request">The request.</param>
    /// <param name="isOptional">Whether no body at all is an empty object.</param>
    /// <param name="cancellationToken">Ends the wait for the body.</param>
    /// <exception cref="ExecutionInputException">It is missing, no JSON, or no object.</exception>
    public static async Task<JsonElement> ReadAsync(HttpRequest request, bool isOptional, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(request, cancellationToken);
        if (body.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            return isOptional ? JsonElement.Parse("{}") : throw new ExecutionInputException("The request has no body; send a JSON object");
        }

        if (JsonSyntax.Describe(body.Span) is { } problem)
        {
            throw new ExecutionInputException($"Malformed JSON in request body: {problem}");
        }

        var value = JsonElement.Parse(JsonRepair.Apply(body).Span, Strict);
        return value.ValueKind == JsonValueKind.Object
            ? value
            : throw new ExecutionInputException("The request body must be a JSON object");
    }
}
