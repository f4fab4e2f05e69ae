using Harness.Server.Tests.Cli;
using Harness.Server.Tests.Clients;

namespace Harness.Server.Tests.Transports.SignalR;

/// <summary>npm's @microsoft/signalr with and without @microsoft/signalr-protocol-msgpack.</summary>
public sealed class JavaScriptClientTests
{
    [Fact]
    public async Task ClientOfNpmSeesEverythingInBothProtocols()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));

        var (exitCode, output) = await RunAsync(app, ClientTools.ClientFile("signalr.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.EndsWith("ok messagepack: resume\n", output);
        TestContext.Current.TestOutputHelper!.WriteLine(output);
    }

    [Fact]
    public async Task PageOfAnotherLoopbackOriginUsesTheHubInBothProtocols()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        ClientTools.NodeWithChromium();

        var (exitCode, output) = await RunAsync(app, ClientTools.ClientFile("signalr_page.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.Equal("json: 1002 events\nmessagepack: 1002 events\n", output);
    }

    [Fact]
    public async Task PageOfTheServersOwnUsesSocketsAndTheHubWithinItsHttp2Connection()
    {
        await using var app = await TlsApp.StartAsync(("Synthetic", "true"));
        ClientTools.NodeWithChromium();

        var (exitCode, output) = await RunAsync(TlsApp.AddressOf(app), ClientTools.ClientFile("http2_page.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.Equal("ws: 1002 events\njson: 1002 events\nmessagepack: 1002 events\n", output);
        await app.Log.WaitForAsync(line => line.StartsWith("Debug CONNECT /ws answered 200", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData]
    [InlineData("--msgpack")]
    public async Task SamplePrintsEveryLineAndTheResult(params string[] args)
    {
        await using var app = await HarnessApp.StartAsync();

        var (exitCode, output) = await RunAsync(app, [Repository.File("samples", "signalr-js", "watch.cjs"), .. args]);

        Assert.True(exitCode == 0, output);
        Assert.Contains("Interaction Request Payload: hi", output);
        Assert.EndsWith("Result: completed\n", output);
    }

    private static Task<(int ExitCode, string Output)> RunAsync(HarnessApp app, params string[] args) => RunAsync(app.Address, args);

    private static async Task<(int ExitCode, string Output)> RunAsync(Uri address, params string[] args)
    {
        // The packages are those of tests/clients, wherever a sample lies.
        var environment = new Dictionary<string, string?>
        {
            ["HARNESS_HTTP"] = address.GetLeftPart(UriPartial.Authority),
            ["HARNESS_API_KEY"] = null,
            ["NODE_PATH"] = ClientTools.ClientFile("node_modules"),
        };
        await using var client = ChildProcess.Start(ClientTools.Node(), args, TestContext.Current.CancellationToken, environment);
        return (await client.WaitForExitAsync(), client.Output);
    }
}
