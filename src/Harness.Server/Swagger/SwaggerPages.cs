using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Harness.Server.Dialects.Voiceflow;
using Harness.Server.Dialects.VoltAgent;
using Harness.Server.Safety;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace Harness.Server.Swagger;

/// <summary>The OpenAPI document and the page that shows it; both come from this process, so that they work offline.</summary>
internal static class SwaggerPages
{
    private const string DocumentPath = "/swagger/doc.json";

    /// <summary>Adds what writes the document, and describes the seed's routes in the document of all routes, whose title and words come after.</summary>
    public static IServiceCollection AddSwagger(this IServiceCollection services)
    {
        services.ConfigureAll<OpenApiOptions>(openApi =>
        {
            openApi.CreateSchemaReferenceId = NameOf;
            openApi.AddSchemaTransformer(DescribeNumbers);
            openApi.AddOperationTransformer(SortResponses);
            openApi.AddDocumentTransformer<KeyDocument>();
        });
        services.Configure<OpenApiOptions>(ApiPages.Document, openApi => openApi.AddDocumentTransformer<VoiceflowDocument>());
        return services.AddOpenApi(openApi =>
        {
            openApi.OpenApiVersion = OpenApiSpecVersion.OpenApi3_0;
            openApi.AddDocumentTransformer<VoiceflowDocument>();
        });
    }

    /// <summary>
    /// Serves <c>/swagger/doc.json</c>, <c>/swagger/index.html</c> and the page's files, if the options want them. Everything else below
    /// <c>/swagger</c> is 404 <c>Not Found</c>, as in the seed's server (compat/voiceflow 1.1).
    /// </summary>
    public static void MapSwagger(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<IOptions<ServerOptions>>().Value.Swagger)
        {
            return;
        }

        app.MapOpenApi(DocumentPath).WithMetadata(new OwnRoute());
        app.UseWhen(context => context.GetEndpoint() is null && context.Request.Path.StartsWithSegments("/swagger"), UsePage);
    }

    /// <summary>Whether it asks for the page or one of its files, where no endpoint is asked for.</summary>
    public static bool IsPage(HttpRequest request) => request.Path.StartsWithSegments("/swagger") && IsFile(request);

    // Any value fits the schema of one, null too: beside a second one for null a reference to it would fit no null at all.
    private static string? NameOf(JsonTypeInfo type) => (Nullable.GetUnderlyingType(type.Type) ?? type.Type) == typeof(JsonElement)
        ? null
        : OpenApiOptions.CreateDefaultSchemaReferenceId(type);

    // Describes numbers as they are written and asked for, although the serializer would read them from texts too.
    private static Task DescribeNumbers(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        if (schema.Type is { } type && (type & (JsonSchemaType.Integer | JsonSchemaType.Number)) != 0)
        {
            schema.Type = type & ~JsonSchemaType.String;
            schema.Pattern = null;
        }

        return Task.CompletedTask;
    }

    // Sorts by status: what all routes of a group may answer would else stand before what this one does.
    private static Task SortResponses(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var sorted = (operation.Responses ?? []).OrderBy(response => response.Key, StringComparer.Ordinal).ToList();
        operation.Responses = [];
        foreach (var (code, response) in sorted)
        {
            operation.Responses.Add(code, response);
        }

        return Task.CompletedTask;
    }

    private static void UsePage(IApplicationBuilder pages)
    {
        pages.Use((context, next) => IsFile(context.Request) ? next(context) : AnswerNotFoundAsync(context));
        pages.UseSwaggerUI(page =>
        {
            page.RoutePrefix = "swagger";
            page.DocumentTitle = "Harness API";
            page.SwaggerEndpoint(DocumentPath, "Harness API");
            page.BringKey(pages.ApplicationServices.GetRequiredService<ApiKeyRing>());
        });
        pages.Run(AnswerNotFoundAsync);
    }

    private static bool IsFile(HttpRequest request) => HttpMethods.IsGet(request.Method) && Path.HasExtension(request.Path);

    private static Task AnswerNotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync("Not Found", context.RequestAborted);
    }
}
