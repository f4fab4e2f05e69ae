using System.Text.Json;
using Harness.Server.Tests.Cli;
using Harness.Server.Tests.Clients;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.SignalR;

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

    [Fact]
    public async Task SampleTellsWhatIsNoLongerKeptAndGoesOnBehindIt()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSignalR();
        await using var app = builder.Build();
        app.MapHub<ForgetfulHub>("/hub");
        await app.StartAsync(TestContext.Current.CancellationToken);
        var address = new Uri(StartBanner.AddressOf(app.Services.GetRequiredService<IServer>()));

        var (exitCode, output) = await RunAsync(address, Repository.File("samples", "signalr-js", "watch.cjs"));

        Assert.Equal((0, "Execution E\nEvents 1 to 3 are no longer kept\nasked from 4\nResult: completed\n"), (exitCode, output));
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

    /// <summary>Keeps no event before the fourth, and ends its first stream when it has said so.</summary>
    internal sealed class ForgetfulHub : Hub
    {
        private readonly string _id = "E";

        public object Execute(JsonElement command) => new { id = _id };

        public IAsyncEnumerable<object> Watch(string id, long from)
        {
            object[] events = from == 0
                ? [new { type = "truncated", id = _id, from = 1, to = 3, reason = "retention" }]
                :
                [
                    new { type = "log", id = _id, message = $"asked from {from}", seq = 4 },
                    new { type = "result", id = _id, data = new { status = "completed" }, seq = 5 },
                ];
            return new object[] { new { events } }.ToAsyncEnumerable();
        }
    }
}
