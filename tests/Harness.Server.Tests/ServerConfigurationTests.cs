using Harness.Agents;
using Microsoft.Extensions.Configuration.Memory;

namespace Harness.Server.Tests;

public sealed class ServerConfigurationTests
{
    [Fact]
    public void LinesOfAnEnvFileAreRead()
    {
        var variables = DotEnv.Parse(
        [
            "# a comment", "", "VF_API_KEY=VF.DM.1=2", "export OPENAI_API_KEY = \"sk # 1\"", "QUOTED='x y'", "BARE=value # why", "EMPTY=", "=x",
            "no assignment", "BARE=last",
        ]);

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["VF_API_KEY"] = "VF.DM.1=2", ["OPENAI_API_KEY"] = "sk # 1", ["QUOTED"] = "x y", ["BARE"] = "last", ["EMPTY"] = "",
            },
            variables);
    }

    [Fact]
    public void VariablesThatAreSetButEmptyCountAsUnset()
    {
        var variables = new Dictionary<string, string> { ["VF_API_KEY"] = "", ["OPENAI_BASE_URL"] = "http://localhost:1" };

        var settings = AgentVariables.Read(variables.GetValueOrDefault);

        Assert.Equal([KeyValuePair.Create($"{AgentOptions.Section}:OpenAIBaseUrl", (string?)"http://localhost:1")], settings);
    }

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
