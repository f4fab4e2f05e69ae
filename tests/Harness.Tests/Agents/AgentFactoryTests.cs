using System.ComponentModel.DataAnnotations;
using Harness.Agents;
using Microsoft.Extensions.Options;

namespace Harness.Tests.Agents;

public sealed class AgentFactoryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<AgentSettings, AgentOptions, string> Choices => new()
    {
        { new(), new(), "demo" },
        { new() { Connector = " " }, new() { Default = "", VoiceflowApiKey = " ", ScriptFile = "" }, "demo" },
        { new() { ApiKey = "k" }, new(), "voiceflow" },
        { new(), new() { VoiceflowApiKey = "k" }, "voiceflow" },
        { new() { ApiKey = "k" }, new() { Default = "demo", VoiceflowApiKey = "k" }, "demo" },
        { new() { Connector = "demo" }, new() { Default = "openai", VoiceflowApiKey = "k" }, "demo" },
        { new() { Connector = "Demo" }, new(), "demo" },
        { new() { Connector = "scripted" }, new(), "demo" },
        { new() { Connector = "scripted", Options = Given.Json("""{"rules":[]}""") }, new(), "scripted" },
        { new() { Connector = "webhook", Options = Given.Json("""{"url":"http://a"}""") }, new() { VoiceflowApiKey = "k" }, "webhook" },
        { new(), new() { Default = "openai", OpenAIApiKey = "k" }, "openai" },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public void TheRequestBeatsTheServerBeatsTheKeyBeatsTheDemo(AgentSettings settings, AgentOptions options, string name)
    {
        using var factory = Given.Factory(options);

        Assert.Equal(name, factory.Create(settings).Name);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("grpc")]
    public void AnUnknownAgentIsToldTheValidOnes(string connector)
    {
        using var factory = Given.Factory();

        var failure = Assert.Throws<AgentException>(() => factory.Create(new AgentSettings { Connector = connector }));

        Assert.Equal($"There is no agent '{connector}'; valid are voiceflow, demo, scripted, webhook, openai", failure.Message);
    }

    public static TheoryData<AgentOptions, string> Banners => new()
    {
        { new(), "demo (built-in scripted agent; no Voiceflow key is set)" },
        { new() { Default = "demo" }, "demo (built-in scripted agent)" },
        { new() { VoiceflowApiKey = "s3cret" }, "voiceflow (https://general-runtime.voiceflow.com)" },
        { new() { VoiceflowApiKey = "s3cret", VoiceflowSubdomain = "eu" }, "voiceflow (https://general-runtime.eu.voiceflow.com)" },
        { new() { Default = "openai", OpenAIApiKey = "s3cret" }, "openai (gpt-4o at https://api.openai.com/v1)" },
    };

    [Theory]
    [MemberData(nameof(Banners))]
    public void TheBannerSaysInPlainWordsWhoAnswers(AgentOptions options, string description)
    {
        using var factory = Given.Factory(options);

        Assert.Equal(description, factory.DefaultDescription);
    }

    [Fact]
    public void AWebhookIsDescribedWithoutItsQuery()
    {
        using var factory = Given.Factory();
        var options = Given.Json("""{"url":"https://a.example/hook?token=s3cret"}""");

        Assert.Equal(
            "webhook (https://a.example/hook)",
            factory.Create(new AgentSettings { Connector = "webhook", Options = options }).Description);
    }

    [Fact]
    public async Task AScriptOfTheRequestAnswers()
    {
        using var factory = Given.Factory();
        var options = Given.Json("""{"type":"scripted","name":"Echo","rules":[{"when":"any","reply":["<{text}>"]}]}""");

        var agent = factory.Create(new AgentSettings { Connector = "scripted", Options = options });

        Assert.Equal("scripted (Echo, rules of the request)", agent.Description);
        Assert.Equal(["<hi>"], await agent.Open("u1").SayAsync("hi", Stop));
    }

    [Fact]
    public async Task AScriptFileOfTheServerIsItsDefaultAgent()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory().FullName, "shop.yaml");
        await File.WriteAllTextAsync(file, "name: Shop\nrules: [{ when: any, reply: [welcome] }]", Stop);
        using var factory = Given.Factory(new AgentOptions { ScriptFile = file });

        var agent = factory.Create(new AgentSettings());

        Assert.Equal("scripted (Shop, shop.yaml)", agent.Description);
        Assert.Equal(["welcome"], await agent.Open("u1").SayAsync("hi", Stop));
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Theory]
    [InlineData("script")]
    [InlineData("file")]
    [InlineData("path")]
    [InlineData("script_file")]
    public void ARequestCannotNameAFileOfTheServer(string property)
    {
        using var factory = Given.Factory();
        var options = Given.Json($$"""{"type":"scripted","{{property}}":"/etc/passwd"}""");

        Assert.Equal("demo", factory.Create(new AgentSettings { Connector = "scripted", Options = options }).Name);
    }

    [Fact]
    public async Task EachAgentBeginsWithNoUsers()
    {
        using var factory = Given.Factory();

        await factory.Create(new AgentSettings()).Open("u1").SayAsync("my name is Ada", Stop);

        Assert.StartsWith(
            "hello there", Assert.Single(await factory.Create(new AgentSettings()).Open("u1").SayAsync("hi", Stop)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AModelInCodeTakesTheEndpointsPlace()
    {
        using var factory = new AgentFactory(Options.Create(new AgentOptions())) { Model = new ScriptedModel("yes") };

        Assert.Equal("yes", await factory.CreateModel().CompleteAsync(new ModelPrompt("m", []), Stop));
    }

    [Fact]
    public void ALanguageModelWithoutAKeySaysWhichOne()
    {
        using var factory = Given.Factory();

        var failure = Assert.Throws<AgentException>(() => factory.Create(new AgentSettings { Connector = "openai" }));

        Assert.StartsWith("The openai agent needs OPENAI_API_KEY (or --open-api-key)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheDefaultsOfTheOptionsAreWithinTheirRanges()
    {
        var options = new AgentOptions();

        Validator.ValidateObject(options, new ValidationContext(options), validateAllProperties: true);
    }
}
