namespace Harness.Server.Tests.Clients;

public sealed class CurlTests(HubFixture hub)
{
    [Fact]
    public async Task CurlCallsOfTheSeedStartAndFollowARun()
    {
        var (exitCode, output) = await hub.RunAsync(ClientTools.Curl(), ClientTools.ClientFile("rest.sh"));

        Assert.True(exitCode == 0, output);
        Assert.Contains("\"status\":\"healthy\"", output);
        Assert.Contains("\"status\":\"completed\"", output);
    }
}
