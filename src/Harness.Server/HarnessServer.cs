using Harness.Executions;
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

            var executions = app.Services.GetRequiredService<ExecutionRegistry>();
            var warmUp = WarmUp.RunAsync(app.Logger, () => executions.ActiveCount > 0, app.Lifetime.ApplicationStopping);
            await app.WaitForShutdownAsync();
            await warmUp;
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
            HarnessWeb.AddServices(builder);
            builder.Services.AddSingleton<StartFailure>();
            builder.Services.AddSingleton<IHostLifetime>(
                provider => ActivatorUtilities.CreateInstance<SignalLifetime>(provider, (Action<int>)Environment.Exit));
            configure(builder.Services);
            return builder.Build().MapHarness();
        }
        catch (Exception e) when (StartFailure.Describe(e) is { } failure)
        {
            throw new ServerStartException(failure, e);
        }
    }

    private static void Listen(KestrelServerOptions kestrel)
    {
        var options = kestrel.ApplicationServices.GetRequiredService<IOptions<ServerOptions>>().Value;
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.Listen(ListenAddress.Resolve(options), options.Port, listen => listen.UseHarness());
    }
}
