using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Harness.Server.Safety;

/// <summary>Says in an OpenAPI document how the API key is sent, where one is asked for: clients that are made from it have a place for it then.</summary>
internal sealed class KeyDocument(ApiKeyRing keys) : IOpenApiDocumentTransformer
{
    /// <summary>Adds both ways to send it in a header, of which one is enough, and leaves out the routes that need none.</summary>
    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        if (keys.IsEmpty)
        {
            return Task.CompletedTask;
        }

        document.Security = [Add("bearer", new() { Type = SecuritySchemeType.Http, Scheme = "bearer" }, document),
            Add("key", new() { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = ApiKeyGate.HeaderName }, document)];
        foreach (var operation in document.Paths.Where(path => ApiKeyGate.IsHealthCheck(path.Key)).SelectMany(path => path.Value.Operations!.Values))
        {
            // The empty requirement is met by everybody.
            operation.Security = [new OpenApiSecurityRequirement()];
        }

        return Task.CompletedTask;
    }

    private static OpenApiSecurityRequirement Add(string name, OpenApiSecurityScheme scheme, OpenApiDocument document)
    {
        document.AddComponent<IOpenApiSecurityScheme>(name, scheme);
        return new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(name, document)] = [] };
    }
}
