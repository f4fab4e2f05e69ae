using System.Text.Json;
using Harness.Server.Dialects.Voiceflow;

namespace Harness.Server.Tests.Dialects.Voiceflow;

public sealed class WireTypeTests
{
    [Theory]
    [InlineData("5", "number into Go value of type handlers.TestExecutionRequest")]
    [InlineData("\"x\"", "string into Go value of type handlers.TestExecutionRequest")]
    [InlineData("true", "bool into Go value of type handlers.TestExecutionRequest")]
    [InlineData("""{"suite":5}""", "number into Go struct field TestExecutionRequest.suite of type handlers.TestSuiteRequest")]
    [InlineData("""{"api_key":{}}""", "object into Go struct field TestExecutionRequest.api_key of type string")]
    [InlineData("""{"SUITE":{"Name":[]}}""", "array into Go struct field TestSuiteRequest.suite.name of type string")]
    [InlineData("""{"suite":{"new_session_per_test":"yes"}}""", "string into Go struct field TestSuiteRequest.suite.new_session_per_test of type bool")]
    [InlineData("""{"suite":{"tests":{}}}""", "object into Go struct field TestSuiteRequest.suite.tests of type []handlers.TestRequest")]
    [InlineData("""{"suite":{"tests":[{},7]}}""", "number into Go struct field TestSuiteRequest.suite.tests of type handlers.TestRequest")]
    [InlineData("""{"suite":{"tests":[{"id":true}]}}""", "bool into Go struct field TestRequest.suite.tests.id of type string")]
    [InlineData("""{"suite":{"tests":[{"test":[]}]}}""", "array into Go struct field TestRequest.suite.tests.test of type tests.Test")]
    [InlineData(
        """{"suite":{"tests":[{"test":{"interactions":[{"user":{"text":1}}]}}]}}""",
        "number into Go struct field User.suite.tests.test.interactions.user.text of type string")]
    [InlineData(
        """{"suite":{"tests":[{"test":{"interactions":[{"variables":"x"}]}}]}}""",
        "string into Go struct field Interaction.suite.tests.test.interactions.variables of type map[string]interface {}")]
    [InlineData(
        """{"suite":{"tests":[{"test":{"interactions":[{"agent":{"validate":[{"values":["a",1]}]}}]}}]}}""",
        "number into Go struct field Validation.suite.tests.test.interactions.agent.validate.values of type string")]
    [InlineData(
        """{"suite":{"tests":[{"test":{"interactions":[{"agent":{"validate":[{"similarityConfig":{"top_k":1.5}}]}}]}}]}}""",
        "number 1.5 into Go struct field SimilarityConfig.suite.tests.test.interactions.agent.validate.similarityConfig.top_k of type int")]
    [InlineData(
        """{"suite":{"tests":[{"test":{"agent":{"maxSteps":"3"}}}]}}""",
        "string into Go struct field AgentTest.suite.tests.test.agent.maxSteps of type int")]
    [InlineData(
        """{"suite":{"tests":[{"test":{"agent":{"openAIConfig":{"temperature":1e999}}}}]}}""",
        "number 1e999 into Go struct field OpenAIConfig.suite.tests.test.agent.openAIConfig.temperature of type float64")]
    public void WrongTypeIsNamedAsTheSeedsServerNamesIt(string json, string rest)
    {
        var misfit = WireTypes.TestExecutionRequest.FindMisfit(JsonElement.Parse(json));

        Assert.Equal("json: cannot unmarshal " + rest, misfit);
    }

    [Theory]
    [InlineData("""{"suite":{"name":1,"description":[]}}""", "TestSuiteRequest.suite.name")]
    [InlineData("""{"suite":{"description":[],"name":1}}""", "TestSuiteRequest.suite.description")]
    public void FirstOfSeveralWrongTypesIsTold(string json, string place) =>
        Assert.Contains(place, WireTypes.TestExecutionRequest.FindMisfit(JsonElement.Parse(json)));

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"suite":null,"api_key":null,"unknown":[1,{"x":2}]}""")]
    [InlineData("""{"suite":{"tests":[null,{"test":{"interactions":[{"variables":{"n":3,"o":{"deep":[1]}}}]}}]},"agent":{"connector":"demo"}}""")]
    public void NullUnknownAndFreeValuesFit(string json) =>
        Assert.Null(WireTypes.TestExecutionRequest.FindMisfit(JsonElement.Parse(json)));
}
