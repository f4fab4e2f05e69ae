using System.Text.Json;
using Harness.Agents;
using Harness.Executions;
using Harness.Generations;
using Harness.Schemas;

namespace Harness.Tests.Generations;

public sealed class GenerationRunTests
{
    private static readonly JsonSchema Person = JsonSchema.Parse(JsonElement.Parse(
        """{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"number"}},"required":["name","age"]}"""));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static AgentTool Adder { get; } = new(
        "add",
        "Adds",
        (args, _) => Task.FromResult<object?>(new { sum = args.GetProperty("a").GetInt32() + args.GetProperty("b").GetInt32() }),
        JsonElement.Parse("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"required":["a","b"]}"""));

    [Fact]
    public async Task EveryTokenIsATypedEventAndTheResultHasTheWholeText()
    {
        using var house = GenerationHouse.Of(CodeModel.Saying("Hello ", "\"world\"\n"));

        var outcome = await house.RunAsync("hi");

        Assert.Equal(
            [
                "text {\"text\":\"Hello \"}",
                "text {\"text\":\"\\\"world\\\"\\n\"}",
                "finish {\"finishReason\":\"stop\",\"usage\":{\"promptTokens\":3,\"completionTokens\":2,\"totalTokens\":5}}",
            ],
            outcome.Events);
        Assert.Equal("Hello \"world\"\n", outcome.Details.GetProperty("text").GetString());
        Assert.Equal("hi", outcome.Details.GetProperty("input").GetString());
    }

    [Fact]
    public async Task ToolIsCalledAndItsAnswerGoesBackToTheModel()
    {
        var model = new CodeModel(prompt => prompt.Messages.Any(message => message.Role == "tool")
            ? CodeModel.Text("It is 5")
            : CodeModel.Call("add", """{"a":2,"b":3}"""));
        using var house = GenerationHouse.Of(model, Adder);

        var outcome = await house.RunAsync("2 + 3?");

        Assert.Equal("tool-call {\"toolCall\":{\"toolCallId\":\"c1\",\"toolName\":\"add\",\"args\":{\"a\":2,\"b\":3}}}", outcome.Events[0]);
        Assert.Equal("tool-result {\"toolResult\":{\"toolCallId\":\"c1\",\"toolName\":\"add\",\"result\":{\"sum\":5}}}", outcome.Events[1]);
        Assert.Equal("{\"sum\":5}", model.Prompts[1].Messages[^1].Text);
        Assert.Equal(["system", "user", "assistant", "tool"], model.Prompts[1].Messages.Select(message => message.Role));
    }

    [Theory]
    [InlineData("add", """{"a":2}""", "The arguments do not fit: Required at b")]
    [InlineData("subtract", "{}", "There is no tool 'subtract'; there are add")]
    public async Task CallThatCannotBeMadeIsToldToTheModelWhichGoesOn(string tool, string args, string problem)
    {
        var model = new CodeModel(prompt => prompt.Messages[^1].Role == "tool" ? CodeModel.Text("sorry") : CodeModel.Call(tool, args));
        using var house = GenerationHouse.Of(model, Adder);

        var outcome = await house.RunAsync("go");

        Assert.Equal(ExecutionStatus.Completed, outcome.Result.Status);
        Assert.Contains(problem, model.Prompts[1].Messages[^1].Text);
    }

    [Fact]
    public async Task ToolThatThrowsIsToldToTheModelWhichGoesOn()
    {
        var broken = new AgentTool("broken", "Breaks", (_, _) => throw new InvalidOperationException("out of order"));
        var model = new CodeModel(prompt => prompt.Messages[^1].Role == "tool" ? CodeModel.Text("sorry") : CodeModel.Call("broken", "{}"));
        using var house = GenerationHouse.Of(model, broken);

        var outcome = await house.RunAsync("go");

        Assert.Equal("sorry", outcome.Details.GetProperty("text").GetString());
        Assert.Equal("{\"error\":\"out of order\"}", model.Prompts[1].Messages[^1].Text);
    }

    [Theory]
    [InlineData(3, 7, 3)]
    [InlineData(null, 7, 7)]
    [InlineData(null, null, 10)]
    public async Task StepsAreThoseOfTheRequestElseOfTheAgentElseTen(int? ofRequest, int? ofAgent, int steps)
    {
        var model = new CodeModel(_ => CodeModel.Call("add", """{"a":1,"b":1}"""));
        using var house = new GenerationHouse([new AgentDefinition { Id = "a", ChatModel = model, Tools = ["add"], MaxSteps = ofAgent }], [Adder]);

        var outcome = await house.RunAsync("go", request => request with { MaxSteps = ofRequest });

        Assert.Equal(steps, model.Prompts.Count);
        Assert.Equal("tool-calls", outcome.Details.GetProperty("finishReason").GetString());
    }

    [Fact]
    public void AgentWithThreeSubAgentsHasThirtySteps() =>
        Assert.Equal(30, Generator.MaxStepsOf(new AgentDefinition { Id = "a", SubAgents = ["b", "c", "d"] }));

    [Fact]
    public async Task SubAgentAnswersTheTaskWithItsNameOnEveryToken()
    {
        var boss = new CodeModel(prompt => prompt.Messages[^1].Role == "tool"
            ? CodeModel.Text("done")
            : CodeModel.Call("delegate_task", """{"task":"look it up","targetAgents":["b"]}"""));
        var helper = CodeModel.Saying("found");
        using var house = new GenerationHouse(
        [
            new AgentDefinition { Id = "a", ChatModel = boss, SubAgents = ["b"] },
            new AgentDefinition { Id = "b", Name = "Bee", ChatModel = helper },
        ]);

        var outcome = await house.RunAsync("go");

        Assert.Contains("text {\"text\":\"found\",\"subAgentId\":\"b\",\"subAgentName\":\"Bee\"}", outcome.Events);
        Assert.Equal("look it up", helper.Prompts[0].Messages[^1].Text);
        Assert.Equal("{\"b\":\"found\"}", boss.Prompts[1].Messages[^1].Text);
        Assert.Equal("done", outcome.Details.GetProperty("text").GetString());
    }

    [Fact]
    public async Task SubAgentIsAskedOnceForATextAlsoWhereAnObjectIsWanted()
    {
        var boss = new CodeModel(prompt => prompt.Messages[^1].Role == "tool"
            ? CodeModel.Text("""{"name":"Ann","age":3}""")
            : CodeModel.Call("delegate_task", """{"task":"look it up","targetAgents":["b","b"]}"""));
        var helper = CodeModel.Saying("found");
        using var house = new GenerationHouse(
        [
            new AgentDefinition { Id = "a", ChatModel = boss, SubAgents = ["b"] },
            new AgentDefinition { Id = "b", ChatModel = helper },
        ]);

        var outcome = await house.RunAsync("go", request => request with { Schema = Person });

        Assert.Equal(System.Text.Json.JsonValueKind.Undefined, Assert.Single(helper.Prompts).Schema.ValueKind);
        Assert.Equal("Ann", outcome.Details.GetProperty("object").GetProperty("name").GetString());
    }

    [Fact]
    public async Task SubAgentForWhichNoStepIsLeftSaysSo()
    {
        var boss = new CodeModel(_ => CodeModel.Call("delegate_task", """{"task":"look it up","targetAgents":["b"]}"""));
        var helper = CodeModel.Saying("found");
        using var house = new GenerationHouse(
        [
            new AgentDefinition { Id = "a", ChatModel = boss, SubAgents = ["b"] },
            new AgentDefinition { Id = "b", ChatModel = helper },
        ]);

        var outcome = await house.RunAsync("go", request => request with { MaxSteps = 1 });

        Assert.Empty(helper.Prompts);
        Assert.Equal("No steps are left for this task", outcome.Details.GetProperty("toolResults")[0].GetProperty("result").GetProperty("b").GetString());
    }

    [Fact]
    public async Task AgentsThatPassTasksToEachOtherEndWithTheirSharedSteps()
    {
        var calls = 0;
        CodeModel Passing(string to) => new(_ =>
        {
            Interlocked.Increment(ref calls);
            return CodeModel.Call("delegate_task", $$"""{"task":"you do it","targetAgents":["{{to}}"]}""");
        });
        using var house = new GenerationHouse(
        [
            new AgentDefinition { Id = "a", ChatModel = Passing("b"), SubAgents = ["b"] },
            new AgentDefinition { Id = "b", ChatModel = Passing("a"), SubAgents = ["a"] },
        ]);

        var outcome = await house.RunAsync("go", request => request with { MaxSteps = 6 });

        Assert.Equal(ExecutionStatus.Completed, outcome.Result.Status);
        Assert.Equal(6, calls);
    }

    [Fact]
    public async Task ObjectGrowsAndTheLastOneIsWhole()
    {
        using var house = GenerationHouse.Of(CodeModel.Saying("{\"name\":", "\"Al", "ice\",", "\"age\": 3", "0}"));

        var outcome = await house.RunAsync("who?", request => request with { Schema = Person });

        Assert.Equal(
            [
                "object {\"object\":{}}",
                "object {\"object\":{\"name\":\"Al\"}}",
                "object {\"object\":{\"name\":\"Alice\"}}",
                "object {\"object\":{\"name\":\"Alice\",\"age\":30}}",
            ],
            outcome.Events);
        Assert.Equal(30, outcome.Details.GetProperty("object").GetProperty("age").GetInt32());
    }

    [Theory]
    [InlineData("{\"name\":\"Alice\",\"age\":\"thirty\"}", "Schema validation failed: Expected number, received string at age")]
    [InlineData("{\"name\":\"Alice\"}", "Schema validation failed: Required at age")]
    [InlineData("I do not know", "Schema validation failed: Expected object, received \"I do not know\", which is no JSON")]
    public async Task ObjectThatDoesNotFitFailsTheGeneration(string answer, string error)
    {
        using var house = GenerationHouse.Of(CodeModel.Saying(answer));

        var outcome = await house.RunAsync("who?", request => request with { Schema = Person });

        Assert.Equal(ExecutionStatus.Failed, outcome.Result.Status);
        Assert.Equal(error, outcome.Result.Error);
        Assert.Equal(GenerationStage.Stream, Generator.StageIn(outcome.Details));
    }

    [Fact]
    public async Task ObjectBetweenFencesIsUnderstood()
    {
        using var house = GenerationHouse.Of(CodeModel.Saying("```json\n{\"name\":\"A\",\"age\":1}\n```"));

        var outcome = await house.RunAsync("who?", request => request with { Schema = Person });

        Assert.Equal("A", outcome.Details.GetProperty("object").GetProperty("name").GetString());
    }

    [Fact]
    public async Task WordsBeforeAToolCallAreNoPartOfTheObjectNorOfTheMemory()
    {
        var model = new CodeModel(prompt => prompt.Messages[^1].Role == "tool"
            ? CodeModel.Text("{\"name\":\"Ann\",", "\"age\":3}")
            : [new ModelText("Let me look."), .. CodeModel.Call("add", """{"a":1,"b":2}""")]);
        using var house = GenerationHouse.Of(model, Adder);

        var outcome = await house.RunAsync("who?", request => request with { Schema = Person, ConversationId = "c" });
        await house.RunAsync("again", request => request with { Schema = Person, ConversationId = "c" });

        Assert.Equal("""{"name":"Ann","age":3}""", outcome.Details.GetProperty("object").GetRawText());
        Assert.Equal("""{"name":"Ann","age":3}""", model.Prompts[2].Messages[^2].Text);
    }

    [Fact]
    public async Task TextHasTheWordsOfAllSteps()
    {
        var model = new CodeModel(prompt => prompt.Messages[^1].Role == "tool"
            ? CodeModel.Text("It is 3.")
            : [new ModelText("Let me look. "), .. CodeModel.Call("add", """{"a":1,"b":2}""")]);
        using var house = GenerationHouse.Of(model, Adder);

        var outcome = await house.RunAsync("1 + 2?");

        Assert.Equal("Let me look. It is 3.", outcome.Details.GetProperty("text").GetString());
    }

    [Fact]
    public async Task ConversationIsRememberedUpToItsLimitAndApartFromOthers()
    {
        var model = CodeModel.Saying("ok");
        using var house = GenerationHouse.Of(model);
        GenerationRequest In(GenerationRequest request, string user, int limit) =>
            request with { UserId = user, ConversationId = "c", ContextLimit = limit };

        await house.RunAsync("one", request => In(request, "u", 10));
        await house.RunAsync("two", request => In(request, "u", 10));
        await house.RunAsync("three", request => In(request, "u", 2));
        await house.RunAsync("four", request => In(request, "other", 10));

        Assert.Equal(["Be brief.", "one", "ok", "two"], model.Prompts[1].Messages.Select(message => message.Text));
        Assert.Equal(["Be brief.", "two", "ok", "three"], model.Prompts[2].Messages.Select(message => message.Text));
        Assert.Equal(["Be brief.", "four"], model.Prompts[3].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task FailedGenerationIsNotRemembered()
    {
        var model = new CodeModel(prompt => prompt.Messages[^1].Text == "bad" ? throw new AgentException("no") : CodeModel.Text("ok"));
        using var house = GenerationHouse.Of(model);

        await house.RunAsync("bad", request => request with { ConversationId = "c" });
        await house.RunAsync("good", request => request with { ConversationId = "c" });

        Assert.Equal(["Be brief.", "good"], model.Prompts[1].Messages.Select(message => message.Text));
    }

    [Theory]
    [InlineData(true, GenerationStage.Stream)]
    [InlineData(false, GenerationStage.Iteration)]
    public async Task FailureSaysWhereItHappened(bool ofProvider, GenerationStage stage)
    {
        Exception failure = ofProvider ? new AgentException("the model refused") : new InvalidDataException("the stream broke");
        using var house = GenerationHouse.Of(new CodeModel(_ => throw failure));

        var outcome = await house.RunAsync("go");

        Assert.Equal(failure.Message, outcome.Result.Error);
        Assert.Equal(stage, Generator.StageIn(outcome.Details));
    }

    [Fact]
    public async Task MissingKeyFailsInTheSetupAndSaysWhatToSet()
    {
        using var house = new GenerationHouse([new AgentDefinition { Id = "a", Model = "groq/llama" }]);

        var outcome = await house.RunAsync("go");

        Assert.Contains("GROQ_API_KEY", outcome.Result.Error);
        Assert.Equal(GenerationStage.Setup, Generator.StageIn(outcome.Details));
    }

    [Fact]
    public async Task MissingKeyOfAnOwnProviderNamesTheOnlyPlaceThatIsRead()
    {
        var options = new GenerationOptions { Providers = { ["corp"] = new ProviderSetting { BaseUrl = "https://models.example/v1" } } };
        using var house = new GenerationHouse([new AgentDefinition { Id = "a", Model = "corp/m" }], options: options);

        var outcome = await house.RunAsync("go");

        Assert.Equal("The provider corp needs a key: set Harness:Generations:Providers:corp:ApiKey", outcome.Result.Error);
    }

    [Fact]
    public async Task CancelledGenerationStopsItsModel()
    {
        using var house = GenerationHouse.Of(CodeModel.Hanging);
        var execution = house.Start(new GenerationRequest("a", [new ChatMessage("user", "go")]));
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            if (LogEvent.Is(json.Span))
            {
                break;
            }
        }

        Assert.True(house.Registry.TryCancel(execution));

        Assert.Equal(ExecutionStatus.Canceled, (await execution.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task ContextOfTheRequestIsPartOfTheInstructions()
    {
        var model = CodeModel.Saying("ok");
        using var house = GenerationHouse.Of(model);

        await house.RunAsync("hi", request => request with
        {
            Settings = new GenerationSettings { Context = JsonElement.Parse("""{"role":"admin"}""") },
        });

        Assert.Equal("Be brief.\n\nContext of this request: {\"role\":\"admin\"}", model.Prompts[0].Messages[0].Text);
    }

    [Fact]
    public void UnknownAgentIsRefusedWithThoseThereAre()
    {
        using var house = GenerationHouse.Of(CodeModel.Saying("ok"));

        var refusal = Assert.Throws<ExecutionInputException>(() => house.Start(new GenerationRequest("x", [])));

        Assert.Equal("There is no agent 'x'; there are a, demo", refusal.Message);
    }

    [Fact]
    public async Task ModelThatNeverEndsIsStopped()
    {
        using var house = GenerationHouse.Of(new CodeModel(_ => Enumerable.Repeat(new ModelText(new string('x', 100_000)), int.MaxValue)));

        var outcome = await house.RunAsync("go");

        Assert.Equal("The model answered more than 8388608 characters; raise Harness:Agents:MaxReplyBytes if that is right", outcome.Result.Error);
    }

    [Fact]
    public async Task ThoughtsThatDoNotEndAreBrokenOffToo()
    {
        using var house = GenerationHouse.Of(new CodeModel(_ => Enumerable.Repeat(new ModelReasoning(new string('h', 1_000_000)), 100)));

        var outcome = await house.RunAsync("go");

        Assert.StartsWith("The model answered more than 8388608 characters", outcome.Result.Error);
    }

    [Fact]
    public async Task ContextThatIsNestedTooDeepIsRefused()
    {
        using var house = GenerationHouse.Of(CodeModel.Saying("hello"));

        var refusal = await Assert.ThrowsAsync<ExecutionInputException>(() => house.RunAsync(
            "hi", request => request with { Settings = new GenerationSettings { Context = JsonElement.Parse(Nested(51)) } }));

        Assert.StartsWith("What is sent for the agent or its provider is nested deeper than 50 levels", refusal.Message);
    }

    [Fact]
    public async Task ObjectThatIsNestedTooDeepFailsTheGenerationInAWord()
    {
        using var house = GenerationHouse.Of(CodeModel.Saying(Nested(62)));

        var outcome = await house.RunAsync("go", request => request with { Schema = JsonSchema.Parse(JsonElement.Parse("""{"type":"object"}""")) });

        Assert.Equal("Schema validation failed: the object is nested deeper than 50 levels; ask for a flatter one", outcome.Result.Error);
        Assert.DoesNotContain(outcome.Events, said => said.StartsWith("object ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ArgumentsThatAreNestedTooDeepReachTheToolAndAreCutInTheLog()
    {
        var depth = 0;
        var tool = new AgentTool("deep", "Counts", (arguments, _) =>
        {
            depth = arguments.GetRawText().Count(letter => letter == '{');
            return Task.FromResult<object?>(arguments);
        });
        var model = new CodeModel(prompt => prompt.Messages[^1].Role == "tool" ? CodeModel.Text("done") : CodeModel.Call("deep", Nested(63)));
        using var house = GenerationHouse.Of(model, tool);

        var outcome = await house.RunAsync("go");

        Assert.Equal((ExecutionStatus.Completed, 63), (outcome.Result.Status, depth));
        Assert.Equal("""tool-call {"toolCall":{"toolCallId":"c1","toolName":"deep","args":"[cut: nested deeper than 50 levels]"}}""", outcome.Events[0]);
        Assert.Equal("""tool-result {"toolResult":{"toolCallId":"c1","toolName":"deep","result":"[cut: nested deeper than 50 levels]"}}""", outcome.Events[1]);
    }

    [Fact]
    public async Task HugePiecesAndResultsDoNotBreakTheLog()
    {
        var huge = new string('ü', 300_000);
        var tool = new AgentTool("huge", "Says much", (_, _) => Task.FromResult<object?>(huge));
        var model = new CodeModel(prompt => prompt.Messages[^1].Role == "tool" ? CodeModel.Text(huge) : CodeModel.Call("huge", "{}"));
        using var house = GenerationHouse.Of(model, tool);

        var outcome = await house.RunAsync("go");

        Assert.Equal(huge, outcome.Details.GetProperty("text").GetString());
        Assert.Equal(huge, model.Prompts[1].Messages[^1].Text);
    }

    private static string Nested(int depth) => string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);
}
