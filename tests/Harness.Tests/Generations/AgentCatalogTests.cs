using Harness.Agents;
using Harness.Generations;
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
                Agents = { ["cook"] = new AgentSetting { Model = "groq/llama", SubAgents = ["waiter"] } },
            };

            var catalog = Catalog(options, new AgentDefinition { Id = "owner" });

            Assert.Equal(["owner", "cook", "waiter", "demo"], catalog.Agents.Select(agent => agent.Id));
            Assert.Equal("Brings it", catalog.SubAgentsOf(catalog.Find("cook")!)[0].Description);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

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

    [Fact]
    public void MemoryForgetsTheConversationUnusedLongest()
    {
        var memory = new ConversationMemory(Options.Create(new GenerationOptions { MaxConversations = 2, MaxMessages = 2 }));
        ConversationKey Key(string id) => new("a", "u", id);

        memory.Remember(Key("1"), [new ChatMessage("user", "one")]);
        memory.Remember(Key("2"), [new ChatMessage("user", "two")]);
        memory.Remember(Key("1"), [new ChatMessage("user", "three"), new ChatMessage("user", "four")]);
        memory.Remember(Key("3"), [new ChatMessage("user", "five")]);

        Assert.Equal(2, memory.Count);
        Assert.Empty(memory.Recall(Key("2"), 10));
        Assert.Equal(["three", "four"], memory.Recall(Key("1"), 10).Select(message => message.Text));
    }

    [Fact]
    public void MemoryStaysWithinItsBytes()
    {
        var memory = new ConversationMemory(Options.Create(new GenerationOptions { MaxMemoryBytes = 10_000 }));

        for (var i = 0; i < 100; i++)
        {
            memory.Remember(new ConversationKey("a", "u", $"{i}"), [new ChatMessage("user", new string('x', 1_000))]);
        }

        Assert.InRange(memory.Count, 1, 4);
    }

    private static void Refused(string problem, params AgentDefinition[] agents) =>
        Assert.Contains(problem, Assert.Throws<AgentException>(() => Catalog(new GenerationOptions(), agents)).Message);

    private static AgentCatalog Catalog(GenerationOptions options, params AgentDefinition[] agents) =>
        new(agents, [], Options.Create(options), TimeProvider.System);
}
