using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class VoiceflowAgentTests
{
    private const string Key = "VF.DM.0123.secret";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, string?, string?, string> Turns => new()
    {
        { "launch", null, null, """{"action":{"type":"launch"}}""" },
        {
            "launch", null, """{"n":3,"user_name":"John"}""",
            """{"action":{"type":"launch"},"state":{"variables":{"n":3,"user_name":"John"}}}"""
        },
        { "text", "\"hi <b>\"", null, """{"action":{"type":"text","payload":"hi <b>"}}""" },
        { "text", "\"hi\"", "{}", """{"action":{"type":"text","payload":"hi"}}""" },
        { "event", """{"event":{"name":"reset"}}""", null, """{"action":{"type":"event","payload":{"event":{"name":"reset"}}}}""" },
        {
            "intent", """{"intent":{"name":"order_pizza"},"entities":[{"name":"size","value":"large"}]}""", null,
            """{"action":{"type":"intent","payload":{"intent":{"name":"order_pizza"},"entities":[{"name":"size","value":"large"}]}}}"""
        },
        { "path-abc", """{"actions":[],"label":"Yes"}""", null, """{"action":{"type":"path-abc","payload":{"actions":[],"label":"Yes"}}}""" },
        { "", null, null, """{"action":{"type":""}}""" },
    };

    [Theory]
    [MemberData(nameof(Turns))]
    public async Task EachTurnIsSentAsTheInteractCallWantsIt(string type, string? payload, string? variables, string body)
    {
        await using var runtime = new FakeHttp(_ => "[]");
        using var factory = Given.Factory();
        var turn = new AgentTurn(type, payload is null ? null : Given.Json(payload))
        {
            Variables = variables is null ? null : Given.Variables(variables),
        };

        await Open(factory, runtime).SendAsync(turn, Stop);

        Assert.Equal(body, Assert.Single(runtime.Requests).Body);
    }

    [Fact]
    public async Task TheKeyGoesWithoutBearerAndTheEnvironmentAsVersion()
    {
        await using var runtime = new FakeHttp(_ => "[]");
        using var factory = Given.Factory();

        await Open(factory, runtime, "a b/ü").SendAsync(AgentTurn.Launch, Stop);

        var request = Assert.Single(runtime.Requests);
        Assert.Equal("POST /state/user/a%20b%2F%C3%BC/interact?logs=off", $"{request.Method} {request.Path}");
        Assert.Equal(Key, request.Headers["Authorization"]);
        Assert.Equal("production", request.Headers["versionID"]);
        Assert.Equal("application/json", request.Headers["accept"]);
        Assert.Equal("application/json", request.Headers["content-type"]);
    }

    [Fact]
    public async Task VariablesAreThoseOfTheUsersState()
    {
        await using var runtime = new FakeHttp(_ => """{"stack":[],"storage":{},"variables":{"count":3,"name":null}}""");
        using var factory = Given.Factory();

        var variables = await Open(factory, runtime).GetVariablesAsync(Stop);

        Assert.Equal("""{"count":3,"name":null}""", variables.GetRawText());
        var request = Assert.Single(runtime.Requests);
        Assert.Equal("GET /state/user/u1", $"{request.Method} {request.Path}");
        Assert.Equal((Key, "production"), (request.Headers["Authorization"], request.Headers["versionID"]));
    }

    [Fact]
    public async Task HalfAnEmojiInAnAnswerIsRepaired()
    {
        await using var runtime = new FakeHttp(request => request.Method == "GET"
            ? """{"variables":{"bio":"I like \ud83c"}}"""
            : """[{"type":"text","payload":{"message":"You like \ud83c…"}}]""");
        using var factory = Given.Factory();
        var conversation = Open(factory, runtime);

        var reply = await conversation.SendAsync(AgentTurn.Launch, Stop);
        var variables = await conversation.GetVariablesAsync(Stop);

        Assert.Equal("You like \uFFFD…", Assert.Single(reply.Traces).Message);
        Assert.Equal("I like \uFFFD", variables.GetProperty("bio").GetString());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"variables":null}""")]
    [InlineData("""{"stack":[]}""")]
    [InlineData("nope")]
    public async Task AStateWithoutVariablesIsSaidToBeOne(string body)
    {
        await using var runtime = new FakeHttp(_ => body);
        using var factory = Given.Factory();

        var failure = await Assert.ThrowsAsync<AgentException>(() => Open(factory, runtime).GetVariablesAsync(Stop));

        Assert.Contains("where the user's state with its variables was expected", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, """{"code":401,"status":"Unauthorized","data":"Auth Key Required"}""", "answered 401 \"Auth Key Required\". Set VF_API_KEY")]
    [InlineData(403, "", "answered 403. Set VF_API_KEY")]
    [InlineData(404, "no such thing", "answered 404 \"no such thing\". Check the runtime URL, and that the environment 'production' exists")]
    [InlineData(400, """{"name":"verror","message":"Cannot resolve project version"}""", "\"Cannot resolve project version\". Check that the API key belongs")]
    [InlineData(429, "{}", "It takes no more calls for now; try again in 7 s")]
    [InlineData(500, "oops", "answered 500 \"oops\". The fault is on its side; try again later")]
    [InlineData(302, "", "answered 302. Redirects are not followed; set the final address")]
    public async Task AStatusThatIsNoSuccessSaysWhatToDo(int status, string body, string text)
    {
        await using var runtime = new FakeHttp(_ => new FakeAnswer(status, body) { Headers = ["Retry-After: 7", "Location: /elsewhere"] });
        using var factory = Given.Factory();

        var failure = await Assert.ThrowsAsync<AgentException>(() => Open(factory, runtime).SendAsync(AgentTurn.Launch, Stop));

        Assert.StartsWith($"Voiceflow ({runtime.Url}) answered", failure.Message, StringComparison.Ordinal);
        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
        Assert.Single(runtime.Requests);
    }

    [Theory]
    [InlineData("""{"oops":1}""", "answered \"{\"oops\":1}\" where a JSON array of traces was expected")]
    [InlineData("<html>", "answered \"<html>\" where a JSON array of traces was expected")]
    [InlineData("", "answered nothing where a JSON array of traces was expected")]
    [InlineData("null", "answered \"null\" where a JSON array of traces was expected")]
    public async Task ABodyThatIsNoArrayOfTracesIsSaidToBeOne(string body, string text)
    {
        await using var runtime = new FakeHttp(_ => body);
        using var factory = Given.Factory();

        var failure = await Assert.ThrowsAsync<AgentException>(() => Open(factory, runtime).SendAsync(AgentTurn.Launch, Stop));

        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(200)]
    public async Task TheKeyIsInNoErrorEvenIfTheServerRepeatsIt(int status)
    {
        await using var runtime = new FakeHttp(request => new FakeAnswer(status, "bad " + string.Join(' ', request.Headers.Values)));
        using var factory = Given.Factory();

        var failure = await Assert.ThrowsAsync<AgentException>(() => Open(factory, runtime).SendAsync(AgentTurn.Launch, Stop));

        Assert.DoesNotContain("0123", failure.ToString(), StringComparison.Ordinal);
        Assert.Contains("***", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OddTracesHaveNoMessageAndHarmNoOthers()
    {
        await using var runtime = new FakeHttp(_ => """
            [1, null, "text", [], {}, {"type":7}, {"type":"end"}, {"type":"end","payload":null}, {"type":"text","payload":{"message":5}},
             {"type":"x","payload":{"message":["a"]}}, {"type":"text","payload":{"message":"fine"}}, {"type":"my_action","payload":"a string"}]
            """);
        using var factory = Given.Factory();

        var reply = await Open(factory, runtime).SendAsync(AgentTurn.Launch, Stop);

        Assert.Equal(12, reply.Traces.Count);
        Assert.Equal(["fine", "a string"], reply.Messages());
        Assert.Equal(["end", "end", "text"], reply.Traces.Skip(6).Take(3).Select(trace => trace.Type));
    }

    [Fact]
    public async Task TextThatIsNotUnicodeIsNotSent()
    {
        await using var runtime = new FakeHttp(_ => "[]");
        using var factory = Given.Factory();
        var turn = new AgentTurn("text", Given.Json("\"\\ud800\""));

        var failure = await Assert.ThrowsAsync<AgentException>(() => Open(factory, runtime).SendAsync(turn, Stop));

        Assert.Contains("not Unicode", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    public void AUserIdThatWouldNameAnotherPathIsRefused(string userId)
    {
        using var factory = Given.Factory();
        var agent = factory.Create(new AgentSettings { ApiKey = Key });

        Assert.Throws<AgentException>(() => agent.Open(userId));
    }

    private static IConversation Open(AgentFactory factory, FakeHttp runtime, string userId = "u1") => factory
        .Create(new AgentSettings { Connector = "voiceflow", ApiKey = Key, Environment = "production", RuntimeUrl = runtime.Url + "/" })
        .Open(userId);
}
