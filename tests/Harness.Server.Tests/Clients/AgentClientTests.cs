using Harness.Server.Tests.Cli;

namespace Harness.Server.Tests.Clients;

/// <summary>The examples of the VoltAgent Core API, against agents of a folder.</summary>
public sealed class AgentClientTests
{
    [Fact]
    public async Task CurlExamplesOfTheApiAreAnswered()
    {
        var output = await RunAsync(ClientTools.Curl(), "agents.sh");

        Assert.Contains("See you at the end!", output);
        Assert.Contains("\"object\":{\"name\":\"John Doe\",\"age\":30}", output);
        Assert.Contains("data: {\"object\":{\"name\":\"Alice\",\"city\":\"Wonderland\"},", output);
        Assert.Contains("Administration for enterprise, in English.", output);
        Assert.Contains("\"subAgentId\":\"your-agent-id\"", output);
        Assert.Contains("gave up", output);
        Assert.EndsWith("done\n", output);
    }

    [Fact]
    public async Task FetchExamplesOfTheApiReadAndAbortStreams()
    {
        var output = await RunAsync(ClientTools.Node(), "agents.mjs");

        Assert.Contains("Text: What \n", output);
        Assert.Contains("Stream completed successfully\nRequest was cancelled\nWatcher saw: USER_CANCELLED\n", output);
    }

    [Fact]
    public async Task FolderThatIsNotThereKeepsTheServerFromStarting()
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync("server", "--port", "0", "--agents", "no/such/folder");

        Assert.Equal(1, exitCode);
        Assert.StartsWith("The agents' folder no/such/folder cannot be read: ", output);
    }

    private static async Task<string> RunAsync(string program, string file)
    {
        var (server, address) = await HarnessExecutable.StartServerAsync("--agents", ClientTools.ClientFile("agents"));
        await using var ended = server;
        await using var client = ChildProcess.Start(
            program,
            [ClientTools.ClientFile(file)],
            TestContext.Current.CancellationToken,
            new Dictionary<string, string?> { ["HARNESS_HTTP"] = $"http://{address.Authority}" });
        var exitCode = await client.WaitForExitAsync();

        Assert.True(exitCode == 0, client.Output);
        return client.Output;
    }
}
