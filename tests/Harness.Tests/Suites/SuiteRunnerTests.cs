using Harness.Agents;
using Harness.Executions;
using Harness.Suites;
using Harness.Tests.Agents;
using Harness.Tests.Executions;
using Microsoft.Extensions.Options;

namespace Harness.Tests.Suites;

public sealed class SuiteRunnerTests
{
    private const string SeedExample =
        """
        {"api_key":"VF.DM.secret","suite":{"name":"S","description":"D","environment_name":"production","tests":[{"id":"t1","test":{
        "name":"T one","description":"d","interactions":[{"id":"i1","user":{"type":"text","text":"hi"},
        "agent":{"validate":[{"id":"v1","type":"contains","value":"hello"}]}}]}}]}}
        """;

    private const string Said = "Tester agent message: ";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheSeedExampleSaysItsFourteenLines()
    {
        var stage = new SuiteStage("hello world");

        var result = await stage.RunAsync(SeedExample, Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Null(result.Error);
        Assert.Equal(
            [
                "Suite: S",
                "Description: D",
                "Environment: production",
                "User ID: test-<uuid>",
                "Running Tests:",
                "Running Test ID: t1",
                "Running Test ID: T one",
                "Interaction ID: i1",
                "Interaction Request Type: text",
                "Interaction Request Payload: hi",
                "Interaction Response Type: text",
                "Interaction Response Message: hello world",
                "Validation type: contains PASSED with value: hello",
                "All validations passed for Interaction ID: i1",
            ],
            stage.Lines);
    }

    [Fact]
    public async Task AFailedValidationFailsTheSuiteWithTheReferencesText()
    {
        var stage = new SuiteStage("hello world");

        var result = await stage.RunAsync(SeedExample.Replace("\"hello\"", "\"Hello\"", StringComparison.Ordinal), Stop);

        const string Failure = """validation failed for Interaction ID: i1, validation: [{"id":"v1","type":"contains","value":"Hello"}]""";
        Assert.Equal(ExecutionStatus.Failed, result.Status);
        Assert.Equal(Failure, result.Error);
        Assert.Equal(["Validation type: contains FAILED with value: Hello", "Error running test t1: " + Failure], stage.Lines.TakeLast(2));
    }

    [Fact]
    public async Task AnAnswersFileGivesEachAnswerOnceInARun()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory().FullName, "model.yaml");
        await File.WriteAllTextAsync(
            file,
            """
            answers:
              - { contains: goal has been reached, answer: 'NO' }
              - { contains: find out whether, answer: NONE }
              - one
              - two
            """,
            Stop);
        using var factory = Given.Factory(new AgentOptions { ModelScriptFile = file });
        var runner = new SuiteRunner(factory, TimeProvider.System, Options.Create(new ExecutionOptions()));
        var suite = SuiteReader.Read(Given.Json("""{"agent":"demo","suite":{"tests":[{"id":"t1","test":{"agent":{"goal":"x","maxSteps":2}}}]}}"""));
        var lines = new List<string>();

        foreach (var agent in new[] { factory.Create(suite.Agent), factory.Create(suite.Agent) })
        {
            await runner.RunAsync(suite, agent, WriteAsync, Stop);
        }

        Assert.Equal(["one", "two", "one", "two"], lines.Where(line => line.StartsWith(Said, StringComparison.Ordinal)).Select(line => line[Said.Length..]));

        ValueTask WriteAsync(string line)
        {
            lines.Add(line);
            return ValueTask.CompletedTask;
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"suite":null}""")]
    public async Task ARequestWithoutASuiteRunsAnEmptyOne(string request)
    {
        var stage = new SuiteStage();

        var result = await stage.RunAsync(request, Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Equal(["Suite: ", "Description: ", "Environment: ", "User ID: test-<uuid>", "Running Tests:"], stage.Lines);
    }

    [Fact]
    public async Task ATestWithoutAnythingInItPasses()
    {
        var stage = new SuiteStage();

        var result = await stage.RunAsync("""{"suite":{"tests":[{"id":"t1"}]}}""", Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Equal(["Running Test ID: t1", "Running Test ID: "], stage.TestLines);
    }

    [Fact]
    public void ThePlanHoldsWhatTheRecordOpensWithAndWhoAnswers()
    {
        var stage = new SuiteStage();

        var request = stage.Runner().Plan(SuiteReader.Read(SuiteStage.Json(SeedExample))).Request;

        Assert.Equal(("suite", "S", "Test execution started"), (request.Kind, request.Name, request.Greeting));
        Assert.Equal(["Starting test suite execution...", "Suite: S", "Environment: production"], request.Preamble);
        Assert.Equal("voiceflow (fake)", request.Facts["agent"]);
        Assert.Equal(("VF.DM.secret", "production"), (stage.Settings[0].ApiKey, stage.Settings[0].Environment));
        Assert.DoesNotContain("secret", request.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AnAgentThatCannotBeHadIsTheClientsError()
    {
        var runner = new SuiteRunner(new SuiteTools(
            _ => throw new AgentException("There is no agent 'x'"), () => new FakeModel(), TimeProvider.System));

        var error = Assert.Throws<ExecutionInputException>(() => runner.Plan(new Suite()));

        Assert.Equal("There is no agent 'x'", error.Message);
    }

    [Fact]
    public async Task AnotherAgentThanVoiceflowIsNamedInTheFirstLine()
    {
        var stage = new SuiteStage();
        var demo = new FakeAgent(_ => []) { Name = "demo", Description = "demo (built-in scripted agent; no Voiceflow key is set)" };
        var lines = new List<string>();

        await stage.Runner().RunAsync(new Suite { Agent = new AgentSettings { Subdomain = "staging" } }, demo, Write, Stop);

        Assert.Equal(
            ["Agent: demo (built-in scripted agent; no Voiceflow key is set)", "Using Voiceflow subdomain: staging", "Suite: "], lines.Take(3));

        ValueTask Write(string line)
        {
            lines.Add(line);
            return ValueTask.CompletedTask;
        }
    }

    [Fact]
    public async Task TabsAreRemovedFromEveryLine()
    {
        var stage = new SuiteStage("a\tb");

        await stage.ValidateAsync("""[{"id":"v","type":"equals","value":"a\tb"}]""", Stop);

        Assert.Contains("Interaction Response Message: ab", stage.Lines);
        Assert.Contains("Validation type: equals PASSED with value: ab", stage.Lines);
    }

    [Fact]
    public async Task OneUserTalksInAllTestsUnlessEachHasANewSession()
    {
        var shared = new SuiteStage("ok");
        var separate = new SuiteStage("ok");

        await shared.RunAsync(ThreeTests(newSession: false), Stop);
        await separate.RunAsync(ThreeTests(newSession: true), Stop);

        Assert.Single(shared.Agent.Turns.Select(turn => turn.UserId).Distinct());
        Assert.Equal(3, separate.Agent.Turns.Select(turn => turn.UserId).Distinct().Count());
        Assert.Equal("New session per test: enabled", separate.Lines[3]);
        Assert.Equal("User ID for test t1: test-<uuid>", separate.TestLines.First());
    }

    [Theory]
    [InlineData("hello", "completed", "Test suite execution completed successfully")]
    [InlineData(
        "Hello",
        "failed",
        """Test suite execution failed: validation failed for Interaction ID: i1, validation: [{"id":"v1","type":"contains","value":"Hello"}]""")]
    public async Task TheRecordIsThreeOpeningLinesTheLogLinesAndOneClosingLine(string expected, string status, string closing)
    {
        using var engine = new Engine();
        var stage = new SuiteStage("hello world");
        var request = SeedExample.Replace("\"hello\"", $"\"{expected}\"", StringComparison.Ordinal);
        var execution = engine.Registry.Start(stage.Runner().Plan(SuiteReader.Read(SuiteStage.Json(request))));

        var events = await Engine.ReadAsync(execution);

        var data = events[^1].GetProperty("data");
        var lines = events.Where(json => json.Type() == "log").Select(json => json.Text("message"));
        Assert.Equal(status, data.Text("status"));
        Assert.Equal("Test execution started", events[0].GetProperty("data").GetProperty("logs")[0].GetString());
        Assert.Equal(
            ["Starting test suite execution...", "Suite: S", "Environment: production", .. lines, closing],
            data.GetProperty("logs").EnumerateArray().Select(line => line.GetString()));
    }

    private static string ThreeTests(bool newSession)
    {
        var tests = Enumerable.Range(1, 3).Select(number =>
            $$$"""{"id":"t{{{number}}}","test":{"interactions":[{"id":"i","user":{"type":"text","text":"hi"}}]}}""");
        return $$$"""{"suite":{"new_session_per_test":{{{(newSession ? "true" : "false")}}},"tests":[{{{string.Join(',', tests)}}}]}}""";
    }
}
