using System.Text.Json;
using Harness.Agents;
using Harness.Generations;
using Harness.Schemas;

namespace Harness.Tests.Generations;

public sealed class ScriptedChatTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Tell me a joke!", "Why did the execution")]
    [InlineData("my name is Ada", "Nice to meet you, Ada!")]
    [InlineData("what else", "You said: what else")]
    public async Task DemoAgentAnswersByItsRules(string input, string text)
    {
        using var house = new GenerationHouse([]);

        var outcome = await house.RunAsync(new GenerationRequest("demo", [new ChatMessage("user", input)]));

        Assert.StartsWith(text, outcome.Details.GetProperty("text").GetString());
    }

    [Fact]
    public async Task RuleWithAToolCallGoesOnWhenTheToolHasAnswered()
    {
        using var house = House("""
            tools: [current_time]
            rules:
              - when: any
                reply: ['Let me see.', { type: tool-call, payload: { name: current_time } }, 'It is {utc}, and {result}.']
            """);

        var outcome = await house.RunAsync("the time?");

        var text = outcome.Details.GetProperty("text").GetString()!;
        Assert.Matches(@"^Let me see\.\nIt is \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, and \{""utc"":", text);
        Assert.Single(outcome.Details.GetProperty("toolResults").EnumerateArray());
    }

    [Theory]
    [InlineData(2, null, "one two ", "length")]
    [InlineData(100, "three", "one two ", "stop")]
    [InlineData(100, null, "one two three four", "stop")]
    public async Task AnswerEndsAtTheLimitOfTokensOrAtAStopSequence(int maxTokens, string? stop, string text, string reason)
    {
        using var house = House("rules: []\nfallback: { reply: [one two three four] }");

        var outcome = await house.RunAsync("go", request => request with
        {
            Settings = new GenerationSettings { MaxTokens = maxTokens, StopSequences = stop is null ? [] : [stop] },
        });

        Assert.Equal(text, outcome.Details.GetProperty("text").GetString());
        Assert.Equal(reason, outcome.Details.GetProperty("finishReason").GetString());
    }

    [Fact]
    public async Task ContextDecidesWhichRuleHolds()
    {
        using var house = House("""
            rules:
              - when: { variables: { role: admin } }
                reply: ['Welcome, {role}']
            """);

        var outcome = await house.RunAsync("hi", request => request with
        {
            Settings = new GenerationSettings { Context = JsonElement.Parse("""{"role":"admin"}""") },
        });

        Assert.Equal("Welcome, admin", outcome.Details.GetProperty("text").GetString());
    }

    [Fact]
    public async Task RuleForgetsSetsAndAddsAsItDoesInASuite()
    {
        using var house = House("""
            variables: { count: 1, role: guest }
            rules:
              - when: { regex: 'I am (?<name>\w+)' }
                forget: true
                set: { who: '{name}', list: ['{role}'] }
                add: { count: 2, new: 1 }
                reply: ['{who} {list} {count} {new} {role}']
            """);

        var outcome = await house.RunAsync("I am Ada", request => request with
        {
            Settings = new GenerationSettings { Context = JsonElement.Parse("""{"role":"admin"}""") },
        });

        Assert.Equal("""Ada ["guest"] 3 1 guest""", outcome.Details.GetProperty("text").GetString());
    }

    [Fact]
    public async Task RuleThatForgetsStillKnowsWhatTheToolAnswered()
    {
        using var house = House("""
            tools: [current_time]
            rules:
              - when: any
                forget: true
                set: { time: '{utc}' }
                reply: [{ type: tool-call, payload: { name: current_time } }, 'It is {time}.']
            """);

        var outcome = await house.RunAsync("the time?");

        Assert.Matches(@"^It is \d{4}-\d\d-\d\d", outcome.Details.GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("Extract the name and age from: John Doe is 30 years old.", """{"name":"John Doe","age":30}""")]
    [InlineData("Name: Alice, Age: 7", """{"name":"Alice","age":7}""")]
    public async Task ObjectIsMadeUpFromWhatTheTextSays(string input, string expected)
    {
        using var house = House("rules: []");
        var schema = """{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"number"}},"required":["name","age"]}""";

        var outcome = await house.RunAsync(input, request => request with { Schema = JsonSchema.Parse(JsonElement.Parse(schema)) });

        Assert.Equal(expected, outcome.Details.GetProperty("object").GetRawText());
    }

    [Fact]
    public async Task ObjectOfARuleIsCheckedLikeAnyOther()
    {
        using var house = House("rules: [{ when: any, reply: [{ type: object, payload: { name: 5 } }] }]");
        var schema = """{"type":"object","properties":{"name":{"type":"string"}}}""";

        var outcome = await house.RunAsync("go", request => request with { Schema = JsonSchema.Parse(JsonElement.Parse(schema)) });

        Assert.Equal("Schema validation failed: Expected string, received number at name", outcome.Result.Error);
    }

    [Fact]
    public async Task LateTokenDoesNotMakeThoseAfterItLate()
    {
        var time = new ManualTime();
        var agent = AgentDefinition.Parse("a", "rules: [{ when: any, reply: [one two three four] }]");
        var chat = new ScriptedChat(agent.Script!, TimeSpan.FromMilliseconds(20), maxReplyLength: 1_000, time);
        await using var parts = chat.StreamAsync(new ChatPrompt("scripted", [new ChatMessage("user", "go")]), Stop).GetAsyncEnumerator(Stop);
        Assert.True(await parts.MoveNextAsync());
        var second = parts.MoveNextAsync();
        Assert.False(second.IsCompleted);

        // The clock is at 50 ms when the token of 20 ms is taken: that of 40 ms is due, that of 60 ms is not.
        time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.True(await second);
        var third = parts.MoveNextAsync();
        Assert.True(third.IsCompleted && await third);
        var fourth = parts.MoveNextAsync();
        Assert.False(fourth.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(await fourth);
    }

    [Theory]
    [InlineData("model: scripted\ntool: [x]", "'tool' is not known here")]
    [InlineData("rules: [{ when: any, reply: [{ type: tool-call }] }]", "a tool-call has a payload such as")]
    [InlineData("fallback: { reply: [hi] }", "'fallback' goes with 'rules'")]
    [InlineData("maxSteps: 0", "a whole number from 1 is expected here")]
    [InlineData("tokenDelay: soon", "a delay is written such as 250ms")]
    public void MistakeInAFileIsNamedWithItsPlace(string yaml, string problem)
    {
        var refusal = Assert.Throws<AgentException>(() => AgentDefinition.Parse("shop", yaml));

        Assert.StartsWith("shop", refusal.Message);
        Assert.Contains(problem, refusal.Message);
    }

    private static GenerationHouse House(string yaml) => new([AgentDefinition.Parse("a", yaml)]);
}
