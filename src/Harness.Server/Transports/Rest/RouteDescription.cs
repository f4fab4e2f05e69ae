using System.Net.Mime;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Harness.Server.Transports.Rest;

/// <summary>Describes in OpenAPI documents what routes take: bodies and queries are read by hand.</summary>
internal static class RouteDescription
{
    /// <summary>A JSON object, told by an example.</summary>
    /// <param name="route">The route.</param>
    /// <param name="isRequired">False: no body is an empty one.</param>
    /// <param name="example">One to send, as JSON.</param>
    public static RouteHandlerBuilder TakesObject(this RouteHandlerBuilder route, bool isRequired, string example) =>
        route.Produces<ErrorResponse>(StatusCodes.Status413PayloadTooLarge).AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = isRequired,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [MediaTypeNames.Application.Json] = new()
                    {
                        Schema = new OpenApiSchema { Type = JsonSchemaType.Object },
                        Example = JsonNode.Parse(example),
                    },
                },
            };
            return Task.CompletedTask;
        });

    /// <summary>Parameters in the query, all optional.</summary>
    public static RouteHandlerBuilder TakesQuery(this RouteHandlerBuilder route, params (string Name, JsonSchemaType Type, string Meaning)[] parameters) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters ??= [];
            foreach (var (name, type, meaning) in parameters)
            {
                operation.Parameters.Add(new OpenApiParameter
                {
                    Name = name,
                    In = ParameterLocation.Query,
                    Description = meaning,
                    Schema = new OpenApiSchema { Type = type },
                });
            }

            return Task.CompletedTask;
        });
}
