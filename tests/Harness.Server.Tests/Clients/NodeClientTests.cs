namespace Harness.Server.Tests.Clients;

/// <summary>Clients in JavaScript.</summary>
public sealed class NodeClientTests(HubFixture hub)
{
    [Fact]
    public async Task ClientBuiltOnWsSeesTheProtocolItKnows()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.Node(), ClientTools.ClientFile("protocol.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.EndsWith("ok close\n", output);
    }

    [Fact]
    public async Task FetchCallsOfTheSeedStartAndFollowARun()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.Node(), ClientTools.ClientFile("rest.mjs"));

        Assert.True(exitCode == 0, output);
        Assert.Contains("Status: completed", output);
    }
}
