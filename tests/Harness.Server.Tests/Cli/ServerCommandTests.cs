using System.Net;
using Harness.Storage.Tests;

namespace Harness.Server.Tests.Cli;

public sealed class ServerCommandTests
{
    [Fact]
    public async Task SettingsThatAreNoJsonKeepTheServerFromStartingInOneLine()
    {
        using var data = new DataFolder();
        var folder = Directory.CreateDirectory(data.NewOptions().Data).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "appsettings.json"), "{\"Harness\": {", TestContext.Current.CancellationToken);

        await using var server = ChildProcess.Start(
            "dotnet", ["exec", HarnessExecutable.Path, "server", "--port", "0", "--memory"], TestContext.Current.CancellationToken, HarnessExecutable.Environment, folder);

        Assert.Equal(1, await server.WaitForExitAsync());
        Assert.StartsWith($"Failed to load configuration from file '{Path.Combine(folder, "appsettings.json")}'. ", server.Output);
        Assert.Single(server.Output.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task ServerAnswersAndTerminatesWithZero()
    {
        var (server, address) = await HarnessExecutable.StartServerAsync();
        await using var _ = server;
        using var client = new HttpClient { BaseAddress = address };

        var health = await client.GetStringAsync("/health", TestContext.Current.CancellationToken);
        await server.SignalAsync("TERM");

        Assert.Contains("healthy", health);
        Assert.Equal(0, await server.WaitForExitAsync());
    }

    [Fact]
    public async Task SecondSignalEndsAtOnceWhileAnExecutionUnwinds()
    {
        var (server, _) = await HarnessExecutable.StartServerAsync();
        await using var process = server;

        await server.SignalAsync("INT");
        await server.SignalAsync("INT");

        Assert.Contains(await server.WaitForExitAsync(), new[] { 0, 130 });
    }

    [Fact]
    public async Task PortThatIsTakenExitsWithOneAndIsNamed()
    {
        var (server, address) = await HarnessExecutable.StartServerAsync();
        await using var _ = server;

        var (exitCode, output) = await HarnessExecutable.RunAsync("server", "--memory", "--port", $"{address.Port}");

        Assert.Equal(1, exitCode);
        Assert.Contains($"{address.Port}", output);
        Assert.DoesNotContain("   at ", output);
    }

    [Theory]
    [InlineData(HttpStatusCode.OK)]
    [InlineData(HttpStatusCode.NotFound, "--swagger=false")]
    [InlineData(HttpStatusCode.NotFound, "--swagger", "false")]
    public async Task SwaggerCanBeTurnedOff(HttpStatusCode expected, params string[] flags)
    {
        var (server, address) = await HarnessExecutable.StartServerAsync(flags);
        await using var _ = server;
        using var client = new HttpClient { BaseAddress = address };

        using var answer = await client.GetAsync("/swagger/index.html", TestContext.Current.CancellationToken);

        Assert.Equal(expected, answer.StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false, "--cors=false")]
    [InlineData(false, "--cors", "false")]
    public async Task CorsCanBeTurnedOff(bool expected, params string[] flags)
    {
        var (server, address) = await HarnessExecutable.StartServerAsync(flags);
        await using var _ = server;
        using var client = new HttpClient { BaseAddress = address };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health");
        request.Headers.Add("Origin", "http://localhost:3000");

        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(expected, answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("--port", "65536")]
    [InlineData("--port", "http")]
    [InlineData("--log-format", "xml")]
    public async Task WrongUsageExitsWithTwo(params string[] flags)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync(["server", .. flags]);

        Assert.Equal(2, exitCode);
        Assert.Contains("See: harness server --help", output);
    }
}
