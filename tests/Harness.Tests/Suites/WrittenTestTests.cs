using System.Text.Json;
using Harness.Agents;
using Harness.Executions;

namespace Harness.Tests.Suites;

public sealed class WrittenTestTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LaunchSendsItsVariablesAndAButtonSendsItsRequest()
    {
        var stage = new SuiteStage(_ => [Choice(Button("Yes", null, """{"actions":[],"label":"Yes"}""")), SuiteStage.Say("Sure?")]);

        var result = await stage.RunTestAsync(
            """
            [{"id":"i1","user":{"type":"launch"},"variables":{"n":3,"user_name":"John"}},{"id":"i2","user":{"type":"button","value":"Yes"}}]
            """,
            Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        var (launch, button) = (stage.Agent.Turns[0].Turn, stage.Agent.Turns[1].Turn);
        Assert.Equal(("launch", null), (launch.Type, launch.Payload?.GetRawText()));
        Assert.Equal(["n=3", "user_name=\"John\""], launch.Variables!.Select(variable => $"{variable.Key}={variable.Value.GetRawText()}"));
        Assert.Equal(("path-abc", """{"actions":[],"label":"Yes"}"""), (button.Type, button.Payload?.GetRawText()));
        Assert.Equal(
            [
                "Interaction ID: i1",
                "Interaction Request Type: launch",
                "Interaction Request Launch",
                "Including 2 variables in interaction request",
                "Interaction Response Type: choice",
                "Extracted 1 buttons from choice response",
                "Interaction Response Type: text",
                "Interaction Response Message: Sure?",
                "All validations passed for Interaction ID: i1",
                "Interaction ID: i2",
                "Interaction Request Type: button",
                "Interaction Request Button: Yes",
            ],
            stage.TestLines.Skip(2).Take(12));
    }

    [Theory]
    [InlineData(
        """{"type":"event","event":"reset"}""", "event", """{"event":{"name":"reset"}}""", "Interaction Request Event: reset")]
    [InlineData(
        """{"type":"intent","intent":{"name":"order_pizza","entities":[{"name":"size","value":"large"}]}}""",
        "intent",
        """{"intent":{"name":"order_pizza"},"entities":[{"name":"size","value":"large"}]}""",
        "Interaction Request Intent: &{order_pizza [{size large}]}")]
    [InlineData(
        """{"type":"intent","intent":{"name":"help","entities":[]}}""",
        "intent",
        """{"intent":{"name":"help"}}""",
        "Interaction Request Intent: &{help []}")]
    [InlineData("""{"type":"text","text":"hi"}""", "text", "\"hi\"", "Interaction Request Payload: hi")]
    public async Task EachUserTypeSendsItsActionAndSaysItsLine(string user, string type, string payload, string line)
    {
        var stage = new SuiteStage("ok");

        await stage.RunTestAsync($$$"""[{"id":"i1","user":{{{user}}}}]""", Stop);

        var turn = Assert.Single(stage.Agent.Turns).Turn;
        Assert.Equal((type, payload), (turn.Type, turn.Payload?.GetRawText()));
        Assert.Contains(line, stage.Lines);
    }

    [Fact]
    public async Task AnUnknownUserTypeSendsAnEmptyAction()
    {
        var stage = new SuiteStage("ok");

        await stage.RunTestAsync("""[{"id":"i1","user":{"type":"audio"}}]""", Stop);

        Assert.Equal(new AgentTurn(""), Assert.Single(stage.Agent.Turns).Turn);
        Assert.Equal(["Interaction ID: i1", "Interaction Request Type: audio", "Interaction Response Type: text"], stage.TestLines.Skip(2).Take(3));
    }

    [Theory]
    [InlineData("""{"type":"button","value":"Maybe"}""", false, "no buttons available from previous interaction")]
    [InlineData("""{"type":"button","value":"Maybe"}""", true, "button with label 'Maybe' not found in available buttons")]
    [InlineData("""{"type":"intent"}""", false, "intent request requires intent data")]
    public async Task ATurnThatCannotBeSentFailsTheTest(string user, bool hasButtons, string error)
    {
        var stage = new SuiteStage(_ => hasButtons ? [Choice(Button("Yes", null, "{}"))] : []);

        var result = await stage.RunTestAsync($$$"""[{"id":"i1","user":{"type":"launch"}},{"id":"i2","user":{{{user}}}}]""", Stop);

        Assert.Equal((ExecutionStatus.Failed, error), (result.Status, result.Error));
        Assert.Equal("Error running test t1: " + error, stage.Lines[^1]);
        Assert.Single(stage.Agent.Turns);
    }

    [Fact]
    public async Task ALabelIsFoundBeforeANameAndButtonsStayUntilReplaced()
    {
        var first = true;
        var stage = new SuiteStage(_ =>
        {
            AgentTrace[] traces = first ? [Choice(Button("A", "B", "1"), Button("B", "C", "2"))] : [SuiteStage.Say("ok")];
            first = false;
            return traces;
        });

        var result = await stage.RunTestAsync(
            """
            [{"id":"1","user":{"type":"launch"}},{"id":"2","user":{"type":"button","value":"B"}},{"id":"3","user":{"type":"button","value":"C"}}]
            """,
            Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Equal(["2", "2"], stage.Agent.Turns.Skip(1).Select(turn => turn.Turn.Payload?.GetRawText()));
    }

    [Fact]
    public async Task ButtonsOfCardsCarouselsAndAgentStepsCanBePressed()
    {
        var agentStep = new AgentButton("Check account balance", null, AgentTurn.Text("Check account balance"));
        AgentTrace[] traces =
        [
            new("cardV2") { Message = "Margherita", Buttons = [Button("Order", null, "\"card\"")] },
            new("carousel") { Buttons = [Button("Details", null, "\"carousel\"")] },
            new("choice") { Buttons = [agentStep] },
        ];
        var stage = new SuiteStage(_ => traces);

        var result = await stage.RunTestAsync(
            """
            [{"id":"0","user":{"type":"launch"},"agent":{"validate":[{"type":"contains","value":"Margherita"}]}},
             {"id":"1","user":{"type":"button","value":"Order"}},{"id":"2","user":{"type":"button","value":"Details"}},
             {"id":"3","user":{"type":"button","value":"Check account balance"}}]
            """,
            Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Equal(
            ["\"card\"", "\"carousel\"", "\"Check account balance\""],
            stage.Agent.Turns.Skip(1).Select(turn => turn.Turn.Payload?.GetRawText()));
        Assert.Contains("Extracted 1 buttons from cardV2 response", stage.Lines);
    }

    [Fact]
    public async Task AChoiceThatOffersNothingTakesTheEarlierButtonsAway()
    {
        var answers = new Queue<AgentTrace>([Choice(Button("Yes", null, "{}")), Choice()]);
        var stage = new SuiteStage(_ => [answers.Dequeue()]);

        var result = await stage.RunTestAsync(
            """[{"id":"1","user":{"type":"launch"}},{"id":"2","user":{"type":"launch"}},{"id":"3","user":{"type":"button","value":"Yes"}}]""", Stop);

        Assert.Equal("no buttons available from previous interaction", result.Error);
        Assert.Contains("Extracted 0 buttons from choice response", stage.Lines);
    }

    [Fact]
    public async Task AnAgentThatFailsFailsTheTestWithItsOwnWords()
    {
        var stage = new SuiteStage(_ => throw new AgentException("The agent did not answer within 60 s"));

        var result = await stage.RunTestAsync("""[{"id":"i1","user":{"type":"launch"}}]""", Stop);

        Assert.Equal((ExecutionStatus.Failed, "The agent did not answer within 60 s"), (result.Status, result.Error));
        Assert.Equal("Error running test t1: The agent did not answer within 60 s", stage.Lines[^1]);
    }

    private static AgentTrace Choice(params AgentButton[] buttons) =>
        new("choice", JsonSerializer.SerializeToElement(new { buttons = Array.Empty<string>() })) { Buttons = buttons };

    private static AgentButton Button(string label, string? name, string payload) =>
        new(label, name, new AgentTurn("path-abc", SuiteStage.Json(payload)));
}
