using System.Text.Encodings.Web;
using Harness.Executions;
using Harness.Generations;
using Harness.Server.Dialects.Voiceflow;
using Harness.Server.Dialects.VoltAgent;
using Harness.Server.Safety;
using Harness.Server.Swagger;
using Harness.Server.Transports;
using Harness.Server.Transports.Rest;
using Harness.Server.Transports.SignalR;
using Harness.Server.Transports.WebSockets;
using Harness.Storage;
using Harness.Workflows;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Harness.Server;

/// <summary>Harness inside a web application of another program: samples/embedded is one.</summary>
public static class HarnessWeb
{
    private const string KeysSetting = $"{ServerOptions.Section}:{nameof(ServerOptions.ApiKeys)}";
    private const string OriginsSetting = $"{ServerOptions.Section}:{nameof(ServerOptions.CorsOrigins)}";

    // What is no member of a list is overlooked; and an empty key is most often of a variable that is not set. Who wrote it wants a key to be asked for.
    private const string KeysAreAList = $"{KeysSetting} is a list: set HARNESS_API_KEYS, or Harness__Server__ApiKeys__0.";
    private const string OriginsAreAList = $"{OriginsSetting} is a list: use --cors-origin, or Harness__Server__CorsOrigins__0.";
    private const string BlankKey = "An API key is empty; give it a value, or leave it out to ask for none.";

    private const string NoOrigin = "An origin is scheme and host, and the port where it is not the usual one, such as https://my.page; or * for all "
        + "(--cors-origin, Harness:Server:CorsOrigins).";

    private const string HalfConcealedKey = "An API key that begins with 'sha256:' has 64 hexadecimal digits after it: the SHA-256 hash of the key.";

    /// <summary>
    /// Adds the engine, the transports and the dialects; agents and tools are registered on what it gives back. Settings come from the
    /// program's configuration, sections <c>Harness:…</c>, and from the environment. Where the program listens is its own business.
    /// </summary>
    /// <exception cref="Harness.Agents.AgentException">The file .env is there and cannot be read.</exception>
    public static HarnessBuilder AddHarness(this WebApplicationBuilder builder)
    {
        builder.Configuration.AddHarness([], []);
        return AddServices(builder);
    }

    /// <summary>
    /// Maps all routes: <c>/ws</c>, <c>/hub</c>, REST, the dialects and their documentation; and guards all routes, also the program's own, by
    /// API keys and origins as <see cref="ServerOptions"/> says. Call it once, before the program's own middleware.
    /// </summary>
    /// <exception cref="Harness.Agents.AgentException">An agent that is registered cannot be used.</exception>
    public static WebApplication MapHarness(this WebApplication app)
    {
        // Agents that cannot be used are told at the start and not at the first request.
        app.Services.GetRequiredService<AgentCatalog>();
        app.UseMiddleware<RequestLog>();
        app.UseMiddleware<CrossOrigin>();
        app.UseErrorAnswers();
        app.UseMiddleware<ApiKeyGate>();
        app.UsePageNotFound();
        app.MapSwagger();
        var routes = app.MapGroup("").WithMetadata(new OwnRoute());
        routes.MapSockets();
        routes.MapExecutionHub();
        routes.MapExecutionEndpoints();
        routes.MapVoiceflow();
        routes.MapVoltAgent();
        app.Lifetime.ApplicationStarted.Register(() => app.Services.GetRequiredService<StartBanner>().Write());
        return app;
    }

    /// <summary>
    /// Lets sockets of <c>/ws</c> leave their request behind: idle ones then cost half the memory. Call it after <c>UseHttps</c>: before, it does
    /// nothing, and without it they work as well. The program's own middleware sees such a request end with its handshake.
    /// </summary>
    public static ListenOptions UseHarness(this ListenOptions listen)
    {
        listen.Use(http => connection => ConnectionHandover.RunAsync(http, connection));
        return listen;
    }

    /// <summary>As <see cref="AddHarness"/>, for a configuration that is whole already.</summary>
    internal static HarnessBuilder AddServices(WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<ServerOptions>().BindConfiguration(ServerOptions.Section).ValidateDataAnnotations()
            .Validate(server => !server.ApiKeys.Any(string.IsNullOrWhiteSpace), BlankKey)
            .Validate(server => server.ApiKeys.All(ApiKeyRing.IsUsable), HalfConcealedKey)
            .Validate(server => server.CorsOrigins.All(OriginPolicy.IsUsable), NoOrigin)
            .Validate<IConfiguration>((_, configuration) => string.IsNullOrEmpty(configuration[KeysSetting]), KeysAreAList)
            .Validate<IConfiguration>((_, configuration) => string.IsNullOrEmpty(configuration[OriginsSetting]), OriginsAreAList)
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<ServerOptions>, SettingNames>();
        services.AddOptions<HostOptions>().Configure<IOptions<ServerOptions>>(LimitShutdown);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

            // What was taken once is shown, or one record would keep a whole list from being shown.
            json.SerializerOptions.MaxDepth = JsonDepth.MaxKept;
        });
        var harness = services.AddHarness();
        services.AddStorage();
        services.AddHostedService<RetentionService>();
        services.AddSingleton<IWorkflowAgent, WorkflowAgents>();
        services.AddSingleton<EngineLifetime>();
        services.AddHostedService(provider => provider.GetRequiredService<EngineLifetime>());
        services.AddSingleton<StartBanner>();
        services.AddSingleton<ApiKeyRing>();
        services.AddSingleton<OriginPolicy>();
        services.AddSingleton<ExecutionCommands>();
        services.AddSingleton<ConnectionLimit>();
        services.AddSingleton<OpenConnections>();
        services.AddSockets();
        services.AddExecutionHub();
        services.AddExecutionEndpoints();
        services.AddVoiceflow();
        services.AddSwagger();
        services.AddVoltAgent();
        AddWanted(services, builder.Configuration.GetSection(ServerOptions.Section));
        return harness;
    }

    private static void AddWanted(IServiceCollection services, IConfigurationSection server)
    {
        if (server.GetValue<bool>(nameof(ServerOptions.Synthetic)))
        {
            services.AddSingleton<IExecutionKind, SyntheticKind>();
        }
    }

    // After the executions, sockets and the web server get a moment of their own to let the last answers out.
    private static void LimitShutdown(HostOptions host, IOptions<ServerOptions> options) =>
        host.ShutdownTimeout = options.Value.ShutdownTimeLimit + TimeSpan.FromSeconds(10);
}
