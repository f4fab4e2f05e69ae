using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class WebhookAgentTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EachTurnIsPostedInTheDocumentedShape()
    {
        await using var hook = new FakeHttp(_ => "[]");
        using var factory = Given.Factory();
        var conversation = Open(factory, $$$"""{"url":"{{{hook.Url}}}/agent?token=t"}""");

        await conversation.SendAsync(AgentTurn.Launch with { Variables = Given.Variables("""{"n":3}""") }, Stop);
        await conversation.SendAsync(AgentTurn.Text("hi"), Stop);
        await conversation.SendAsync(Given.Turn("event", """{"event":{"name":"reset"}}"""), Stop);

        Assert.Equal(
            [
                """{"user_id":"u1","type":"launch","payload":null,"variables":{"n":3},"environment":"staging","turn":1}""",
                """{"user_id":"u1","type":"text","payload":"hi","text":"hi","environment":"staging","turn":2}""",
                """{"user_id":"u1","type":"event","payload":{"event":{"name":"reset"}},"environment":"staging","turn":3}""",
            ],
            hook.Requests.Select(request => request.Body));
        Assert.All(hook.Requests, request => Assert.Equal("POST /agent?token=t", $"{request.Method} {request.Path}"));
        Assert.All(hook.Requests, request => Assert.Equal("application/json", request.Headers["Content-Type"]));
    }

    [Theory]
    [InlineData("""{"messages":["a","b"]}""", "text:a text:b")]
    [InlineData("""{"messages":["a"],"buttons":[{"label":"Yes"},"No"],"end":true}""", "text:a choice:[Yes,No] end:")]
    [InlineData("""{"messages":null,"end":true}""", "end:")]
    [InlineData("""{"traces":[{"type":"speak","payload":{"message":"a"}},{"type":"end"}]}""", "speak:a end:")]
    [InlineData("\"a\"", "text:a")]
    [InlineData("""["a",{"type":"my_action","payload":"b"}]""", "text:a my_action:b")]
    [InlineData("""{"variables":{"a":1}}""", "")]
    [InlineData("""{"end":false}""", "")]
    [InlineData("{}", "")]
    [InlineData("[]", "")]
    [InlineData("", "")]
    [InlineData(" \n", "")]
    public async Task EachShapeOfAnAnswerIsUnderstood(string body, string traces)
    {
        await using var hook = new FakeHttp(_ => body);
        using var factory = Given.Factory();

        var reply = await Open(factory, $$$"""{"url":"{{{hook.Url}}}"}""").SendAsync(AgentTurn.Launch, Stop);

        Assert.Equal(traces, string.Join(' ', reply.Traces.Select(Describe)));
    }

    [Theory]
    [InlineData("nope", "answered \"nope\" where JSON was expected")]
    [InlineData("7", "answered \"7\" where {\"messages\": [\"…\"]}, {\"traces\": […]}, a JSON text or a JSON array was expected")]
    [InlineData("""{"message":"a"}""", "answered \"a\" where {\"messages\"")]
    [InlineData("""{"messages":[1]}""", "where a list of texts in messages was expected")]
    [InlineData("""{"messages":"a"}""", "where a list in messages was expected")]
    [InlineData("""{"messages":[],"buttons":[{"name":"x"}]}""", "where a label for each button was expected")]
    [InlineData("""{"messages":[],"variables":[]}""", "where an object in variables was expected")]
    public async Task AnotherShapeIsAnErrorThatSaysWhatWasExpected(string body, string text)
    {
        await using var hook = new FakeHttp(_ => body);
        using var factory = Given.Factory();

        var failure = await Assert.ThrowsAsync<AgentException>(
            () => Open(factory, $$$"""{"url":"{{{hook.Url}}}"}""").SendAsync(AgentTurn.Launch, Stop));

        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AButtonsRequestIsWhatPressingItSends()
    {
        await using var hook = new FakeHttp(_ => """
            {"buttons":[{"label":"Yes","request":{"type":"path-1","payload":{"label":"Yes"}}},{"label":"No"}]}
            """);
        using var factory = Given.Factory();

        var reply = await Open(factory, $$$"""{"url":"{{{hook.Url}}}"}""").SendAsync(AgentTurn.Launch, Stop);

        Assert.Equal(["path-1", "text"], Assert.Single(reply.Traces).Buttons.Select(button => button.Request.Type));
    }

    [Fact]
    public async Task VariablesAreThoseOfTheTurnsAndOfTheAnswers()
    {
        await using var hook = new FakeHttp(_ => """{"messages":[],"variables":{"count":2,"name":"Ada"}}""");
        using var factory = Given.Factory();
        var agent = factory.Create(Settings($$$"""{"url":"{{{hook.Url}}}"}"""));

        await agent.Open("u1").SendAsync(AgentTurn.Launch with { Variables = Given.Variables("""{"count":1,"own":true}""") }, Stop);

        Assert.Equal("""{"count":2,"own":true,"name":"Ada"}""", (await agent.Open("u1").GetVariablesAsync(Stop)).GetRawText());
        Assert.Equal("{}", (await agent.Open("u2").GetVariablesAsync(Stop)).GetRawText());
    }

    [Fact]
    public async Task HeadersAreSentAndNeverShown()
    {
        await using var hook = new FakeHttp(request => new FakeAnswer(401, $"bad {request.Headers["X-Token"]} {request.Path}"));
        using var factory = Given.Factory();
        var conversation = Open(factory, $$$"""{"url":"{{{hook.Url}}}/a?key=4711","headers":{"X-Token":"s3cret","Accept":"text/json"}}""");

        var failure = await Assert.ThrowsAsync<AgentException>(() => conversation.SendAsync(AgentTurn.Launch, Stop));

        Assert.Equal($"The webhook ({hook.Url}) answered 401 \"bad *** ***\". Check the headers of the webhook", failure.Message);
        Assert.Equal("text/json", Assert.Single(hook.Requests).Headers["Accept"]);
    }

    [Fact]
    public async Task PartsOfHeadersAndOfTheQueryAreSecretToo()
    {
        await using var hook = new FakeHttp(_ => new FakeAnswer(403, "no access for t0ken-123 or key/4711"));
        using var factory = Given.Factory();
        var conversation = Open(
            factory, $$$"""{"url":"{{{hook.Url}}}/?key=key%2F4711","headers":{"Authorization":"Bearer t0ken-123"}}""");

        var failure = await Assert.ThrowsAsync<AgentException>(() => conversation.SendAsync(AgentTurn.Launch, Stop));

        Assert.Contains("\"no access for *** or ***\"", failure.Message, StringComparison.Ordinal);
        Assert.Equal("Bearer t0ken-123", Assert.Single(hook.Requests).Headers["Authorization"]);
    }

    [Theory]
    [InlineData("/hooks/x9Kq2z", "no x9Kq2z here", "no *** here")]
    [InlineData("/webhook/7f3a-SECRET", """{"message":"The requested webhook \"POST 7f3a-SECRET\" is not registered."}""", "The requested webhook \"POST ***\" is not registered.")]
    [InlineData("/services/T0000001/B%2F000002/", "no T0000001, no B/000002, no B%2F000002", "no ***, no ***, no ***")]
    [InlineData("/hook/abcdefghijklmnopqrst", "abcdefghijklmnopqrst?", "***?")]
    [InlineData("/hook/a1b2/c3d4", "no hook/a1b2/c3d4", "no ***")]
    [InlineData("/api/v1/Conversations", "api v1 Conversations", "api v1 Conversations")]
    [InlineData("/agent?key=key%2F4711", "key%2F4711 of the agent", "*** of the agent")]
    public async Task PartsOfThePathAreSecretUnlessTheyArePlainWords(string path, string said, string shown)
    {
        await using var hook = new FakeHttp(_ => new FakeAnswer(404, said));
        using var factory = Given.Factory();

        var failure = await Assert.ThrowsAsync<AgentException>(
            () => Open(factory, $$$"""{"url":"{{{hook.Url}}}{{{path}}}"}""").SendAsync(AgentTurn.Launch, Stop));

        Assert.Contains($"answered 404 \"{shown}\"", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheRequestsTimeLimitIsItsOwn()
    {
        await using var hook = new FakeHttp(_ => null);
        var time = new ManualTime();
        using var factory = Given.Factory(time: time);
        var conversation = Open(factory, $$$"""{"url":"{{{hook.Url}}}","timeout_seconds":2.5}""");

        var call = conversation.SendAsync(AgentTurn.Launch, Stop);
        await hook.NextAsync(Stop);
        time.Advance(TimeSpan.FromSeconds(2.5));

        var failure = await Assert.ThrowsAsync<AgentException>(() => call);
        Assert.Contains("did not answer within 2.5 s; raise timeout_seconds", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "The webhook agent needs a url")]
    [InlineData("""{"url":7}""", "The webhook agent needs a url")]
    [InlineData("""{"url":"/relative"}""", "The webhook's url must be an absolute http or https URL")]
    [InlineData("""{"url":"file:///etc/passwd"}""", "The webhook's url must be an absolute http or https URL")]
    [InlineData("""{"url":"http://a","headers":["x"]}""", "The webhook's headers must be an object")]
    [InlineData("""{"url":"http://a","headers":{"X":"a\r\nY: b"}}""", "The webhook's header 'X' cannot be sent")]
    [InlineData("""{"url":"http://a","headers":{"Host":"s3cret"}}""", "The webhook's header 'Host' cannot be sent")]
    [InlineData("""{"url":"http://a","headers":{"X Y":"s3cret"}}""", "The webhook's header 'X Y' cannot be sent")]
    [InlineData("""{"url":"http://a","headers":{"X":7}}""", "The webhook's header 'X' cannot be sent")]
    [InlineData("""{"url":"http://a","timeout_seconds":0}""", "The webhook's timeout_seconds must be more than 0 and at most 60")]
    [InlineData("""{"url":"http://a","timeout_seconds":61}""", "The webhook's timeout_seconds must be more than 0 and at most 60")]
    [InlineData("""{"url":"http://\ud800"}""", "The request's agent holds text that is not Unicode")]
    public void WhatCannotBeUsedIsRefusedBeforeAnythingRuns(string options, string text)
    {
        using var factory = Given.Factory();

        var failure = Assert.Throws<AgentException>(() => factory.Create(Settings(options)));

        Assert.StartsWith(text, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"URL":"http://a","timeoutSeconds":61}""")]
    [InlineData("""{"Url":"http://a","TIMEOUT-SECONDS":61}""")]
    [InlineData("""{"url":7,"url":"http://a","timeout_seconds":1,"timeout_seconds":61}""")]
    public void NamesMatchInBothSpellingsWhateverTheirCaseAndTheLastCounts(string options)
    {
        using var factory = Given.Factory();

        var failure = Assert.Throws<AgentException>(() => factory.Create(Settings(options)));

        Assert.StartsWith("The webhook's timeout_seconds must be more than 0", failure.Message, StringComparison.Ordinal);
    }

    private static AgentSettings Settings(string options) =>
        new() { Connector = "webhook", Environment = "staging", Options = Given.Json(options) };

    private static IConversation Open(AgentFactory factory, string options) => factory.Create(Settings(options)).Open("u1");

    private static string Describe(AgentTrace trace) => trace.Type == "choice"
        ? $"choice:[{string.Join(',', trace.Buttons.Select(button => button.Label))}]"
        : $"{trace.Type}:{trace.Message}";
}
