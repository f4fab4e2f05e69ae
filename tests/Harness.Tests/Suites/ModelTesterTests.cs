using System.Text.Json;
using Harness.Agents;
using Harness.Executions;
using Harness.Suites;
using static Harness.Tests.Suites.TesterScript;

namespace Harness.Tests.Suites;

public sealed class ModelTesterTests
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
    public async Task CancellingEndsTheConversation()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var script = Script(next: ["one"], judge: ["NO"]);
        var stage = new SuiteStage("Hello") { Model = { Answer = script } };
        stage.Agent.Before = async (_, stop) =>
        {
            await cancel.CancelAsync();
            stop.ThrowIfCancellationRequested();
        };

        var result = await stage.RunAsync(SuiteReader.Read(SuiteStage.Json(Request())), cancel.Token);

        Assert.Equal(ExecutionStatus.Canceled, result.Status);
        Assert.Equal(["Test execution cancelled", "Error running test t1: context canceled"], stage.Lines.TakeLast(2));
        Assert.Equal((SuiteOutcome.Skipped, 1), (stage.Report.Tests[0].Outcome, stage.Report.Tests[0].Agent!.Steps));
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
    public async Task TheSuitesModelIsUsedWhereATestNamesNone()
    {
        var stage = new SuiteStage("Hello") { Model = { Answer = Script(next: ["one"], judge: ["YES"]) } };

        await stage.RunAsync(Request().Replace("\"name\":\"S\"", "\"openAIConfig\":{\"model\":\"local-7b\"}", StringComparison.Ordinal), Stop);

        Assert.Equal(["Using suite-level OpenAI configuration", "Using OpenAI as the tester", "Using OpenAI model: local-7b"], stage.TestLines.Skip(3).Take(3));
        Assert.Equal(("local-7b", 0.7), (stage.Model.Prompts[0].Model, stage.Model.Prompts[0].Temperature));
    }
}
