using System.Globalization;
using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class OpenAIAgentTests
{
    private readonly List<ModelPrompt> _prompts = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ALaunchIsAnsweredByAnOpeningMessage()
    {
        using var factory = Factory();

        var reply = await factory.Create(Settings("""{"model":"m","instructions":"Sell pizza.","temperature":0.5}""")).Open("u1").SendAsync(AgentTurn.Launch, Stop);

        Assert.Equal(["answer 1"], reply.Messages());
        Assert.Equal("text", Assert.Single(reply.Traces).Type);
        var prompt = Assert.Single(_prompts);
        Assert.Equal(("m", 0.5), (prompt.Model, prompt.Temperature));
        Assert.Equal(["system: Sell pizza.", "user: [The conversation begins. Greet the user with your opening message.]"], Lines(prompt));
    }

    [Fact]
    public async Task TheModelIsShownTheConversationOfTheUserAndOfNoOther()
    {
        using var factory = Factory();
        var agent = factory.Create(Settings("{}"));

        await agent.Open("u1").SayAsync("one", Stop);
        await agent.Open("u2").SayAsync("other", Stop);
        await agent.Open("u1").SayAsync("two", Stop);

        Assert.Equal(["user: one", "assistant: answer 1", "user: two"], Lines(_prompts[2]).Skip(1));
        Assert.Equal("gpt-4o", _prompts[2].Model);
    }

    [Fact]
    public async Task ALaunchForgetsWhatWasSaidBefore()
    {
        using var factory = Factory();
        var conversation = factory.Create(Settings("{}")).Open("u1");

        await conversation.SayAsync("one", Stop);
        await conversation.SendAsync(AgentTurn.Launch, Stop);

        Assert.Equal(2, _prompts[1].Messages.Count);
    }

    [Fact]
    public async Task OnlyTheNewestTurnsAreShown()
    {
        using var factory = Factory();
        var conversation = factory.Create(Settings("{}")).Open("u1");

        for (var turn = 0; turn <= OpenAIAgent.MaxTurns + 1; turn++)
        {
            await conversation.SayAsync(turn.ToString(CultureInfo.InvariantCulture), Stop);
        }

        var last = Lines(_prompts[^1]);
        Assert.Equal(2 + (2 * OpenAIAgent.MaxTurns), last.Length);
        Assert.Equal("user: 1", last[1]);
    }

    [Theory]
    [InlineData("event", """{"event":{"name":"reset"}}""", "[An event happened: reset]")]
    [InlineData("intent", """{"intent":{"name":"order"},"entities":[{"name":"size","value":"large"},{"name":"n","value":2}]}""", "[The user's intent: order with size = large, n = 2]")]
    [InlineData("path-1", """{"label":"Yes"}""", "Yes")]
    [InlineData("custom", """{"a":1}""", """[custom: {"a":1}]""")]
    [InlineData("custom", "null", "[custom]")]
    public async Task EveryTurnIsPutIntoWords(string type, string payload, string words)
    {
        using var factory = Factory();

        await factory.Create(Settings("{}")).Open("u1").SendAsync(Given.Turn(type, payload), Stop);

        Assert.Equal($"user: {words}", Lines(_prompts[0])[1]);
    }

    [Fact]
    public async Task VariablesAreToldToTheModelAndKept()
    {
        using var factory = Factory();
        var conversation = factory.Create(Settings("""{"instructions":"Be kind."}""")).Open("u1");

        await conversation.SendAsync(AgentTurn.Launch with { Variables = Given.Variables("""{"name":"Ada"}""") }, Stop);

        Assert.Equal("""{"name":"Ada"}""", (await conversation.GetVariablesAsync(Stop)).GetRawText());
        Assert.Equal("system: Be kind.\n\nVariables of this conversation: {\"name\":\"Ada\"}", Lines(_prompts[0])[0]);
    }

    [Theory]
    [InlineData("""{"model":7}""", "The openai agent's model must be a text")]
    [InlineData("""{"instructions":[]}""", "The openai agent's instructions must be a text")]
    [InlineData("""{"temperature":3}""", "The openai agent's temperature must be a number from 0 to 2")]
    [InlineData("""{"temperature":"hot"}""", "The openai agent's temperature must be a number from 0 to 2")]
    public void SettingsOfTheWrongKindAreRefused(string options, string text)
    {
        using var factory = Factory();

        Assert.Equal(text, Assert.Throws<AgentException>(() => factory.Create(Settings(options))).Message);
    }

    private static AgentSettings Settings(string options) => new() { Connector = "openai", Options = Given.Json(options) };

    private static string[] Lines(ModelPrompt prompt) => [.. prompt.Messages.Select(message => $"{message.Role}: {message.Content}")];

    private AgentFactory Factory() => new(Microsoft.Extensions.Options.Options.Create(new AgentOptions()))
    {
        Model = new ScriptedModel(prompt =>
        {
            _prompts.Add(prompt);
            return $"answer {_prompts.Count}";
        }),
    };
}
