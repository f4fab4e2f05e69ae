using System.Text.Json;
using Harness.Agents;
using Harness.Generations;
using Harness.Tests.Agents;
using Microsoft.Extensions.Options;

namespace Harness.Tests.Generations;

public sealed class OpenAIChatTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ChunksBecomeTextsAndAFinishWithUsage()
    {
        await using var http = new FakeHttp(_ => Chunks(
            """{"choices":[{"delta":{"role":"assistant","content":""}}]}""",
            """{"choices":[{"delta":{"reasoning_content":"hm"}}]}""",
            """{"choices":[{"delta":{"content":"Hel"}}]}""",
            """{"choices":[{"delta":{"content":"lo"},"finish_reason":"stop"}]}""",
            """{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}"""));

        var parts = await AskAsync(http, Prompt());

        Assert.Equal([new ModelReasoning("hm"), new ModelText("Hel"), new ModelText("lo"), new ModelFinish("stop", new TokenUsage(7, 2))], parts);
    }

    [Fact]
    public async Task EmojisCutBetweenChunksAreWhole()
    {
        await using var http = new FakeHttp(_ => Chunks(
            """{"choices":[{"delta":{"reasoning":"hm \ud83d"}}]}""",
            """{"choices":[{"delta":{"reasoning":"\ude00","content":"Hi \uD83D"}}]}""",
            """{"choices":[{"delta":{"content":""}}]}""",
            """{"choices":[{"delta":{"content":"\uDE00 \\ud83d"}}]}""",
            """{"choices":[{"delta":{"content":"!"},"finish_reason":"stop"}]}"""));

        var parts = await AskAsync(http, Prompt());

        Assert.Equal(
            [
                new ModelReasoning("hm "), new ModelReasoning("\U0001F600"), new ModelText("Hi "), new ModelText("\U0001F600 \\ud83d"), new ModelText("!"),
                new ModelFinish("stop", default),
            ],
            parts);
    }

    [Fact]
    public async Task HalfAnEmojiThatIsNeverCompletedIsReplaced()
    {
        await using var http = new FakeHttp(_ => Chunks(
            """{"id":"\ud83d","choices":[{"delta":{"content":"a\ude00b\ud83d"}}]}""",
            """{"choices":[{"delta":{"content":"c\ud83d"}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"id":"c\ud83d","function":{"name":"add","arguments":"{\"a\":\"\ud83d\",\"b\":\"\\ud83d\",\"c\":\"\ud83d"}}]}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\ude00\"}"}}]},"finish_reason":"\ud83d"}]}"""));

        var parts = await AskAsync(http, Prompt());

        Assert.Equal([new ModelText("a\uFFFDb"), new ModelText("\uFFFDc"), new ModelText("\uFFFD")], parts[..3]);
        var call = Assert.IsType<ModelToolCall>(parts[3]);
        Assert.Equal("c\uFFFD", call.Id);
        Assert.Equal(["\uFFFD", "\uFFFD", "\U0001F600"], call.Arguments.EnumerateObject().Select(member => member.Value.GetString()!));
    }

    [Fact]
    public async Task ErrorWithHalfAnEmojiIsQuoted()
    {
        await using var http = new FakeHttp(_ => Chunks("""{"error":{"message":"overloaded \ud83d"}}"""));

        Assert.Contains("overloaded \uFFFD", (await Assert.ThrowsAsync<AgentException>(() => AskAsync(http, Prompt()))).Message);
    }

    [Fact]
    public async Task ContentThatIsAListIsReadAsItsTextsAndThoughts()
    {
        await using var http = new FakeHttp(_ => Chunks(
            """{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"reference","reference_ids":[1]}]}}]}""",
            """{"choices":[{"delta":{"content":[{"type":"text","text":"Hel"},7,{"type":"text","text":"lo"}]},"finish_reason":"stop"}]}"""));

        var parts = await AskAsync(http, Prompt());

        Assert.Equal([new ModelReasoning("hm"), new ModelText("Hel"), new ModelText("lo"), new ModelFinish("stop", default)], parts);
    }

    [Theory]
    [InlineData("length", "", "length")]
    [InlineData("length", """{\"all\":""", "length")]
    [InlineData("content_filter", "{}", "content-filter")]
    public async Task CallOfAToolInAnAnswerThatWasCutIsNotMade(string reason, string arguments, string finish)
    {
        await using var http = new FakeHttp(_ => Chunks(
            $$$"""{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"close_tickets","arguments":"{{{arguments}}}"}}]},"finish_reason":"{{{reason}}}"}]}"""));

        Assert.Equal([new ModelFinish(finish, default)], await AskAsync(http, Prompt()));
    }

    [Theory]
    [InlineData("""{"prompt_tokens":12.0,"completion_tokens":2e0}""", 12, 2)]
    [InlineData("""{"prompt_tokens":"12","completion_tokens":2}""", 0, 2)]
    [InlineData("""{"prompt_tokens":1e30,"completion_tokens":-1}""", 0, 0)]
    [InlineData("\"none\"", 0, 0)]
    public async Task UsageIsReadHoweverItIsWritten(string usage, long prompt, long completion)
    {
        await using var http = new FakeHttp(_ => Chunks(
            """{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}""", $$"""{"choices":[],"usage":{{usage}}}"""));

        Assert.Equal([new ModelText("x"), new ModelFinish("stop", new TokenUsage(prompt, completion))], await AskAsync(http, Prompt()));
    }

    [Fact]
    public async Task WholeToolCallsAreSeveralAlsoWhenAllHaveTheSameIndexAndNoId()
    {
        await using var http = new FakeHttp(_ => Chunks(
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"","function":{"name":"add","arguments":"{\"a\":"}}]}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"","function":{"name":"","arguments":"1}"}}]}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"","function":{"name":"sub","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"""));

        var parts = await AskAsync(http, Prompt());

        Assert.Equal(
            [("add", """{"a":1}"""), ("sub", "{}")],
            parts[..^1].Cast<ModelToolCall>().Select(call => (call.Name, call.Arguments.GetRawText())));
        Assert.Equal(2, parts[..^1].Cast<ModelToolCall>().Select(call => call.Id).Distinct().Count());
    }

    [Fact]
    public async Task PiecesOfAToolCallAreOneCall()
    {
        await using var http = new FakeHttp(_ => Chunks(
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c9","function":{"name":"add","arguments":""}}]}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}}]}""",
            """{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"2}"}}]},"finish_reason":"tool_calls"}]}"""));

        var parts = await AskAsync(http, Prompt());

        var call = Assert.IsType<ModelToolCall>(parts[0]);
        Assert.Equal(("c9", "add", "{\"a\":2}"), (call.Id, call.Name, call.Arguments.GetRawText()));
        Assert.Equal("tool-calls", Assert.IsType<ModelFinish>(parts[1]).Reason);
    }

    [Theory]
    // All with the index 0, as of Ollama; whole, without an index.
    [InlineData("""[{"index":0,"id":"c1","function":{"name":"add","arguments":"{\"a\":1}"}},{"index":0,"id":"c2","function":{"name":"sub","arguments":"{}"}}]""", "[]")]
    [InlineData("""[{"id":"c1","function":{"name":"add","arguments":"{\"a\":1}"}}]""", """[{"id":"c2","function":{"name":"sub","arguments":"{}"}}]""")]
    // Pieces with an empty id, an id of their own, or none and no index.
    [InlineData("""[{"index":0,"id":"c1","function":{"name":"add","arguments":""}}]""", """[{"index":0,"id":"","function":{"name":"","arguments":"{\"a\":1}"}},{"index":1,"id":"c2","function":{"name":"sub"}}]""")]
    [InlineData("""[{"index":0,"id":"c1","function":{"name":"add","arguments":"{"}}]""", """[{"index":0,"id":"x1","function":{"arguments":"\"a\":1}"}},{"index":1,"id":"c2","function":{"name":"sub"}}]""")]
    [InlineData("""[{"id":"c1","function":{"name":"add","arguments":"{\"a\":"}}]""", """[{"function":{"arguments":"1}"}},{"id":"c2","function":{"name":"sub"}}]""")]
    [InlineData("""[{"index":0,"function":{"name":"add"}},{"index":1,"id":"c2","function":{"name":"sub"}}]""", """[{"index":0,"id":"c1","function":{"arguments":"{\"a\":1}"}}]""")]
    public async Task PiecesOfToolCallsFindTheirCallHoweverTheyAreMarked(string first, string second)
    {
        await using var http = new FakeHttp(_ => Chunks(
            $$$"""{"choices":[{"delta":{"tool_calls":{{{first}}} } }]}""",
            $$$"""{"choices":[{"delta":{"tool_calls":{{{second}}} },"finish_reason":"tool_calls"}]}"""));

        var parts = await AskAsync(http, Prompt());

        Assert.Equal(
            [("c1", "add", """{"a":1}"""), ("c2", "sub", "{}")],
            parts[..^1].Cast<ModelToolCall>().Select(call => (call.Id, call.Name, call.Arguments.GetRawText())));
    }

    [Fact]
    public async Task ToolCallsWithoutIdsGetOnes()
    {
        await using var http = new FakeHttp(_ => Chunks(
            """{"choices":[{"delta":{"tool_calls":[{"function":{"name":"add","arguments":"{}"}},{"function":{"name":"sub","arguments":"{}"}}]},"finish_reason":"stop"}]}"""));

        var calls = (await AskAsync(http, Prompt()))[..^1].Cast<ModelToolCall>().ToList();

        Assert.Equal(["add", "sub"], calls.Select(call => call.Name));
        Assert.All(calls, call => Assert.StartsWith("call_", call.Id, StringComparison.Ordinal));
        Assert.NotEqual(calls[0].Id, calls[1].Id);
    }

    [Fact]
    public async Task EmptyReasonIsNoneSoThatAStreamThatBreaksOffIsNamed()
    {
        await using var http = new FakeHttp(_ => "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"\"}]}\n\n");

        Assert.Contains("broke off before its end", (await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(http, Prompt()))).Message);
    }

    [Fact]
    public async Task RefusalOfTheModelIsToldInItsWords()
    {
        await using var http = new FakeHttp(_ => Chunks(
            """{"choices":[{"delta":{"role":"assistant","content":null,"refusal":""}}]}""",
            """{"choices":[{"delta":{"refusal":"I can't help "}}]}""",
            """{"choices":[{"delta":{"refusal":"with k3y."},"finish_reason":"stop"}]}"""));

        var failure = await Assert.ThrowsAsync<AgentException>(() => AskAsync(http, Prompt(), key: "k3y"));

        Assert.Equal("The language model refused: \"I can't help with ***.\"", failure.Message);
    }

    [Fact]
    public async Task RefusalBesideATextLeavesTheText()
    {
        await using var http = new FakeHttp(_ => Chunks("""{"choices":[{"delta":{"content":"x","refusal":"no"},"finish_reason":"stop"}]}"""));

        Assert.Equal([new ModelText("x"), new ModelFinish("stop", default)], await AskAsync(http, Prompt()));
    }

    [Fact]
    public async Task RefusalThatDoesNotEndIsBrokenOff()
    {
        var piece = $$$"""{"choices":[{"delta":{"refusal":"{{{new string('x', 900)}}}"}}]}""";
        await using var http = new FakeHttp(_ => Chunks(piece, piece, piece));

        var failure = await Assert.ThrowsAsync<AgentException>(() => AskAsync(http, Prompt(), maxReplyBytes: 2_000));

        Assert.Contains("answered more than 2,000 bytes", failure.Message);
    }

    [Fact]
    public async Task RequestCarriesMessagesToolsSchemaAndOptions()
    {
        await using var http = new FakeHttp(_ => Chunks("""{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"""));
        var prompt = Prompt() with
        {
            Tools = [new AgentTool("add", "Adds", (_, _) => Task.FromResult<object?>(null))],
            Schema = JsonElement.Parse("""{"type":"object"}"""),
            Settings = new GenerationSettings
            {
                Temperature = 0.5,
                MaxTokens = 100,
                Seed = 4,
                StopSequences = ["END"],
                ProviderOptions = JsonElement.Parse("""{"reasoning_effort":"low","model":"other"}"""),
            },
        };

        await AskAsync(http, prompt);

        var request = http.Requests[0];
        var body = JsonElement.Parse(request.Body);
        Assert.Equal(("/chat/completions", "Bearer k"), (request.Path, request.Headers["Authorization"]));
        Assert.Equal(
            """[{"role":"user","content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":{"url":"data:image/gif;base64,R0lG"}}]}]""",
            body.GetProperty("messages").GetRawText());
        Assert.Equal("m", body.GetProperty("model").GetString());
        Assert.True(body.GetProperty("stream").GetBoolean());
        Assert.Equal(100, body.GetProperty("max_tokens").GetInt32());
        Assert.Equal("low", body.GetProperty("reasoning_effort").GetString());
        Assert.Equal("add", body.GetProperty("tools")[0].GetProperty("function").GetProperty("name").GetString());
        Assert.Equal("json_schema", body.GetProperty("response_format").GetProperty("type").GetString());
        Assert.Equal("END", body.GetProperty("stop")[0].GetString());
    }

    [Fact]
    public async Task RefusalIsQuotedWithoutTheKey()
    {
        await using var http = new FakeHttp(_ => new FakeAnswer(401, """{"error":{"message":"Incorrect API key provided: k3y-secret"}}"""));

        var refusal = await Assert.ThrowsAsync<AgentException>(() => AskAsync(http, Prompt(), key: "k3y-secret"));

        Assert.Contains("answered 401 \"Incorrect API key provided: ***\". Set Harness:Generations:Providers:local:ApiKey", refusal.Message);
    }

    [Fact]
    public async Task ModelThatIsNotThereNamesTheSettingOfItsAddress()
    {
        await using var http = new FakeHttp(_ => new FakeAnswer(404, "{}"));

        var refusal = await Assert.ThrowsAsync<AgentException>(() => AskAsync(http, Prompt()));

        Assert.Contains("Check Harness:Generations:Providers:local:BaseUrl, and that it has a model 'm'", refusal.Message);
    }

    [Theory]
    [InlineData("ollama")]
    [InlineData("lmstudio")]
    public void ModelServerOfAnotherMachineNeedsNoKey(string provider)
    {
        var options = new GenerationOptions { Providers = { [provider] = new ProviderSetting { BaseUrl = "http://models.example/v1" } } };
        using var models = new ChatModels(Options.Create(new AgentOptions()), Options.Create(options), TimeProvider.System);

        var found = models.Resolve(new AgentDefinition { Id = "a", Model = $"{provider}/m" });

        Assert.Equal((provider, "m"), (found.Provider, found.Name));
    }

    [Theory]
    [InlineData("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n", "broke off before its end")]
    [InlineData("data: {oops}\n\n", "where a chunk of a chat completion was expected")]
    [InlineData("data: [1]\n\n", "where a chunk of a chat completion was expected")]
    public async Task StreamThatCannotBeReadIsNamed(string stream, string problem)
    {
        await using var http = new FakeHttp(_ => stream);

        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(http, Prompt()));

        Assert.Contains(problem, failure.Message);
    }

    [Fact]
    public async Task NumberThatCannotBeReadIsNamed()
    {
        await using var http = new FakeHttp(_ => Chunks("""{"choices":[{"delta":{"tool_calls":[{"index":1e30}]}}]}"""));

        Assert.Contains(
            "where a chunk of a chat completion was expected", (await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(http, Prompt()))).Message);
    }

    [Theory]
    [InlineData("<html>Please sign in</html>", "answered \"<html>Please sign in</html>\" where a stream of chunks was expected. Check Harness:Generations:Providers:local:BaseUrl")]
    [InlineData("""{"error":{"message":"overloaded, k3y"}}""", "answered \"overloaded, ***\" where")]
    [InlineData("", "answered nothing where")]
    public async Task AnswerThatIsNoStreamIsQuoted(string body, string problem)
    {
        await using var http = new FakeHttp(_ => body);

        Assert.Contains(problem, (await Assert.ThrowsAsync<AgentException>(() => AskAsync(http, Prompt(), key: "k3y"))).Message);
    }

    [Fact]
    public async Task AnswerThatIsNotCompressedAsItSaysIsNamed()
    {
        await using var http = new FakeHttp(_ => new FakeAnswer(200, "no gzip") { Headers = ["Content-Encoding: gzip"] });

        Assert.Contains(
            "could not be reached: its answer is not compressed as it says. Check Harness:Generations:Providers:local:BaseUrl",
            (await Assert.ThrowsAsync<AgentException>(() => AskAsync(http, Prompt()))).Message);
    }

    [Fact]
    public async Task EmptyEventsAreNone()
    {
        await using var http = new FakeHttp(_ => "data:\r\n\r\ndata: \n\n" + Chunks("""{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"""));

        Assert.Equal([new ModelText("x"), new ModelFinish("stop", default)], await AskAsync(http, Prompt()));
    }

    [Fact]
    public async Task LineThatDoesNotEndIsBrokenOff()
    {
        await using var http = new FakeHttp(_ => $"data: {new string('x', 3_000)}");

        var failure = await Assert.ThrowsAsync<AgentException>(() => AskAsync(http, Prompt(), maxReplyBytes: 2_000));

        Assert.Contains("answered more than 2,000 bytes; raise Harness:Agents:MaxReplyBytes", failure.Message);
    }

    [Fact]
    public async Task ToolCallsThatDoNotEndAreBrokenOff()
    {
        var piece = """{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"MANY"}}]}}]}""".Replace("MANY", new string('1', 900), StringComparison.Ordinal);
        await using var http = new FakeHttp(_ => Chunks(piece, piece, piece));

        var failure = await Assert.ThrowsAsync<AgentException>(() => AskAsync(http, Prompt(), maxReplyBytes: 2_000));

        Assert.Contains("answered more than 2,000 bytes", failure.Message);
    }

    [Fact]
    public async Task EndpointThatGivesNoReasonHasSimplyStopped()
    {
        await using var http = new FakeHttp(_ => Chunks("""{"choices":[{"delta":{"content":"x"}}],"usage":{}}"""));

        Assert.Equal([new ModelText("x"), new ModelFinish("stop", default)], await AskAsync(http, Prompt()));
    }

    [Fact]
    public async Task ErrorInTheStreamIsTheProvidersOwnWord()
    {
        await using var http = new FakeHttp(_ => Chunks("""{"error":{"message":"overloaded"}}"""));

        Assert.Contains("overloaded", (await Assert.ThrowsAsync<AgentException>(() => AskAsync(http, Prompt()))).Message);
    }

    [Fact]
    public async Task CancelClosesTheConnection()
    {
        await using var http = new FakeHttp(_ => null);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var asking = AskUntilAsync(http, Prompt(), "k", stop.Token);
        await http.NextAsync(Stop);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await http.Abandoned.WaitAsync(Stop);
    }

    private static ChatPrompt Prompt() => new(
        "m", [new ChatMessage("user", "what is it?") { Attachments = [new ChatAttachment("R0lG", "image/gif", FileName: null)] }]);

    private static string Chunks(params string[] chunks) => string.Concat(chunks.Append("[DONE]").Select(chunk => $"data: {chunk}\n\n"));

    private static Task<List<ModelPart>> AskAsync(FakeHttp http, ChatPrompt prompt, string key = "k", int maxReplyBytes = 1_000_000) =>
        AskUntilAsync(http, prompt, key, Stop, maxReplyBytes);

    private static async Task<List<ModelPart>> AskUntilAsync(FakeHttp http, ChatPrompt prompt, string key, CancellationToken stop, int maxReplyBytes = 1_000_000)
    {
        var options = new GenerationOptions { Providers = { ["local"] = new ProviderSetting { BaseUrl = http.Url, ApiKey = key } } };
        using var models = new ChatModels(Options.Create(new AgentOptions { MaxReplyBytes = maxReplyBytes }), Options.Create(options), TimeProvider.System);
        var (model, _, _) = models.Resolve(new AgentDefinition { Id = "a", Model = "local/m" });
        return await model.StreamAsync(prompt, stop).ToListAsync(Stop);
    }
}
