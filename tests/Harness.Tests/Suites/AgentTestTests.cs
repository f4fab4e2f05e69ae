using System.Text.Json;
using Harness.Agents;
using Harness.Executions;
using Harness.Suites;

namespace Harness.Tests.Suites;

public sealed class AgentTestTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AModelTalksUntilTheJudgeIsContent()
    {
        var stage = new SuiteStage("Welcome!", "How can I help?") { Model = { Answer = Script(next: ["I want a pizza"], judge: ["YES"]) } };

        var result = await stage.RunAsync(Request("\"openAIConfig\":{\"model\":\"gpt-4o\",\"temperature\":0.3},", newSession: true), Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Equal(
            [
                "User ID for test t1: test-<uuid>",
                "Running Test ID: t1",
                "Running Test ID: A",
                "Executing agent-to-agent test: A",
                "Using OpenAI as the tester",
                "Using OpenAI model: gpt-4o",
                "Using OpenAI temperature: 0.30",
                "Starting agent test with goal: G",
                "Agent persona: p",
                "Maximum steps: 3",
                "Launching conversation with Voiceflow agent (new session per test enabled)",
                "Voiceflow message: Welcome! How can I help?",
                "Generating next action using OpenAI...",
                "Tester agent message: I want a pizza",
                "Step 1",
                "Evaluating goal achievement...",
                "Goal achievement evaluation: ACHIEVED (response: YES)",
                "Goal achieved successfully!",
                "Agent test completed successfully in 1 steps",
            ],
            stage.TestLines);
        Assert.Equal(("gpt-4o", 0.3), (stage.Model.Prompts[0].Model, stage.Model.Prompts[0].Temperature));
    }

    [Fact]
    public async Task AGoalThatIsNeverReachedFailsAfterItsSteps()
    {
        var stage = new SuiteStage("Sorry?") { Model = { Answer = Script(next: ["one", "two", "three"], judge: ["NO", "NO", "no"]) } };

        var result = await stage.RunAsync(Request(), Stop);

        Assert.Equal("goal not achieved within 3 steps", result.Error);
        Assert.Equal(
            [
                "Voiceflow message: No message received",
                "Generating next action using OpenAI...",
                "Tester agent message: one",
                "Step 1",
                "Evaluating goal achievement...",
                "Goal achievement evaluation: NOT ACHIEVED (response: NO)",
                "Analyzing user information request...",
                "User info analysis result: NONE",
                "Voiceflow message: Sorry?",
                "Generating next action using OpenAI...",
                "Tester agent message: two",
                "Step 2",
                "Evaluating goal achievement...",
                "Goal achievement evaluation: NOT ACHIEVED (response: NO)",
                "Analyzing user information request...",
                "User info analysis result: NONE",
                "Voiceflow message: Sorry?",
                "Generating next action using OpenAI...",
                "Tester agent message: three",
                "Evaluating goal achievement...",
                "Goal achievement evaluation: NOT ACHIEVED (response: no)",
                "Error running test t1: goal not achieved within 3 steps",
            ],
            stage.TestLines.Skip(7));
        Assert.Equal(["one", "two"], stage.Agent.Turns.Select(turn => turn.Turn.Payload?.GetString()));
    }

    [Fact]
    public async Task TheJudgeSeesTesterAndAgentAsTwoPeople()
    {
        var stage = new SuiteStage("Which size?") { Model = { Answer = Script(next: ["A pizza", "Large"], judge: ["NO", " yes "]) } };

        await stage.RunAsync(Request(newSession: true), Stop);

        var judged = stage.Model.Prompts.Last(IsJudge).Messages[^1].Content;
        Assert.Contains("Agent: Which size?\nTester: A pizza\nAgent: Which size?", judged, StringComparison.Ordinal);
        var asked = stage.Model.Prompts.Last(IsNext).Messages.Skip(1).Select(message => message.Role);
        Assert.Equal(["user", "assistant", "user"], asked);
        Assert.Equal(
            new AgentTestReport("G", 2, true, []) with { Transcript = stage.Report.Tests[0].Agent!.Transcript }, stage.Report.Tests[0].Agent);
        Assert.Equal(
            ["agent: Which size?", "tester: A pizza", "agent: Which size?"],
            stage.Report.Tests[0].Agent!.Transcript.Select(line => $"{line.Role}: {line.Text}"));
    }

    [Theory]
    [InlineData("email", "Providing existing user information - email: a@b.org", "a@b.org")]
    [InlineData("EMAIL", "Providing user information (case-insensitive match) - email: a@b.org", "a@b.org")]
    [InlineData("INVENT:phone", "Invented phone: 0171", "0171")]
    [InlineData("INVENT:email", "Invented email: testuser@example.com", "testuser@example.com")]
    [InlineData("INVENT:shoe_size", "Invented shoe_size: test_shoe_size_value", "test_shoe_size_value")]
    public async Task APersonalDetailIsGivenOrInventedWhenTheAgentAsks(string found, string line, string said)
    {
        var script = Script(next: ["hm"], judge: ["NO", "YES"], detail: found);
        var stage = new SuiteStage("Your details, please?")
        {
            Model =
            {
                Answer = prompt => !prompt.Messages[0].Content.StartsWith("You make up", StringComparison.Ordinal) ? script(prompt)
                    : found == "INVENT:phone" ? " 0171\n" : throw new AgentException("no"),
            },
        };

        await stage.RunAsync(Request("\"userInformation\":[{\"name\":\"email\",\"value\":\"a@b.org\"}],"), Stop);

        Assert.Equal(
            ["User info analysis result: " + found, line, "Providing user information: " + said],
            stage.Lines.SkipWhile(each => !each.StartsWith("User info", StringComparison.Ordinal)).Take(3));
        Assert.Equal(said, stage.Agent.Turns[0].Turn.Payload?.GetString());
    }

    [Fact]
    public async Task TheEndOfTheSessionEndsTheTest()
    {
        var end = new AgentTrace("end", JsonSerializer.SerializeToElement(new { reason = "done" }));
        var stage = new SuiteStage(_ => [SuiteStage.Say("Bye."), end]) { Model = { Answer = Script(next: ["bye"], judge: ["NO", "YES"]) } };

        var result = await stage.RunAsync(Request(), Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Equal(
            [
                "Voiceflow message: Bye.",
                "Voiceflow agent session ended (reason: done)",
                "Evaluating goal achievement...",
                "Goal achievement evaluation: ACHIEVED (response: YES)",
                "Goal achieved successfully!",
                "Agent test completed successfully in 1 steps",
            ],
            stage.Lines.TakeLast(6));
    }

    [Fact]
    public async Task AModelThatFailsFailsTheTestAndSaysWhy()
    {
        var stage = new SuiteStage("Hello") { Model = { Answer = _ => throw new AgentException("OPENAI_API_KEY is not set") } };

        var result = await stage.RunAsync(Request(), Stop);

        Assert.Equal("failed to get initial action: error generating response: OPENAI_API_KEY is not set", result.Error);
    }

    [Fact]
    public async Task AJudgeThatFailsIsSaidInTheFailure()
    {
        var script = Script(next: ["one"], judge: []);
        var stage = new SuiteStage("Hello")
        {
            Model = { Answer = prompt => IsJudge(prompt) ? throw new AgentException("quota exceeded") : script(prompt) },
        };

        var result = await stage.RunAsync(Request("\"maxSteps\":2,"), Stop);

        Assert.Contains("Error checking goal: error evaluating goal: quota exceeded", stage.Lines);
        Assert.Contains("Error in final goal check: error evaluating goal: quota exceeded", stage.Lines);
        Assert.Equal("goal not achieved within 2 steps (error evaluating goal: quota exceeded)", result.Error);
    }

    [Fact]
    public async Task AVoiceflowAgentCanBeTheTester()
    {
        var stage = new SuiteStage("Hello, I sell pizza.")
        {
            Tester = new FakeAgent(turn => turn.Type == "launch" ? [] : [SuiteStage.Say("One"), SuiteStage.Say("pizza")]),
            Model = { Answer = Script(next: [], judge: ["YES"]) },
        };

        var result = await stage.RunAsync(
            Request(
                """
                "voiceflowAgentTesterConfig":{"environmentName":"testers","apiKey":"VF.DM.tester","variables":{"goal":"G","n":1}},
                "voiceflowAgentTargetConfig":{"variables":{"guest":true}},
                """,
                newSession: true),
            Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Equal(
            [
                "Executing agent-to-agent test: A",
                "Using Voiceflow agent as the tester",
                "Starting Voiceflow agent-to-agent test with goal: G",
                "Target environment: production",
                "Tester environment: testers",
                "Maximum steps: 3",
                "Launching conversation with tester Voiceflow agent",
                "Including 2 variables in interaction request",
                "No response received from Voiceflow",
                "Launching conversation with target Voiceflow agent (new session per test enabled)",
                "Including 1 variables in interaction request",
                "Sending target agent's initial response to tester agent",
                "Step 1",
                "Tester agent says: One pizza",
                "Target agent says: Hello, I sell pizza.",
                "Evaluating goal achievement...",
                "Goal achievement evaluation: ACHIEVED (response: YES)",
                "Goal achieved successfully!",
                "Voiceflow agent test completed successfully in 1 steps",
            ],
            stage.TestLines.Skip(3));
        var settings = Assert.Single(stage.Settings);
        Assert.Equal(("voiceflow", "VF.DM.tester", "testers", "staging"), (settings.Connector, settings.ApiKey, settings.Environment, settings.Subdomain));
        Assert.Equal("voiceflow-agent-tester-" + stage.Agent.Turns[0].UserId, stage.Tester.Turns[0].UserId);
        Assert.Equal(["launch", "text"], stage.Tester.Turns.Select(turn => turn.Turn.Type));
        Assert.Equal("Hello, I sell pizza.", stage.Tester.Turns[1].Turn.Payload?.GetString());
        Assert.Equal("true", stage.Agent.Turns[0].Turn.Variables?["guest"].GetRawText());
    }

    [Fact]
    public async Task AVoiceflowTesterThatSaysNothingEndsTheConversation()
    {
        var stage = new SuiteStage("Hello") { Tester = new FakeAgent(_ => []), Model = { Answer = Script(next: [], judge: ["NO"]) } };

        var result = await stage.RunAsync(Request("\"voiceflowAgentTesterConfig\":{},"), Stop);

        Assert.Equal("goal not achieved within 3 steps", result.Error);
        Assert.Contains("No message from tester agent, ending conversation", stage.Lines);
        Assert.Empty(stage.Agent.Turns);
    }

    [Fact]
    public async Task TheSuitesModelIsUsedWhereATestNamesNone()
    {
        var stage = new SuiteStage("Hello") { Model = { Answer = Script(next: ["one"], judge: ["YES"]) } };

        await stage.RunAsync(Request().Replace("\"name\":\"S\"", "\"openAIConfig\":{\"model\":\"local-7b\"}", StringComparison.Ordinal), Stop);

        Assert.Equal(["Using suite-level OpenAI configuration", "Using OpenAI as the tester", "Using OpenAI model: local-7b"], stage.TestLines.Skip(3).Take(3));
        Assert.Equal(("local-7b", 0.7), (stage.Model.Prompts[0].Model, stage.Model.Prompts[0].Temperature));
    }

    private static string Request(string more = "", bool newSession = false) =>
        $$$$"""
        {"voiceflow_subdomain":"staging","suite":{"name":"S","environment_name":"production","new_session_per_test":{{{{(newSession ? "true" : "false")}}}},
        "tests":[{"id":"t1","test":{"name":"A","agent":{"maxSteps":3,{{{{more}}}}"goal":"G","persona":"p"}}}]}}
        """;

    // Answers testers and judges in the order given; every other question with the detail.
    private static Func<ModelPrompt, string> Script(string[] next, string[] judge, string detail = "NONE")
    {
        var (says, judges) = (new Queue<string>(next), new Queue<string>(judge));
        return prompt => IsNext(prompt) ? says.Count > 0 ? says.Dequeue() : "more" : IsJudge(prompt) ? judges.Dequeue() : detail;
    }

    private static bool IsNext(ModelPrompt prompt) => prompt.Messages[0].Content.StartsWith("You play a customer", StringComparison.Ordinal);

    private static bool IsJudge(ModelPrompt prompt) => prompt.Messages[0].Content.StartsWith("You judge", StringComparison.Ordinal);
}
