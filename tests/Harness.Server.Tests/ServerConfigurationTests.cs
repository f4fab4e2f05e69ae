using Microsoft.Extensions.Configuration.Memory;

namespace Harness.Server.Tests;

public sealed class ServerConfigurationTests
{
    [Fact]
    public void CallersSettingsBeatEverySource()
    {
        using var configuration = new ConfigurationManager();
        ((IConfigurationBuilder)configuration).Add(new MemoryConfigurationSource
        {
            InitialData = [KeyValuePair.Create("Harness:Server:Port", (string?)"1"), KeyValuePair.Create("Harness:Server:Host", (string?)"a")],
        });

        configuration.AddHarness(["--Harness:Server:Port=2", "--Harness:Server:Debug=true"], [KeyValuePair.Create("Harness:Server:Port", (string?)"3")]);

        Assert.Equal("3", configuration["Harness:Server:Port"]);
        Assert.Equal("true", configuration["Harness:Server:Debug"]);
        Assert.Equal("a", configuration["Harness:Server:Host"]);
    }
}
