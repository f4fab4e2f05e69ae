using System.ComponentModel;
using System.Net.Mime;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.OpenApi;

namespace Harness.Server.Dialects.VoltAgent;

/// <summary>Describes the routes of this API in OpenAPI documents: bodies and queries are read by hand, answers are in the envelope.</summary>
internal static class ApiDescription
{
    /// <summary>What any route of a group may answer: 401 without a key, 403 to foreign pages, 500.</summary>
    public static RouteGroupBuilder MayRefuse(this RouteGroupBuilder group) => group.WithMetadata(Refusal(401), Refusal(403), Refusal(500));

    /// <summary>A JSON answer with its data, and the codes of its refusals.</summary>
    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder route, params int[] refusals)
        where T : notnull => route.Produces<ApiData<T>>().Refuses(refusals);

    /// <summary>Server-sent events, and the codes of what is refused before the first one.</summary>
    public static RouteHandlerBuilder Streams(this RouteHandlerBuilder route, params int[] refusals) =>
        route.Produces<string>(StatusCodes.Status200OK, MediaTypeNames.Text.EventStream).Refuses(refusals);

    /// <summary>A JSON body.</summary>
    /// <param name="route">The route.</param>
    /// <param name="isRequired">False: no body is an empty one.</param>
    /// <param name="example">One to send, as JSON.</param>
    public static RouteHandlerBuilder TakesBody<T>(this RouteHandlerBuilder route, bool isRequired, string example) =>
        route.AddOpenApiOperationTransformer(async (operation, context, cancellationToken) => operation.RequestBody = new OpenApiRequestBody
        {
            Required = isRequired,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [MediaTypeNames.Application.Json] = new()
                {
                    Schema = await context.GetOrCreateSchemaAsync(typeof(T), parameterDescription: null, cancellationToken),
                    Example = JsonNode.Parse(example),
                },
            },
        });

    /// <summary>A body that may say why.</summary>
    public static RouteHandlerBuilder TakesReason(this RouteHandlerBuilder route) =>
        route.TakesBody<ReasonBody>(isRequired: false, """{"reason":"System maintenance required"}""");

    private static ProducesResponseTypeMetadata Refusal(int code) => new(code, typeof(ApiError), [MediaTypeNames.Application.Json]);

    private static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, int[] codes) => route.WithMetadata([.. codes.Select(Refusal)]);

    private sealed record ReasonBody([property: JsonPropertyName("reason"), Description("Why, for people")] string? Reason = null);
}
