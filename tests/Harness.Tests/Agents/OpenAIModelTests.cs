using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class OpenAIModelTests
{
    private const string Key = "sk-test-0123";
    private const string Answer = """{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"YES"}}]}""";

    private static readonly ModelPrompt Prompt = new("gpt-4o", [new("system", "You judge."), new("user", "Is it?")]);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task APromptIsOneChatCompletion()
    {
        await using var endpoint = new FakeHttp(_ => Answer);
        using var factory = Factory(endpoint);

        var answer = await factory.CreateModel().CompleteAsync(Prompt with { Temperature = 0.3, TopP = 1 }, Stop);

        Assert.Equal("YES", answer);
        var request = Assert.Single(endpoint.Requests);
        Assert.Equal("POST /v1/chat/completions", $"{request.Method} {request.Path}");
        Assert.Equal($"Bearer {Key}", request.Headers["Authorization"]);
        Assert.Equal("application/json", request.Headers["Content-Type"]);
        Assert.Equal(
            """{"model":"gpt-4o","temperature":0.3,"top_p":1,"messages":[{"role":"system","content":"You judge."},{"role":"user","content":"Is it?"}]}""",
            request.Body);
    }

    [Fact]
    public async Task WhatIsNotSetIsNotSent()
    {
        await using var endpoint = new FakeHttp(_ => Answer);
        using var factory = Factory(endpoint);

        await factory.CreateModel().CompleteAsync(new ModelPrompt("m", []), Stop);

        Assert.Equal("""{"model":"m","messages":[]}""", Assert.Single(endpoint.Requests).Body);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"choices":[]}""")]
    [InlineData("""{"choices":null}""")]
    [InlineData("""{"choices":[{"message":{"content":null}}]}""")]
    [InlineData("""{"choices":[{"message":{"content":[]}}]}""")]
    [InlineData("[1]")]
    [InlineData("<html>")]
    [InlineData("")]
    public async Task AnAnswerWithoutATextIsAFailureAndNoCrash(string body)
    {
        await using var endpoint = new FakeHttp(_ => body);
        using var factory = Factory(endpoint);

        var failure = await Assert.ThrowsAsync<AgentException>(() => factory.CreateModel().CompleteAsync(Prompt, Stop));

        Assert.StartsWith($"The language model ({endpoint.Url}/v1) answered ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("where a text in choices[0].message.content was expected", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    public async Task ARefusalOfTheModelIsToldInItsWords(string content)
    {
        await using var endpoint = new FakeHttp(_ => $$$"""{"choices":[{"message":{"content":{{{content}}},"refusal":"I can't help with {{{Key}}}."}}]}""");
        using var factory = Factory(endpoint);

        var failure = await Assert.ThrowsAsync<AgentException>(() => factory.CreateModel().CompleteAsync(Prompt, Stop));

        Assert.Equal("The language model refused: \"I can't help with ***.\"", failure.Message);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("7")]
    public async Task AnAnswerBesideNoRefusalIsATextAsAny(string refusal)
    {
        await using var endpoint = new FakeHttp(_ => $$$"""{"choices":[{"message":{"content":"","refusal":{{{refusal}}}}}]}""");
        using var factory = Factory(endpoint);

        Assert.Equal("", await factory.CreateModel().CompleteAsync(Prompt, Stop));
    }

    [Theory]
    [InlineData(401, "Set OPENAI_API_KEY or --open-api-key")]
    [InlineData(404, "Check OPENAI_BASE_URL, and that it has a model 'gpt-4o'")]
    [InlineData(400, "Check the model 'gpt-4o' and its settings")]
    [InlineData(429, "It takes no more calls for now; try again in 3600 s")]
    [InlineData(503, "The fault is on its side; try again later")]
    public async Task ARefusalSaysWhatToDoAndIsNotTriedAgain(int status, string advice)
    {
        await using var endpoint = new FakeHttp(_ => new FakeAnswer(status, $$$"""{"error":{"message":"No, {{{Key}}}!","type":"x"}}""")
        {
            Headers = ["Retry-After: 3600"],
        });
        using var factory = Factory(endpoint);

        var failure = await Assert.ThrowsAsync<AgentException>(() => factory.CreateModel().CompleteAsync(Prompt, Stop));

        Assert.StartsWith(
            $"The language model ({endpoint.Url}/v1) answered {status} \"No, ***!\". {advice}", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, failure.ToString(), StringComparison.Ordinal);
        Assert.Single(endpoint.Requests);
    }

    [Fact]
    public async Task CancellingAbortsTheCallInFlight()
    {
        await using var endpoint = new FakeHttp(_ => null);
        using var factory = Factory(endpoint);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        var call = factory.CreateModel().CompleteAsync(Prompt, cancel.Token);
        await endpoint.NextAsync(Stop);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await endpoint.Abandoned.WaitAsync(Stop);
    }

    [Fact]
    public async Task ATimeLimitIsAFailure()
    {
        await using var endpoint = new FakeHttp(_ => null);
        var time = new ManualTime();
        using var factory = Factory(endpoint, time: time);

        var call = factory.CreateModel().CompleteAsync(Prompt, Stop);
        await endpoint.NextAsync(Stop);
        time.Advance(TimeSpan.FromSeconds(60));

        var failure = await Assert.ThrowsAsync<AgentException>(() => call);
        Assert.Contains("did not answer within 60 s", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(500)]
    public async Task TheTimeLimitIsForTheLastByteOfTheAnswer(int status)
    {
        await using var endpoint = new FakeHttp(_ => new FakeAnswer(status, Answer) { Stalls = true });
        var time = new ManualTime();
        using var factory = Factory(endpoint, time: time);

        var call = factory.CreateModel().CompleteAsync(Prompt, Stop);
        await endpoint.NextAsync(Stop);
        time.Advance(TimeSpan.FromSeconds(60));

        await Assert.ThrowsAsync<AgentException>(() => call);
        await endpoint.Abandoned.WaitAsync(Stop);
    }

    [Fact]
    public async Task AnAnswerLongerThanTheLimitIsAFailure()
    {
        await using var endpoint = new FakeHttp(_ => new string(' ', 2_000));
        using var factory = Factory(endpoint, maxReplyBytes: 1_024);

        var failure = await Assert.ThrowsAsync<AgentException>(() => factory.CreateModel().CompleteAsync(Prompt, Stop));

        Assert.Contains("answered more than 1,024 bytes", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhereNobodyListensTheErrorSaysSo()
    {
        var endpoint = new FakeHttp(_ => Answer);
        await endpoint.DisposeAsync();
        using var factory = Factory(endpoint);

        var failure = await Assert.ThrowsAsync<AgentException>(() => factory.CreateModel().CompleteAsync(Prompt, Stop));

        Assert.EndsWith("nothing accepts connections there. Check OPENAI_BASE_URL (--openai-base-url)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEndpointOnThisMachineNeedsNoKey()
    {
        await using var endpoint = new FakeHttp(_ => Answer);
        using var factory = Given.Factory(new AgentOptions { OpenAIBaseUrl = endpoint.Url, OpenAIApiKey = "" });

        Assert.Equal("YES", await factory.CreateModel().CompleteAsync(Prompt, Stop));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    public void AnyOtherEndpointNeedsOne(string? key)
    {
        using var factory = Given.Factory(new AgentOptions { OpenAIApiKey = key });

        var failure = Assert.Throws<AgentException>(factory.CreateModel);

        Assert.StartsWith("A language model needs OPENAI_API_KEY (or --open-api-key)", failure.Message, StringComparison.Ordinal);
    }

    private static AgentFactory Factory(FakeHttp endpoint, TimeProvider? time = null, int maxReplyBytes = 8 * 1024 * 1024) => Given.Factory(
        new AgentOptions { OpenAIApiKey = Key, OpenAIBaseUrl = endpoint.Url + "/v1/", MaxReplyBytes = maxReplyBytes }, time);
}
