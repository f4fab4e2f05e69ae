using Harness.Suites;

namespace Harness.Tests.Suites;

public sealed class SuiteReaderTests
{
    [Fact]
    public void EveryMemberOfARequestIsRead()
    {
        var suite = Read(
            """
            {"api_key":"key","voiceflow_subdomain":"staging","voiceflow_api_url":"https://a","voiceflow_runtime_url":"https://r",
             "voiceflow_analytics_url":"https://n","agent":{"type":"webhook","url":"https://w"},
             "suite":{"name":"S","description":"D","environment_name":"dev","new_session_per_test":true,"fail_fast":false,"parallel":4,
             "openAIConfig":{"model":"m","temperature":0},"tests":[{"id":"t1","test":{"name":"T","description":"E","agent":{"goal":"G",
             "persona":"P","maxSteps":3,"userInformation":[{"name":"email","value":"a@b"}],"openAIConfig":{"model":"n"},
             "voiceflowAgentTesterConfig":{"environmentName":"te","apiKey":"tk","variables":{"A_b":1}},
             "voiceflowAgentTargetConfig":{"variables":{"c":true}}}}}]}}
            """);

        Assert.Equal(("S", "D", "dev", true, false, 4), (suite.Name, suite.Description, suite.EnvironmentName, suite.NewSessionPerTest, suite.FailFast, suite.Parallel));
        Assert.Equal(new ModelSettings("m", 0), suite.OpenAIConfig);
        Assert.Equal(("key", "staging", "dev"), (suite.Agent.ApiKey, suite.Agent.Subdomain, suite.Agent.Environment));
        Assert.Equal(("https://a", "https://r", "https://n"), (suite.Agent.ApiUrl, suite.Agent.RuntimeUrl, suite.Agent.AnalyticsUrl));
        Assert.Equal(("webhook", "https://w"), (suite.Agent.Connector, suite.Agent.Options.GetProperty("url").GetString()));
        var test = Assert.Single(suite.Tests);
        Assert.Equal(("t1", "T", "E"), (test.Id, test.Test.Name, test.Test.Description));
        var agent = test.Test.AgentTest!;
        Assert.Equal(("G", "P", 3, "n"), (agent.Goal, agent.Persona, agent.MaxSteps, agent.OpenAIConfig?.Model));
        Assert.Equal([new UserInformation("email", "a@b")], agent.UserInformation);
        Assert.Equal(("te", "tk"), (agent.Tester?.EnvironmentName, agent.Tester?.ApiKey));
        Assert.Equal("1", agent.Tester?.Variables?["A_b"].GetRawText());
        Assert.Equal("true", agent.TargetVariables?["c"].GetRawText());
    }

    [Fact]
    public void NothingButTheSuiteItselfIsRequired()
    {
        var suite = Read("""{"suite":{"unknown":1,"tests":[{}]}}""");

        Assert.Equal(("", false, true, 1), (suite.Name, suite.NewSessionPerTest, suite.FailFast, suite.Parallel));
        Assert.Null(suite.Agent.Connector);
        Assert.Equal("", suite.Tests[0].Id);
        Assert.Empty(suite.Tests[0].Test.Interactions);
    }

    [Theory]
    [InlineData("""{"SUITE":{"NAME":"S"}}""")]
    [InlineData("""{"suite":{"name":"first","name":"S"}}""")]
    [InlineData("""{"suite":{"name":"first"},"suite":{"name":"S","description":null}}""")]
    [InlineData("""{"name":"S"}""")]
    public void NamesMatchWhateverTheirCaseAndTheLastOneWins(string request) => Assert.Equal("S", Read(request).Name);

    [Fact]
    public void AnAgentCanBeAWordAndTheRequestsChoiceWins()
    {
        Assert.Equal("demo", Read("""{"suite":{"agent":"demo"}}""").Agent.Connector);
        Assert.Equal("openai", Read("""{"agent":{"type":"openai"},"suite":{"agent":"demo"}}""").Agent.Connector);
    }

    [Theory]
    [InlineData("[]", "expected an object, found a list")]
    [InlineData("\"x\"", "expected an object, found a string")]
    [InlineData("""{"suite":{"name":1}}""", "suite.name: expected a string, found a number")]
    [InlineData("""{"suite":{"tests":{}}}""", "suite.tests: expected a list, found an object")]
    [InlineData("""{"suite":{"new_session_per_test":"yes"}}""", "suite.new_session_per_test: expected true or false, found a string")]
    [InlineData("""{"suite":{"parallel":0}}""", "suite.parallel: expected 1 to 64, found 0")]
    [InlineData("""{"suite":{"parallel":1.5}}""", "suite.parallel: expected a whole number, found 1.5")]
    [InlineData("""{"suite":{"name":"\ud83d"}}""", "a string holds one half of a surrogate pair (such as \\ud83d alone); write the whole character")]
    [InlineData(
        """{"suite":{"tests":[{"test":{"interactions":[{},{},{"user":{"text":5}}]}}]}}""",
        "suite.tests[0].test.interactions[2].user.text: expected a string, found a number")]
    [InlineData(
        """{"suite":{"tests":[{"test":{"interactions":[{"agent":{"validate":[{"values":[true]}]}}]}}]}}""",
        "suite.tests[0].test.interactions[0].agent.validate[0].values[0]: expected a string, found true")]
    public void AWrongTypeIsSaidWhereItStands(string request, string message)
    {
        var error = Assert.Throws<SuiteFormatException>(() => Read(request));

        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void AMissingValidationIdIsMadeUp()
    {
        var suite = Read("""{"suite":{"tests":[{"test":{"interactions":[{"agent":{"validate":[{"type":"equals"}]}}]}}]}}""");

        Assert.True(Guid.TryParse(suite.Tests[0].Test.Interactions[0].Validations[0].Id, out _));
    }

    [Fact]
    public void NoKeyIsInAnyText()
    {
        var suite = Read("""{"api_key":"VF.DM.secret","suite":{"tests":[{"test":{"agent":{"voiceflowAgentTesterConfig":{"apiKey":"VF.DM.secret"}}}}]}}""");

        Assert.DoesNotContain("secret", $"{suite} {suite.Tests[0]}", StringComparison.Ordinal);
    }

    private static Suite Read(string request) => SuiteReader.Read(SuiteStage.Json(request));
}
