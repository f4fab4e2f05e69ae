using System.Net.Mime;
using System.Text;
using Harness.Server.Safety;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerUI;

namespace Harness.Server.Dialects.VoltAgent;

/// <summary>
/// The landing page at <c>/</c>, the OpenAPI document at <c>/doc</c>, and the page at <c>/ui</c> (also <c>/ui/</c> and
/// <c>/ui/index.html</c>) that shows it and works offline.
/// </summary>
internal static class ApiPages
{
    /// <summary>The name of the OpenAPI document.</summary>
    public const string Document = "doc";

    private const string Landing = """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>Harness</title>
        <style>body{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}code{background:#8882;padding:.1em .3em}</style></head>
        <body>
        <h1>API Running ⚡</h1>
        <p>Agents, workflows and test suites; every run can be watched live, come back to and stopped.</p>
        <ul>
        <li><a href="/ui">Swagger UI</a>: every route, and a button to try it</li>
        <li><a href="/doc">OpenAPI document</a></li>
        <li><a href="/agents">Agents</a></li>
        <li><a href="/api/v1/executions">Executions</a></li>
        </ul>
        <p>Live: WebSocket <code>/ws</code>, SignalR <code>/hub</code>, server-sent events <code>/api/v1/executions/ID/events</code>.</p>
        </body>
        </html>
        """;

    /// <summary>Adds what writes the document.</summary>
    public static IServiceCollection AddApiPages(this IServiceCollection services) => services.AddOpenApi(Document, openApi =>
    {
        openApi.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        openApi.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Harness API",
                Version = ProductVersion.Current,
                Description = "Agents, workflows, test suites, and the executions they all are.",
            };
            return Task.CompletedTask;
        });
    });

    /// <summary>Maps the routes; document and page only where the options want them.</summary>
    public static void MapApiPages(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", () => TypedResults.Content(Landing, MediaTypeNames.Text.Html + "; charset=utf-8")).ExcludeFromDescription();
        if (!routes.ServiceProvider.GetRequiredService<IOptions<ServerOptions>>().Value.Swagger)
        {
            return;
        }

        routes.MapOpenApi($"/{{documentName:regex(^{Document}$)}}");
        var page = routes.CreateApplicationBuilder().UseSwaggerUI(page =>
        {
            page.RoutePrefix = "ui";
            page.DocumentTitle = "Harness API";
            page.SwaggerEndpoint($"/{Document}", "Harness API");
            page.BringKey(routes.ServiceProvider.GetRequiredService<ApiKeyRing>());
            LinkFromOneUp(page);
        }).Build();
        routes.MapGet("/ui/{**file}", context =>
        {
            // The page's files are served where no endpoint is chosen; to the folder itself that would be a redirect.
            context.SetEndpoint(null);
            context.Request.Path = context.GetRouteValue("file") is null ? "/ui/index.html" : context.Request.Path;
            return page(context);
        }).ExcludeFromDescription().WithMetadata(new NeedsNoKey());
    }

    // Links that lead to the same files from /ui, where a relative one begins at the root, and from /ui/ and /ui/index.html.
    private static void LinkFromOneUp(SwaggerUIOptions page)
    {
        page.StylesPath = Up(page.StylesPath);
        page.ScriptBundlePath = Up(page.ScriptBundlePath);
        page.ScriptPresetsPath = Up(page.ScriptPresetsPath);
        var original = page.IndexStream;
        page.IndexStream = () =>
        {
            using var reader = new StreamReader(original());
            var html = reader.ReadToEnd().Replace("href=\"./", "href=\"../ui/", StringComparison.Ordinal)
                .Replace("src=\"index.js", "src=\"../ui/index.js", StringComparison.Ordinal);
            return new MemoryStream(Encoding.UTF8.GetBytes(html));
        };
    }

    private static string Up(string path) => $"../ui/{path.TrimStart('.', '/')}";
}
