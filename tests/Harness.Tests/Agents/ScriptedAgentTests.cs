using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class ScriptedAgentTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("launch", null, "launched")]
    [InlineData("text", "\" HI \"", "whole")]
    [InlineData("text", "\"a Pizza, please\"", "part")]
    [InlineData("text", "\"I am 42!\"", "age 42")]
    [InlineData("text", "\"you two-faced\"", "word")]
    [InlineData("text", "\"twofold one two\"", "word")]
    [InlineData("text", "\"twofold\"", "fallback: twofold {unknown} {}")]
    [InlineData("event", """{"event":{"name":"reset"}}""", "event reset")]
    [InlineData("event", """{"event":{"name":"other"}}""", "some event other")]
    [InlineData("intent", """{"intent":{"name":"order"},"entities":[{"name":"size","value":"large"}]}""", "order large")]
    [InlineData("path-1", """{"label":"Yes"}""", "pressed Yes")]
    [InlineData("intent", """{"label":"Yes","intent":{"name":"unknown"}}""", "pressed Yes")]
    [InlineData("text", "\"else\"", "fallback: else {unknown} {}")]
    [InlineData("text", "7", "fallback:  {unknown} {}")]
    [InlineData("custom", null, "fallback:  {unknown} {}")]
    public async Task TheFirstRuleThatHoldsAnswers(string type, string? payload, string message)
    {
        var conversation = Open("""
            rules:
              - { when: launch, reply: [launched] }
              - { when: { text: [hello, hi] }, reply: [whole] }
              - { when: { contains: pizza }, reply: [part] }
              - { when: { words: [two, three] }, reply: [word] }
              - { when: { regex: '\bi am (?<age>\d+)' }, reply: ['age {age}'] }
              - { when: { event: reset }, reply: ['event {text}'] }
              - { when: { event: any }, reply: ['some event {text}'] }
              - { when: { intent: order }, reply: ['order {size}'] }
              - { when: { button: any }, reply: ['pressed {text}'] }
              - { when: { contains: never, regex: '^no$' }, reply: [no] }
            fallback: { reply: ['fallback: {text} {unknown} {}'] }
            """);

        var reply = await conversation.SendAsync(new AgentTurn(type, payload is null ? null : Given.Json(payload)), Stop);

        Assert.Equal([message], reply.Messages());
    }

    [Fact]
    public async Task WithoutARuleAndAFallbackNothingIsAnswered()
    {
        var reply = await Open("rules: []").SendAsync(AgentTurn.Text("hi"), Stop);

        Assert.Empty(reply.Traces);
    }

    [Fact]
    public async Task EveryKindOfTraceHasThePayloadThatAgentsSend()
    {
        var conversation = Open("""
            rules:
              - when: any
                reply:
                  - text: a {text}
                  - speak: b
                  - choice: [One Two, { label: L, text: say }, { label: I, intent: order, entities: { size: 2 } }]
                  - card: { title: T, description: D, image_url: 'http://i/{text}.png', buttons: [B] }
                  - carousel: [{ title: T1 }, { title: T2, buttons: [B] }]
                  - { type: my_action, payload: { list: [1, true, null, '{text}'], n: 1.50 } }
                  - { type: bare }
                  - end: done
                  - end: true
            """);

        var reply = await conversation.SendAsync(AgentTurn.Text("x"), Stop);

        Assert.Equal(
            [
                """text {"message":"a x"}""",
                """speak {"message":"b","type":"message"}""",
                """choice {"buttons":[{"name":"One Two","request":{"type":"path-one-two","payload":{"label":"One Two"}}},"""
                    + """{"name":"L","request":{"type":"text","payload":"say"}},"""
                    + """{"name":"I","request":{"type":"intent","payload":{"label":"I","query":"I","intent":{"name":"order"},"""
                    + "\"entities\":[{\"name\":\"size\",\"value\":\"2\"}]}}}]}",
                """cardV2 {"title":"T","description":"D","imageUrl":"http://i/x.png","buttons":[{"name":"B","request":{"type":"path-b","payload":{"label":"B"}}}]}""",
                """carousel {"layout":"Carousel","cards":[{"title":"T1"},{"title":"T2","buttons":[{"name":"B","request":{"type":"path-b","payload":{"label":"B"}}}]}]}""",
                """my_action {"list":[1,true,null,"x"],"n":1.50}""",
                "bare ",
                """end {"reason":"done"}""",
                "end ",
            ],
            reply.Traces.Select(trace => $"{trace.Type} {(trace.Payload.ValueKind == 0 ? "" : trace.Payload.GetRawText())}"));
        Assert.Equal(["One Two", "L", "I"], reply.Traces[2].Buttons.Select(button => button.Label));
    }

    [Fact]
    public async Task VariablesComeFromTheScriptTheTurnsAndTheRules()
    {
        var conversation = Open("""
            variables: { count: 0, plan: free }
            rules:
              - { when: { text: more }, add: { count: 2, other: 0.5 }, set: { said: '{text} of {plan}', list: [1, '{count}'] } }
              - { when: { text: again }, forget: true, set: { again: yes } }
            """);

        Assert.Equal("""{"count":0,"plan":"free"}""", await VariablesAsync(conversation));

        await conversation.SendAsync(AgentTurn.Text("more") with { Variables = Given.Variables("""{"plan":"paid"}""") }, Stop);
        await conversation.SayAsync("more", Stop);
        Assert.Equal("""{"count":4,"plan":"paid","said":"more of paid","list":[1,"2"],"other":1.0}""", await VariablesAsync(conversation));

        await conversation.SayAsync("again", Stop);
        Assert.Equal("""{"count":0,"plan":"free","again":"yes"}""", await VariablesAsync(conversation));
    }

    [Theory]
    [InlineData("""{"premium":true,"n":1}""", "both")]
    [InlineData("""{"premium":true,"n":1.0}""", "both")]
    [InlineData("""{"premium":"true","n":1}""", "neither")]
    [InlineData("""{"premium":true}""", "neither")]
    public async Task AConditionOnVariablesHoldsForTheSameValues(string variables, string message)
    {
        var conversation = Open("""
            rules: [{ when: { variables: { premium: true, n: 1 } }, reply: [both] }]
            fallback: { reply: [neither] }
            """);

        var reply = await conversation.SendAsync(AgentTurn.Launch with { Variables = Given.Variables(variables) }, Stop);

        Assert.Equal([message], reply.Messages());
    }

    [Fact]
    public async Task AUserComesBackToTheirOwnState()
    {
        var agent = Agent("rules: [{ when: any, add: { count: 1 }, reply: ['{count}'] }]");

        await agent.Open("u1").SayAsync("x", Stop);

        Assert.Equal(["2"], await agent.Open("u1").SayAsync("x", Stop));
        Assert.Equal(["1"], await agent.Open("u2").SayAsync("x", Stop));
    }

    [Fact]
    public async Task ADelayWaitsForTheClock()
    {
        var time = new ManualTime();
        var conversation = Agent("rules: [{ when: any, delay: 1.5s, reply: [late] }]", time).Open("u1");

        var call = conversation.SendAsync(AgentTurn.Launch, Stop);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(call.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.5));

        Assert.Equal(["late"], (await call).Messages());
    }

    [Fact]
    public async Task ADelayEndsWithItsCaller()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var conversation = Agent("rules: [{ when: any, delay: 60s, reply: [late] }]", new ManualTime()).Open("u1");

        var call = conversation.SendAsync(AgentTurn.Launch, cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task AVariableThatHoldsItselfEndsAtTheLimit()
    {
        var conversation = Open("""
            variables: { a: xxxxxxxxxxxxxxxx }
            rules: [{ when: any, set: { a: '{a}{a}' }, reply: [ok] }]
            """);

        var failure = await Assert.ThrowsAsync<AgentException>(async () =>
        {
            for (var turn = 0; turn < 40; turn++)
            {
                await conversation.SayAsync("x", Stop);
            }
        });

        Assert.Contains("longer than 100000 characters; does a variable hold itself?", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TextThatIsNotUnicodeIsAFailureAndNoCrash()
    {
        var conversation = Open("rules: [{ when: { contains: a }, reply: ['{v}'] }]");
        var text = Given.Turn("text", "\"\\ud800\"");
        var variable = AgentTurn.Text("a") with { Variables = Given.Variables("""{"v":"\ud800"}""") };

        await Assert.ThrowsAsync<AgentException>(() => conversation.SendAsync(text, Stop));
        await Assert.ThrowsAsync<AgentException>(() => conversation.SendAsync(variable, Stop));
    }

    private static async Task<string> VariablesAsync(IConversation conversation) =>
        (await conversation.GetVariablesAsync(Stop)).GetRawText();

    private static IConversation Open(string yaml) => Agent(yaml).Open("u1");

    private static ScriptedAgent Agent(string yaml, TimeProvider? time = null)
    {
        using var text = new StringReader(yaml);
        return new ScriptedAgent("scripted", "", new Lazy<Script>(ScriptReader.ReadYaml("test.yaml", text)), 100_000, time ?? TimeProvider.System);
    }
}
