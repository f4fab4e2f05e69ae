using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class AgentEnvironmentTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("VF_API_KEY", "VoiceflowApiKey")]
    [InlineData("VF_SUBDOMAIN", "VoiceflowSubdomain")]
    [InlineData("VF_RUNTIME_URL", "VoiceflowRuntimeUrl")]
    [InlineData("VF_API_URL", "VoiceflowApiUrl")]
    [InlineData("VF_ANALYTICS_URL", "VoiceflowAnalyticsUrl")]
    [InlineData("OPENAI_API_KEY", "OpenAIApiKey")]
    [InlineData("OPENAI_BASE_URL", "OpenAIBaseUrl")]
    public void EachVariableIsAnOption(string variable, string option)
    {
        var pair = Assert.Single(AgentEnvironment.Read(name => name == variable ? " value " : null));

        Assert.Equal(($"Harness:Agents:{option}", "value"), (pair.Key, pair.Value));
        Assert.NotNull(typeof(AgentOptions).GetProperty(option));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void AVariableThatIsSetButBlankCountsAsUnset(string? value)
    {
        Assert.Empty(AgentEnvironment.Read(_ => value));
    }

    [Theory]
    [InlineData("KEY=value", "value")]
    [InlineData("  KEY = value  ", "value")]
    [InlineData("export KEY=value", "value")]
    [InlineData("KEY=value # comment", "value")]
    [InlineData("KEY=a#b", "a#b")]
    [InlineData("KEY=a=b", "a=b")]
    [InlineData("KEY=", "")]
    [InlineData("KEY= # comment", "")]
    [InlineData("KEY='a # \\n b' # comment", "a # \\n b")]
    [InlineData("KEY=\"a # \\\"b\\\"\\n\\\\\" # comment", "a # \"b\"\n\\")]
    [InlineData("KEY=\"open", "\"open")]
    [InlineData("KEY=first\nKEY=last", "last")]
    [InlineData("\uFEFFKEY=value", "value")]
    public void ALineOfAFileIsReadAsShellsDo(string text, string value)
    {
        Assert.Equal(value, Assert.Single(AgentEnvironment.ReadFile(Write(text))).Value);
    }

    [Theory]
    [InlineData("# KEY=value")]
    [InlineData("")]
    [InlineData("KEY")]
    [InlineData("=value")]
    [InlineData("two words=value")]
    public void OtherLinesAreSkipped(string text)
    {
        Assert.Empty(AgentEnvironment.ReadFile(Write(text)));
    }

    [Fact]
    public void AFileThatIsNotThereHoldsNothing()
    {
        Assert.Empty(AgentEnvironment.ReadFile(Path.Combine(_folder, "none")));
        Assert.Empty(AgentEnvironment.ReadFile(_folder));
    }

    [Fact]
    public void TheRealEnvironmentBeatsTheFileUnlessItIsBlank()
    {
        var file = AgentEnvironment.ReadFile(Write("A=file\nB=file\nC=file"));
        var environment = new Dictionary<string, string?> { ["A"] = "real", ["B"] = " " };

        var lookup = AgentEnvironment.WithFile(environment.GetValueOrDefault, file);

        Assert.Equal(("real", "file", "file", null), (lookup("A"), lookup("B"), lookup("C"), lookup("D")));
    }

    private string Write(string text)
    {
        var path = Path.Combine(_folder, ".env");
        File.WriteAllText(path, text);
        return path;
    }
}
