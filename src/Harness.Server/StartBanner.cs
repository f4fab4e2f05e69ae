using Harness.Agents;
using Harness.Generations;
using Harness.Server.Safety;
using Harness.Storage;
using Harness.Workflows;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Options;

namespace Harness.Server;

/// <summary>Says at the start what runs, where, who answers, and who may call.</summary>
internal sealed partial class StartBanner(
    IServer server,
    IOptions<ServerOptions> options,
    IOptions<StoreOptions> store,
    AgentFactory agents,
    AgentCatalog catalog,
    WorkflowCatalog workflows,
    ApiKeyRing keys,
    EndpointDataSource routes,
    ILogger<StartBanner> logger)
{
    /// <summary>Agents that are listed by name, and workflows; the API lists all of them.</summary>
    private const int MaxNamed = 10;

    /// <summary>Writes the lines; the server listens already. Nothing in a test host that listens nowhere.</summary>
    public void Write()
    {
        var url = AddressOf(server);
        if (url.Length == 0)
        {
            return;
        }

        LogStart(url);
        if (options.Value.Swagger)
        {
            LogSwagger(url);
            LogPage(url);
        }

        LogSocket($"ws{url["http".Length..]}");
        WriteAgent();
        LogStore(StoreFactory.Describe(store.Value));
        WriteNamed($"{url}/agents", "Agent", catalog.Agents.Select(agent => agent.Id).ToList(), "text|stream|object|stream-object");
        WriteNamed($"{url}/workflows", "Workflow", workflows.All.Select(workflow => workflow.Id).ToList(), "execute|stream");
        WriteOwnRoutes();
        LogSafety(
            keys.IsEmpty ? "No API key is asked for" : "Every request but /health needs an API key, and the pages ask for it",
            ListenAddress.IsLoopback(options.Value)
                ? "only this machine can connect; for others use --api-key, or --host 0.0.0.0 to let anyone in"
                : "other machines can connect");
        LogSynthetic(options.Value.Synthetic ? "on" : "off");
    }

    /// <summary>The first URL the server listens on, with the port it really got.</summary>
    public static string AddressOf(IServer server) => server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";

    private void WriteAgent()
    {
        try
        {
            LogAgent(agents.DefaultDescription);
        }
        catch (AgentException e)
        {
            LogNoAgent(e.Message);
        }
    }

    // What can be called by name, and how; of a folder full of them only the first.
    private void WriteNamed(string url, string what, List<string> ids, string actions)
    {
        foreach (var id in ids.Take(MaxNamed))
        {
            LogNamed(what, id, $"{url}/{id}/{{{actions}}}");
        }

        if (ids.Count > MaxNamed)
        {
            LogMore(ids.Count - MaxNamed, url);
        }
    }

    // What the program that Harness is a part of has mapped itself.
    private void WriteOwnRoutes()
    {
        foreach (var route in routes.Endpoints.OfType<RouteEndpoint>().Where(route => route.Metadata.GetMetadata<OwnRoute>() is null))
        {
            var methods = route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["*"];
            var words = route.Metadata.GetMetadata<IEndpointSummaryMetadata>()?.Summary
                ?? route.Metadata.GetMetadata<IEndpointDescriptionMetadata>()?.Description;
            LogOwnRoute(string.Join(' ', methods), $"/{route.RoutePattern.RawText?.TrimStart('/')}", words is null ? "" : $" - {words}");
        }
    }

    [LoggerMessage(11, LogLevel.Information, "{What} {Id}: POST {Route}")]
    private partial void LogNamed(string what, string id, string route);

    [LoggerMessage(12, LogLevel.Information, "and {Count} more: GET {Url}")]
    private partial void LogMore(int count, string url);

    [LoggerMessage(9, LogLevel.Information, "Custom endpoint {Methods} {Path}{Words}")]
    private partial void LogOwnRoute(string methods, string path, string words);

    [LoggerMessage(10, LogLevel.Information, "Swagger UI of all routes available at {Url}/ui, their OpenAPI document at {Url}/doc")]
    private partial void LogPage(string url);

    [LoggerMessage(1, LogLevel.Information, "Starting Harness API server on {Url}")]
    private partial void LogStart(string url);

    [LoggerMessage(2, LogLevel.Information, "Swagger documentation available at {Url}/swagger/index.html")]
    private partial void LogSwagger(string url);

    [LoggerMessage(3, LogLevel.Information, "WebSocket endpoint available at {Url}/ws")]
    private partial void LogSocket(string url);

    [LoggerMessage(4, LogLevel.Information, "Suites that name no agent are answered by: {Agent}")]
    private partial void LogAgent(string agent);

    [LoggerMessage(7, LogLevel.Warning, "Suites that name no agent will fail: {Reason}")]
    private partial void LogNoAgent(string reason);

    [LoggerMessage(8, LogLevel.Information, "Executions are kept {Place}")]
    private partial void LogStore(string place);

    [LoggerMessage(5, LogLevel.Information, "{Keys}; {Reach}")]
    private partial void LogSafety(string keys, string reach);

    [LoggerMessage(6, LogLevel.Information, "Synthetic load executions are {Synthetic} (--synthetic)")]
    private partial void LogSynthetic(string synthetic);
}
