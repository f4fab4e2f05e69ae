using System.Net.WebSockets;
using System.Text;
using Harness.Server.Tests.Cli;
using Microsoft.AspNetCore.Hosting.Server;

namespace Harness.Server.Tests.Clients;

/// <summary>The programs in samples/, run as they are; samples/csharp is run by <see cref="ReadmeTests"/>.</summary>
public sealed class SampleTests(HubFixture hub)
{
    [Fact]
    public async Task PythonScriptOfTheSeedPrintsEveryLineAndTheResult()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.PythonWithWebSockets(), Repository.File("samples", "python", "run_tests.py"));

        Assert.True(exitCode == 0, output);
        Assert.Contains("[LOG] Interaction Request Payload: hi", output);
        Assert.Contains("[RESULT] {", output);
        Assert.Contains("'status': 'completed'", output);
    }

    [Fact]
    public async Task PythonWithItsDefaultLimitOfOneMebibyteReadsTheResultOfALongRun()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.PythonWithWebSockets(), ClientTools.ClientFile("large_result.py"));

        Assert.True(exitCode == 0, output);
        Assert.Equal("ok completed\n", output);
    }

    [Fact]
    public async Task PythonScriptPollsOverRest()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.Python(), Repository.File("samples", "python", "rest.py"));

        Assert.True(exitCode == 0, output);
        Assert.Contains("Status: completed", output);
        Assert.Contains("  Test suite execution completed successfully", output);
    }

    [Theory]
    [InlineData("run_tests.py")]
    [InlineData("resume.py")]
    [InlineData("rest.py")]
    public async Task PythonSampleBringsTheKeyOfTheEnvironment(string sample)
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "right"));

        var (exitCode, output) = await RunPythonAsync(app.Address, sample, apiKey: "right");

        Assert.True(exitCode == 0, output);
        Assert.Contains("completed", output);
    }

    [Theory]
    [InlineData(null, "The connection was closed before the result\n")]
    [InlineData("""{"type":"result","id":"E","data":{"id":"E","status":"failed"}}""", "[RESULT] {'id': 'E', 'status': 'failed'}\n")]
    public async Task PythonScriptOfTheSeedFailsWithoutACompletedResult(string? answer, string said)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.UseWebSockets();
        app.Map("/ws", context => AnswerAsync(context, answer));
        await app.StartAsync(TestContext.Current.CancellationToken);

        var (exitCode, output) = await RunPythonAsync(new Uri(StartBanner.AddressOf(app.Services.GetRequiredService<IServer>())), "run_tests.py");

        Assert.Equal((1, said), (exitCode, output));
    }

    [Fact]
    public async Task BrowserScriptOfTheSeedRunsUnderNode()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.Node(), ClientTools.ClientFile("browser_script.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.Contains("[LOG] Interaction Request Payload: hi", output);
        Assert.Contains("Status: completed", output);
    }

    [Fact]
    public async Task PageShowsLinesAndResultInABrowser()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.NodeWithChromium(), ClientTools.ClientFile("page.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.Contains("Status: completed", output);
        Assert.Contains("[LOG] Interaction Request Payload: hi", output);
        Assert.Contains("[RESULT] completed", output);
    }

    [Fact]
    public async Task LivePageIsReadWithTheKeyboardInOlderLinesAndBackAndForth()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.NodeWithChromium(), ClientTools.ClientFile("live_reading.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.EndsWith("ok the status is known without the events that said it\n", output);
    }

    [Fact]
    public async Task HubOfTheLivePageKeepsApartWhatIsOldAndNewSlowAndGone()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.Node(), ClientTools.ClientFile("hub.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.EndsWith("ok an error that does not say of which execution ends the watch that asked\n", output);
    }

    [Fact]
    public async Task LogOfTheLivePageIsReadInFloodsInAWindowThatTurnsAndWithLongLines()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.NodeWithChromium(), ClientTools.ClientFile("live_log.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.EndsWith("ok long lines are forgotten sooner\n", output);
    }

    [Fact]
    public async Task DocumentationPageAsksAnewWhenTheKeyInItsAddressIsRefused()
    {
        var node = ClientTools.NodeWithChromium();
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "right"));
        await using var client = ChildProcess.Start(
            node, [ClientTools.ClientFile("page_key.mjs")], TestContext.Current.CancellationToken,
            new Dictionary<string, string?> { ["HARNESS_HTTP"] = $"http://{app.Address.Authority}" });
        var exitCode = await client.WaitForExitAsync();

        Assert.True(exitCode == 0, client.Output);
        Assert.Equal("ok\n", client.Output);
    }

    [Fact]
    public async Task LivePageAsksForTheKeyAndBringsItOutsideTheAddress()
    {
        var node = ClientTools.NodeWithChromium();
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "rïght/?"));
        await using var client = ChildProcess.Start(
            node, [ClientTools.ClientFile("live_key.mjs")], TestContext.Current.CancellationToken,
            new Dictionary<string, string?> { ["HARNESS_WS"] = app.WebSocketUri.ToString() });
        var exitCode = await client.WaitForExitAsync();

        Assert.True(exitCode == 0, client.Output);
        Assert.Equal("ok the page asks for a key\n", client.Output);
    }

    [Fact]
    public async Task WscatShowsEveryFrameOfThePastedMessage()
    {
        var message = await File.ReadAllTextAsync(Repository.File("samples", "websocat", "execute.json"), TestContext.Current.CancellationToken);
        await using var wscat = await hub.StartAsync(
            ClientTools.Node(), ClientTools.ClientFile("node_modules/wscat/bin/wscat"), "-c", "ws://localhost:8080/ws", "-x", message, "-w", "-1");

        var result = await wscat.WaitForLineAsync(line => line.Contains("\"type\":\"result\"", StringComparison.Ordinal));

        Assert.Contains("\"status\":\"completed\"", result);
        Assert.Contains("\"type\":\"log\"", wscat.Output);
    }

    /// <summary>A server that answers the first message and stops.</summary>
    private static async Task AnswerAsync(HttpContext context, string? answer)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await socket.ReceiveAsync(new byte[4096], context.RequestAborted);
        if (answer is not null)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(answer), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
        }

        await socket.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "the server is stopping", context.RequestAborted);
    }

    private static async Task<(int ExitCode, string Output)> RunPythonAsync(Uri address, string sample, string? apiKey = null)
    {
        var environment = new Dictionary<string, string?>
        {
            ["HARNESS_HTTP"] = $"http://{address.Authority}",
            ["HARNESS_WS"] = $"ws://{address.Authority}/ws",
            ["HARNESS_API_KEY"] = apiKey,
        };
        await using var client = ChildProcess.Start(
            ClientTools.PythonWithWebSockets(), [Repository.File("samples", "python", sample)], TestContext.Current.CancellationToken, environment);
        return (await client.WaitForExitAsync(), client.Output);
    }
}
