using Harness.Agents;
using Harness.Generations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Harness.Tests.Generations;

public sealed class AgentCatalogTests
{
    [Fact]
    public void AgentsComeFromCodeConfigurationAndFolder()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "waiter.yaml"), "description: Brings it\nrules: []");
            File.WriteAllText(Path.Combine(folder.FullName, "notes.txt"), "no agent");
            var options = new GenerationOptions
            {
                AgentFolder = folder.FullName,
            };
            var configuration = Configuration(("cook:Model", "groq/llama"), ("cook:SubAgents:0", "waiter"), ("CallTimeLimit", "00:00:10"));

            var catalog = new AgentCatalog([new AgentDefinition { Id = "owner" }], [], Options.Create(options), configuration, TimeProvider.System);

            Assert.Equal(["owner", "cook", "waiter", "demo"], catalog.Agents.Select(agent => agent.Id));
            Assert.Equal("Brings it", catalog.SubAgentsOf(catalog.Find("cook")!)[0].Description);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("shop:Instrutions", "x", "Harness:Agents:shop, Instrutions: 'Instrutions' is not known here; known are name, description, ")]
    [InlineData("shop:rules:0:replay:0", "x", "Harness:Agents:shop, rules[0].replay: 'replay' is not known here; known are when, ")]
    [InlineData("shop:maxSteps", "many", "Harness:Agents:shop, maxSteps: a whole number from 1 is expected here")]
    [InlineData("shop:tools", "current_time", "Harness:Agents:shop, tools: a list is expected here")]
    [InlineData("shop", null, "Harness:Agents:shop is neither a setting nor an agent: settings are Default, ")]
    [InlineData("CallTimeLimits", "00:00:10", "Harness:Agents:CallTimeLimits is neither a setting nor an agent: settings are Default, ")]
    [InlineData("default:model", "scripted", "Harness:Agents:default is a setting with a plain value, so that no agent can have the id 'default'")]
    public void WhatIsMisspeltInTheConfigurationIsRefusedWithItsPlace(string name, string? value, string problem) =>
        Assert.StartsWith(problem, Assert.Throws<AgentException>(() => AgentSection.Read(Configuration((name, value)))).Message);

    [Fact]
    public void DemoAgentCanBeLeftOutOrReplaced()
    {
        Assert.Empty(Catalog(new GenerationOptions { Demo = false }).Agents);
        Assert.Equal("mine", Assert.Single(Catalog(new GenerationOptions(), new AgentDefinition { Id = "demo", Name = "mine" }).Agents).Name);
    }

    [Fact]
    public void WhatCannotBeIsRefusedByName()
    {
        Refused("two agents 'a'", new AgentDefinition { Id = "a" }, new AgentDefinition { Id = "a" });
        Refused("'a b' cannot be used", new AgentDefinition { Id = "a b" });
        Refused("uses the tool 'x', which is not registered; there are current_time", new AgentDefinition { Id = "a", Tools = ["x"] });
        Refused("passes tasks on to 'x', which is not registered; there are a, demo", new AgentDefinition { Id = "a", SubAgents = ["x"] });
        Refused("maxSteps 0", new AgentDefinition { Id = "a", MaxSteps = 0 });
    }

    [Fact]
    public void FolderThatIsNotThereIsNamed()
    {
        var refusal = Assert.Throws<AgentException>(() => Catalog(new GenerationOptions { AgentFolder = "no/such/folder" }));

        Assert.Contains("no/such/folder", refusal.Message);
    }

    [Theory]
    [InlineData("scripted", "scripted", "scripted")]
    [InlineData("gpt-4o-mini", "openai", "gpt-4o-mini")]
    [InlineData("ollama/llama3.2", "ollama", "llama3.2")]
    [InlineData("OpenRouter/meta/llama", "openrouter", "meta/llama")]
    public void ModelIsAProviderAndAName(string model, string provider, string name) =>
        Assert.Equal((provider, name), Generator.ModelOf(new AgentDefinition { Id = "a", Model = model }));

    [Fact]
    public void ProvidersOfTheEnvironmentAreSettings() => Assert.Equal(
        [KeyValuePair.Create<string, string?>("Harness:Generations:Providers:groq:ApiKey", "k")],
        ProviderEnvironment.Read(name => name == "GROQ_API_KEY" ? " k " : null));

    private static void Refused(string problem, params AgentDefinition[] agents) =>
        Assert.Contains(problem, Assert.Throws<AgentException>(() => Catalog(new GenerationOptions(), agents)).Message);

    private static AgentCatalog Catalog(GenerationOptions options, params AgentDefinition[] agents) =>
        new(agents, [], Options.Create(options), Configuration(), TimeProvider.System);

    private static IConfiguration Configuration(params (string Name, string? Value)[] agents) => new ConfigurationBuilder()
        .AddInMemoryCollection(agents.Select(setting => KeyValuePair.Create($"Harness:Agents:{setting.Name}", setting.Value)))
        .Build();
}
