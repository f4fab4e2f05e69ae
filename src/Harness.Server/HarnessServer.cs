using System.Text.Encodings.Web;
using Harness.Executions;
using Harness.Server.Dialects.Voiceflow;
using Harness.Server.Dialects.VoltAgent.Workflows;
using Harness.Server.Safety;
using Harness.Server.Swagger;
using Harness.Server.Transports;
using Harness.Server.Transports.Rest;
using Harness.Server.Transports.SignalR;
using Harness.Server.Transports.WebSockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Harness.Server;

/// <summary>The composition root: puts the engine, the transports and the dialects into one web application, and runs it.</summary>
public static class HarnessServer
{
    /// <summary>Builds the server; nothing listens yet.</summary>
    /// <param name="args">Configuration as the host's command line writes it, such as <c>--Harness:Server:Port=9090</c>.</param>
    /// <param name="settings">Configuration that beats every other source, such as <c>Harness:Server:Port</c>; null for none.</param>
    /// <exception cref="ServerStartException">The configuration cannot be used.</exception>
    public static WebApplication Create(string[] args, IEnumerable<KeyValuePair<string, string?>>? settings = null) =>
        Create(args, settings, _ => { });

    /// <summary>Builds the server and runs it; what is wrong with its configuration is one line on the standard error.</summary>
    /// <returns>The process's exit code.</returns>
    /// <inheritdoc cref="Create(string[], IEnumerable{KeyValuePair{string, string?}}?)" path="/param" />
    public static async Task<int> RunAsync(string[] args, IEnumerable<KeyValuePair<string, string?>>? settings = null)
    {
        try
        {
            return await RunAsync(Create(args, settings));
        }
        catch (ServerStartException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return StartFailure.ExitCode;
        }
    }

    /// <summary>Starts the server, says so, and runs it until it is stopped by a signal or from inside.</summary>
    /// <returns>The process's exit code: 0 after a stop, 1 when it could not start; the log then has one line that says why.</returns>
    public static async Task<int> RunAsync(WebApplication app)
    {
        await using (app)
        {
            try
            {
                await app.StartAsync();
            }
            catch (Exception e) when (StartFailure.Describe(e, app.Services) is { } failure)
            {
                app.Services.GetRequiredService<StartFailure>().Write(failure);
                return StartFailure.ExitCode;
            }

            await app.WaitForShutdownAsync();
            return 0;
        }
    }

    /// <summary>As the public one, with a last word on the services for tests.</summary>
    internal static WebApplication Create(
        string[] args, IEnumerable<KeyValuePair<string, string?>>? settings, Action<IServiceCollection> configure)
    {
        try
        {
            // Options are read once: files that change later are not worth a watcher.
            var builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
            builder.Configuration.AddHarness(args, settings?.ToList() ?? []);
            builder.Logging.AddHarness(builder.Configuration.GetSection(ServerOptions.Section));
            builder.WebHost.ConfigureKestrel(Listen);
            AddServices(builder.Services);
            AddWanted(builder.Services, builder.Configuration.GetSection(ServerOptions.Section));
            configure(builder.Services);

            var app = builder.Build();
            UsePipeline(app);
            return app;
        }
        catch (Exception e) when (StartFailure.Describe(e) is { } failure)
        {
            throw new ServerStartException(failure, e);
        }
    }

    private static void AddServices(IServiceCollection services)
    {
        services.AddOptions<ServerOptions>().BindConfiguration(ServerOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<HostOptions>().Configure<IOptions<ServerOptions>>(LimitShutdown);
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        services.AddHarness();
        services.AddSingleton<EngineLifetime>();
        services.AddHostedService(provider => provider.GetRequiredService<EngineLifetime>());
        services.AddSingleton<IHostLifetime>(
            provider => ActivatorUtilities.CreateInstance<SignalLifetime>(provider, (Action<int>)Environment.Exit));
        services.AddSingleton<StartBanner>();
        services.AddSingleton<StartFailure>();
        services.AddSingleton<ApiKeyRing>();
        services.AddSingleton<OriginPolicy>();
        services.AddSingleton<ExecutionCommands>();
        services.AddSingleton<ConnectionLimit>();
        services.AddSingleton<OpenConnections>();
        services.AddSockets();
        services.AddExecutionHub();
        services.AddExecutionEndpoints();
        services.AddVoiceflow();
        services.AddVoltAgentWorkflows();
        services.AddSwagger();
    }

    private static void AddWanted(IServiceCollection services, IConfigurationSection server)
    {
        if (server.GetValue<bool>(nameof(ServerOptions.Synthetic)))
        {
            services.AddSingleton<IExecutionKind, SyntheticKind>();
        }
    }

    private static void UsePipeline(WebApplication app)
    {
        app.UseMiddleware<RequestLog>();
        app.UseMiddleware<CrossOrigin>();
        app.UseErrorAnswers();
        app.UseMiddleware<ApiKeyGate>();
        app.UsePageNotFound();
        app.MapSwagger();
        app.MapSockets();
        app.MapExecutionHub();
        app.MapExecutionEndpoints();
        app.MapVoiceflow();
        app.MapVoltAgentWorkflows();
        app.Lifetime.ApplicationStarted.Register(() => app.Services.GetRequiredService<StartBanner>().Write());
    }

    private static void Listen(KestrelServerOptions kestrel)
    {
        var options = kestrel.ApplicationServices.GetRequiredService<IOptions<ServerOptions>>().Value;
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.Listen(ListenAddress.Resolve(options), options.Port);
    }

    // After the executions, sockets and the web server get a moment of their own to let the last answers out.
    private static void LimitShutdown(HostOptions host, IOptions<ServerOptions> options) =>
        host.ShutdownTimeout = options.Value.ShutdownTimeLimit + TimeSpan.FromSeconds(10);
}
