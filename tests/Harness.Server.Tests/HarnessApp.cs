using Harness.Executions;
using Harness.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Harness.Server.Tests;

/// <summary>
/// The whole server on a real port of this machine, with its own configuration. Requests of <see cref="Client"/> are relative to it and
/// follow no redirects. It keeps executions in memory only, unless a setting of the store says otherwise.
/// </summary>
public sealed class HarnessApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HarnessApp(WebApplication app, LogLines log)
    {
        _app = app;
        Log = log;
        Address = new Uri(StartBanner.AddressOf(app.Services.GetRequiredService<IServer>()));
        Client = CreateClient();
    }

    /// <summary>Where it listens, such as <c>http://127.0.0.1:40123</c>.</summary>
    public Uri Address { get; }

    /// <summary>Where its <c>/ws</c> is.</summary>
    public Uri WebSocketUri => new UriBuilder(Address) { Scheme = "ws", Path = "/ws" }.Uri;

    /// <summary>Sends nothing of its own but what a test tells it to.</summary>
    public HttpClient Client { get; }

    /// <summary>The container, for a look inside.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>What the server's own log says, of every level.</summary>
    public LogLines Log { get; }

    /// <summary>What runs in it.</summary>
    public ExecutionRegistry Executions => Services.GetRequiredService<ExecutionRegistry>();

    /// <summary>Starts a server on a free port.</summary>
    /// <param name="settings">Names without their section are of <c>Harness:Server</c>: <c>("Cors", "false")</c>.</param>
    public static Task<HarnessApp> StartAsync(params (string Name, string? Value)[] settings) => StartAsync(_ => { }, settings);

    /// <summary>Starts a server on a free port, with other services in place of its own.</summary>
    public static async Task<HarnessApp> StartAsync(Action<IServiceCollection> configure, params (string Name, string? Value)[] settings)
    {
        var log = new LogLines();
        var app = HarnessServer.Create([], Complete(settings), services =>
        {
            services.RemoveAll<ILoggerProvider>().AddSingleton<ILoggerProvider>(log);
            configure(services);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new HarnessApp(app, log);
    }

    /// <summary>The settings with their section, and a free port of loopback unless they say otherwise.</summary>
    internal static Dictionary<string, string?> Complete((string Name, string? Value)[] settings)
    {
        var complete = new Dictionary<string, string?>
        {
            [$"{ServerOptions.Section}:{nameof(ServerOptions.Host)}"] = "127.0.0.1",
            [$"{ServerOptions.Section}:{nameof(ServerOptions.Port)}"] = "0",
            [$"{StoreOptions.Section}:{nameof(StoreOptions.MemoryOnly)}"] = "true",
        };
        foreach (var (name, value) in settings)
        {
            complete[name.StartsWith("Harness:", StringComparison.Ordinal) ? name : $"{ServerOptions.Section}:{name}"] = value;
        }

        return complete;
    }

    /// <summary>Another client with its own connections.</summary>
    public HttpClient CreateClient() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = Address };

    /// <summary>Sends a request with headers; the caller reads and disposes the answer.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>Stops the server as a signal would, and waits until it has stopped.</summary>
    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
