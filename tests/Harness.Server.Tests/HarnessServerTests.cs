using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Harness.Server.Tests;

public sealed class HarnessServerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TakenPortIsOneLineAndExitCode1()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var log = new LogLines();
        var app = Create(log, ("Port", $"{port}"));

        var exitCode = await HarnessServer.RunAsync(app);

        Assert.Equal(1, exitCode);
        Assert.Contains(
            $"Error Port {port} on 127.0.0.1 is in use; choose another with --port, or stop what listens there (lsof -i :{port})",
            log.Lines);
    }

    [Fact]
    public async Task ServerThatIsToldToStopEndsWithExitCode0()
    {
        var app = Create(new LogLines());
        app.Lifetime.ApplicationStarted.Register(app.Lifetime.StopApplication);

        Assert.Equal(0, await HarnessServer.RunAsync(app));
    }

    [Theory]
    [InlineData("Port", "abc", "'abc' at 'Harness:Server:Port'")]
    [InlineData("Port", "70000", "between 0 and 65535")]
    [InlineData("LogFormat", "xml", "'xml' at 'Harness:Server:LogFormat'")]
    [InlineData("ApiKeys:0", "", "An API key is empty")]
    [InlineData("ApiKeys:0", " ", "An API key is empty")]
    [InlineData("ApiKeys:0", "sha256:s3cret", "An API key that begins with 'sha256:' has 64 hexadecimal digits after it")]
    [InlineData("CorsOrigins:0", "my.page", "An origin is scheme and host")]
    [InlineData("CorsOrigins:0", "https://my.page/path", "An origin is scheme and host")]
    [InlineData("CorsOrigins:0", "https://my.page,https://my.other.page", "An origin is scheme and host")]
    [InlineData("CorsOrigins:0", "https://*.my.page", "An origin is scheme and host")]
    [InlineData("CorsOrigins:0", "https://my.page:443", "An origin is scheme and host")]
    [InlineData("ApiKeys:0", "SHA256:s3cret", "An API key that begins with 'sha256:' has 64 hexadecimal digits after it")]
    [InlineData(
        "ApiKeys:0", "sha256:s3cret3333333333333333333333333333333333333333333333333333333333", "An API key that begins with 'sha256:' has 64 hexadecimal digits")]
    [InlineData("ApiKeys", "secret", "Harness:Server:ApiKeys is a list")]
    [InlineData("CorsOrigins", "https://my.page", "Harness:Server:CorsOrigins is a list")]
    [InlineData("Harness:Executions:MaxConcurrent", "0", "MaxConcurrent")]
    [InlineData("ApiKye:0", "s3cret", "Harness:Server:ApiKye is no setting; Harness:Server has Port, Host, Debug, ")]
    [InlineData("Harness:Executions:MaxConcurent", "1", "Harness:Executions:MaxConcurent is no setting; Harness:Executions has ")]
    [InlineData("Harness:Store:Retentoin", "1.00:00:00", "Harness:Store:Retentoin is no setting; Harness:Store has ")]
    [InlineData("Harness:Workflows:Folders:0", "x", "Harness:Workflows:Folders is no setting; Harness:Workflows has Folder.")]
    [InlineData("MaxConnections:0", "5", "Harness:Server:MaxConnections:0 is no setting; Harness:Server:MaxConnections has one value.")]
    [InlineData("Host:Name", "localhost", "Harness:Server:Host:Name is no setting; Harness:Server:Host has one value.")]
    [InlineData("Harness:Sever:Port", "1", "Harness:Sever is no setting; Harness has Executions, Generations, Server, Store, Workflows, Agents.")]
    [InlineData(
        "Harness:Generations:Providers:mine:Key", "s3cret", "Harness:Generations:Providers:mine:Key is no setting; Harness:Generations:Providers:mine has BaseUrl, ApiKey.")]
    public async Task WrongSettingIsNamed(string name, string value, string part)
    {
        var log = new LogLines();
        try
        {
            Assert.Equal(1, await HarnessServer.RunAsync(Create(log, (name, value))));
        }
        catch (ServerStartException e)
        {
            log.Add(e.Message);
        }

        Assert.Contains(log.Lines, line => line.Contains(part) && !line.Contains('\n'));
        Assert.DoesNotContain(log.Lines, line => line.Contains("s3cret"));
    }

    [Theory]
    [InlineData(null, null, "127.0.0.1", true)]
    [InlineData("", null, "127.0.0.1", true)]
    [InlineData(null, "key", "0.0.0.0", false)]
    [InlineData("127.0.0.1", "key", "127.0.0.1", true)]
    [InlineData("0.0.0.0", null, "0.0.0.0", false)]
    [InlineData("localhost", null, "127.0.0.1", true)]
    [InlineData("::1", null, "::1", true)]
    [InlineData("*", null, "0.0.0.0", false)]
    public void HostDependsOnKeysUnlessItIsSet(string? host, string? key, string address, bool isLoopback)
    {
        var options = new ServerOptions { Host = host, ApiKeys = key is null ? [] : [key] };

        Assert.Equal(IPAddress.Parse(address), ListenAddress.Resolve(options));
        Assert.Equal(isLoopback, ListenAddress.IsLoopback(options));
    }

    [Fact]
    public async Task TestServerOfAspNetCoreHostsItToo()
    {
        await using var factory = new WebApplicationFactory<ServerOptions>();
        using var client = factory.CreateClient();

        using var response = await client.GetAsync("/health", Stop);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task BannerTellsWhereWhoAndForWhom()
    {
        await using var app = await HarnessApp.StartAsync();
        var authority = app.Address.Authority;

        Assert.Contains($"Information Starting Harness API server on http://{authority}", app.Log.Lines);
        Assert.Contains($"Information Swagger documentation available at http://{authority}/swagger/index.html", app.Log.Lines);
        Assert.Contains($"Information WebSocket endpoint available at ws://{authority}/ws", app.Log.Lines);
        Assert.Contains(app.Log.Lines, line => line.Contains("Suites that name no agent"));
        Assert.Contains(app.Log.Lines, line => line.Contains("No API key is asked for; only this machine can connect"));
        Assert.Contains("Information Synthetic load executions are off (--synthetic)", app.Log.Lines);
    }

    [Fact]
    public async Task BannerTellsThatKeysAreAskedFor()
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "very secret"), ("Swagger", "false"));

        Assert.Contains(app.Log.Lines, line => line.Contains("Every request but /health needs an API key"));
        Assert.DoesNotContain(app.Log.Lines, line => line.Contains("/swagger"));
    }

    private static WebApplication Create(LogLines log, params (string Name, string? Value)[] settings) => HarnessServer.Create(
        [], HarnessApp.Complete(settings), services => services.RemoveAll<ILoggerProvider>().AddSingleton<ILoggerProvider>(log));
}
