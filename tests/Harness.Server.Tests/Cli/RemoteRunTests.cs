using System.Net;
using System.Net.Sockets;

namespace Harness.Server.Tests.Cli;

public sealed class RemoteRunTests
{
    [Fact]
    public async Task SuiteRunsOnTheServerAndLooksAsItDoesHere()
    {
        using var suite = SuiteFile.Expecting("hello", "no agent says this");
        var (server, address) = await HarnessExecutable.StartServerAsync();
        await using var _ = server;

        var here = await HarnessExecutable.RunAsync("run", suite.Path);
        var there = await HarnessExecutable.RunAsync("run", suite.Path, "--server", address.ToString());

        Assert.Equal(1, there.ExitCode);
        Assert.Equal(WithoutTimesAndUsers(here.Output), WithoutTimesAndUsers(there.Output));
    }

    [Fact]
    public async Task SuiteOfWhichOnlyTheTestsAreWrittenRunsOnTheServer()
    {
        using var suite = SuiteFile.SingleTest();
        var (server, address) = await HarnessExecutable.StartServerAsync();
        await using var _ = server;

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", suite.Path, "--server", address.ToString());

        Assert.True(exitCode == 0, output);
        Assert.Contains("1 passed, 0 failed", output);
    }

    [Fact]
    public async Task InterruptCancelsTheRunOnTheServer()
    {
        using var agent = new SilentAgent();
        using var suite = SuiteFile.ForWebhook(agent.Url);
        var (server, address) = await HarnessExecutable.StartServerAsync();
        await using var _ = server;
        await using var run = HarnessExecutable.Start("run", suite.Path, "--server", address.ToString());
        await run.WaitForLineAsync(line => line.Contains("Interaction Request Payload: hi", StringComparison.Ordinal));

        await run.SignalAsync("INT");

        Assert.Equal(130, await run.WaitForExitAsync());
        Assert.Contains("cancelled: 0 passed", run.Output);
    }

    [Fact]
    public async Task KeyOpensAServerThatAsksForOne()
    {
        using var suite = SuiteFile.Expecting("hello");
        var (server, address) = await HarnessExecutable.StartServerAsync("--host", "127.0.0.1", "--api-key", "s3cret");
        await using var _ = server;

        var without = await HarnessExecutable.RunAsync("run", suite.Path, "--server", address.ToString());
        var wrong = await HarnessExecutable.RunAsync("run", suite.Path, "--server", address.ToString(), "--api-key", "guess");
        var with = await HarnessExecutable.RunAsync("run", suite.Path, "--server", address.ToString(), "--api-key", "s3cret");

        Assert.Equal((2, 2, 0), (without.ExitCode, wrong.ExitCode, with.ExitCode));
        Assert.Contains("pass --api-key", without.Output);
        Assert.Contains("does not accept this API key", wrong.Output);
    }

    [Fact]
    public async Task ServerThatIsNotThereExitsWithTwoAndSaysHowToStartOne()
    {
        using var suite = SuiteFile.Expecting("hello");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", suite.Path, "--server", $"http://127.0.0.1:{port}");

        Assert.Equal(2, exitCode);
        Assert.Contains("Start a server with: harness server", output);
    }

    [Fact]
    public async Task ServerThatSpeaksNoTlsIsNotTakenForOneThatIsNotThere()
    {
        await using var app = await HarnessApp.StartAsync();

        var (exitCode, output) = await HarnessExecutable.RunAsync("list", "--server", $"https://{app.Address.Authority}");

        Assert.Equal(2, exitCode);
        Assert.StartsWith($"No secure connection to wss://{app.Address.Authority}/ws: ", output);
        Assert.DoesNotContain("Start a server", output);
        Assert.DoesNotContain("see inner exception", (await HarnessExecutable.RunAsync("export", "id", "--server", $"https://{app.Address.Authority}")).Output);
    }

    [Fact]
    public async Task SettingsOfTheServerAreNotTakenForARunThere()
    {
        using var suite = SuiteFile.Expecting("hello");

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", suite.Path, "--server", "http://127.0.0.1:1", "--open-api-key", "k");

        Assert.Equal(2, exitCode);
        Assert.Contains("settings of the server", output);
    }

    private static string[] WithoutTimesAndUsers(string output) =>
    [
        .. output.Split('\n')
            .Where(line => !line.StartsWith("User ID:", StringComparison.Ordinal))
            .Select(line => System.Text.RegularExpressions.Regex.Replace(line, @"[0-9a-f]{8}-[0-9a-f-]{27}|\d+\.\d\d", "…")),
    ];
}
