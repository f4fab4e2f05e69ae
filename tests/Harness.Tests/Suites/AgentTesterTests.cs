using Harness.Agents;
using Harness.Executions;
using static Harness.Tests.Suites.TesterScript;

namespace Harness.Tests.Suites;

public sealed class AgentTesterTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

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
    public async Task ATesterThatCannotBeLaunchedFailsTheTest()
    {
        var stage = new SuiteStage("Hello") { Tester = new FakeAgent(_ => throw new AgentException("401 Unauthorized")) };

        var result = await stage.RunAsync(Request("\"voiceflowAgentTesterConfig\":{},"), Stop);

        Assert.Equal("failed to launch conversation with tester agent: 401 Unauthorized", result.Error);
    }
}
