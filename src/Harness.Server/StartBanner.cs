using Harness.Agents;
using Harness.Server.Safety;
using Harness.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Harness.Server;

/// <summary>Says at the start what runs, where, who answers, and who may call.</summary>
internal sealed partial class StartBanner(
    IServer server,
    IOptions<ServerOptions> options,
    IOptions<StoreOptions> store,
    AgentFactory agents,
    ApiKeyRing keys,
    ILogger<StartBanner> logger)
{
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
        }

        LogSocket(url.Replace("http://", "ws://", StringComparison.Ordinal));
        WriteAgent();
        LogStore(StoreFactory.Describe(store.Value));
        LogSafety(
            keys.IsEmpty ? "No API key is asked for" : "Every request but /health needs an API key",
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
