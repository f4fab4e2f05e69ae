using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Harness.Cli.Hub;
using Harness.Server.Tests.Cli;
using Harness.Server.Tests.Transports;

namespace Harness.Server.Tests.Clients;

/// <summary>Samples that survive lost connections, over a network that loses them.</summary>
public sealed partial class ResumeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PythonSampleShowsEveryLineOnce()
    {
        var python = ClientTools.PythonWithWebSockets();
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        await using var proxy = new FlakyProxy(app.Address, 30_000, 0, 60_000);
        var id = await StartAsync(app, new { lines = 1000, watchers = 1 });

        await using var client = Start(python, app, proxy, Repository.File("samples", "python", "resume.py"), id);
        var exitCode = await client.WaitForExitAsync();

        Assert.True(exitCode == 0, client.Output);
        Assert.Equal(0, proxy.CutsLeft);
        Assert.Equal(3, client.Output.Split('\n').Count(line => line.StartsWith("[LOST]", StringComparison.Ordinal)));
        Assert.Equal(Enumerable.Range(2, 1000), LineNumber().Matches(client.Output).Select(match => int.Parse(match.Groups[1].Value, null)));
        Assert.EndsWith("[RESULT] completed\n", client.Output);
    }

    [Fact]
    public async Task PythonSampleStartsTheExampleOnce()
    {
        var python = ClientTools.PythonWithWebSockets();
        await using var app = await HarnessApp.StartAsync();

        // The upgrade comes through, the answer to execute does not.
        await using var proxy = new FlakyProxy(app.Address, 200);
        await using var client = Start(python, app, proxy, Repository.File("samples", "python", "resume.py"));
        var exitCode = await client.WaitForExitAsync();

        Assert.True(exitCode == 0, client.Output);
        Assert.Equal(0, proxy.CutsLeft);
        Assert.Single(app.Executions.List());
        Assert.Contains("Interaction Request Payload: hi", client.Output);
    }

    [Fact]
    public async Task PythonSampleDoesNotTryAgainWithoutAKey()
    {
        var python = ClientTools.PythonWithWebSockets();
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "right"));
        await using var proxy = new FlakyProxy(app.Address);

        await using var client = Start(python, app, proxy, Repository.File("samples", "python", "resume.py"));
        var exitCode = await client.WaitForExitAsync();

        Assert.Equal(1, exitCode);
        Assert.Contains("HTTP 401", client.Output);
        Assert.DoesNotContain("[LOST]", client.Output);
    }

    [Fact]
    public async Task PythonSampleShowsEveryLineAtOnceAndFailsWithWhatItWatches()
    {
        var python = ClientTools.PythonWithWebSockets();
        var (app, kind) = await ManualKind.StartAppAsync();
        await using var stopping = app;
        await using var proxy = new FlakyProxy(app.Address);
        var execution = await kind.StartAsync(app, "one line");

        await using var client = Start(python, app, proxy, Repository.File("samples", "python", "resume.py"), execution.Id);
        await client.WaitForLineAsync(line => line == "[2] one line");
        Assert.True(app.Executions.TryCancel(execution));
        var exitCode = await client.WaitForExitAsync();

        Assert.Equal(1, exitCode);
        Assert.EndsWith("[RESULT] cancelled\n", client.Output);
    }

    [Fact]
    public async Task PythonSampleComesBackLaterToAServerThatHasTooManyConnections()
    {
        var python = ClientTools.PythonWithWebSockets();
        await using var app = await HarnessApp.StartAsync(("MaxConnections", "1"));
        await using var proxy = new FlakyProxy(app.Address);
        using var only = await SocketClient.ConnectAsync(app);
        Assert.Contains("pong", await only.AskAsync("""{"action":"ping"}"""), StringComparison.Ordinal);

        await using var client = Start(python, app, proxy, Repository.File("samples", "python", "resume.py"));
        var line = await client.WaitForLineAsync(line => line.Length > 0);

        var wait = LostLine().Match(line);
        Assert.True(wait.Success, line);
        Assert.InRange(double.Parse(wait.Groups[1].Value, CultureInfo.InvariantCulture), 4, 8);
    }

    [Fact]
    public async Task LivePageListsStreamsFiltersCancelsAndComesBackWithoutAGap()
    {
        var node = ClientTools.NodeWithChromium();
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        await using var proxy = new FlakyProxy(app.Address, 30_000, 0, 50_000, 10_000);

        await using var client = Start(node, app, proxy, ClientTools.ClientFile("live.mjs"));
        var exitCode = await client.WaitForExitAsync();

        Assert.True(exitCode == 0, client.Output);
        Assert.Equal(0, proxy.CutsLeft);
        Assert.EndsWith("ok cancelled\n", client.Output);
        Assert.DoesNotContain("[PAGE ERROR]", client.Output);
    }

    private static ChildProcess Start(string file, HarnessApp app, FlakyProxy proxy, params string[] args) => ChildProcess.Start(
        file, args, Stop, new Dictionary<string, string?>
        {
            ["HARNESS_WS"] = HubClient.SocketAddress(proxy.Address).ToString(),
            ["HARNESS_DIRECT"] = app.WebSocketUri.ToString(),
            ["HARNESS_API_KEY"] = null,
        });

    private static async Task<string> StartAsync(HarnessApp app, object data)
    {
        var client = new HubClient(app.Address, apiKey: null, TimeProvider.System);
        await using var watch = await client.ExecuteAsync("synthetic", JsonSerializer.SerializeToElement(data), Stop);
        return watch.Id;
    }

    [GeneratedRegex(@"^\[(\d+)\] T=", RegexOptions.Multiline)]
    private static partial Regex LineNumber();

    [GeneratedRegex(@"^\[LOST\] 4504 1 connections are open, which is the limit: again in (\S+) s, from event 1$")]
    private static partial Regex LostLine();
}
