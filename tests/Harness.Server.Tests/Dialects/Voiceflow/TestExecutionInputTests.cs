using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Server.Dialects.Voiceflow;
using Harness.Suites;

namespace Harness.Server.Tests.Dialects.Voiceflow;

public sealed class TestExecutionInputTests
{
    [Theory]
    [InlineData("""{"suite":{"name":"n","environment_name":"e","tests":[]}}""")]
    [InlineData("""{"SUITE":{"NAME":"n","Environment_Name":"e","TESTS":[{"ID":"t"}]}}""")]
    [InlineData("""{"suite":{"name":"","name":"n","environment_name":"e","tests":null,"tests":[]}}""")]
    [InlineData("""{"suite":{"name":"n","environment_name":"e","tests":[{"id":"t1"}],"later":true},"also":{}}""")]
    public void WhatTheSeedsServerTakesIsTaken(string body)
    {
        var request = TestExecutionInput.Parse(Encoding.UTF8.GetBytes(body));

        TestExecutionInput.Check(request);
    }

    [Fact]
    public void NamesOfYamlSuitesAreTakenToo()
    {
        var request = JsonElement.Parse("""{"suite":{"name":"n","environmentName":"e","newSessionPerTest":true,"tests":[]}}""");

        TestExecutionInput.Check(request);

        Assert.Equal(("e", true), (SuiteReader.Read(request).EnvironmentName, SuiteReader.Read(request).NewSessionPerTest));
    }

    [Theory]
    [InlineData("""{"suite":{"name":"n","name":"","environment_name":"e","tests":[]}}""", "Suite.Name")]
    [InlineData("""{"suite":{"name":"n","environment_name":"e","tests":[{"id":"a"},null]}}""", "Suite.Tests[1].ID")]
    [InlineData("""{"suite":{"name":"n","environment_name":"e","tests":[{"id":"a"},{"id":""}]}}""", "Suite.Tests[1].ID")]
    public void WhatIsMissingIsNamed(string body, string place)
    {
        var request = TestExecutionInput.Parse(Encoding.UTF8.GetBytes(body));

        var error = Assert.Throws<ExecutionInputException>(() => TestExecutionInput.Check(request));

        Assert.StartsWith($"Key: 'TestExecutionRequest.{place}' Error:", error.Message);
    }

    [Fact]
    public void EveryTestWithoutIdHasItsOwnLine()
    {
        var request = JsonElement.Parse("""{"suite":{"name":"n","environment_name":"e","tests":[{},{}]}}""");

        var error = Assert.Throws<ExecutionInputException>(() => TestExecutionInput.Check(request));

        Assert.Equal(2, error.Message.Split('\n').Length);
    }

    [Fact]
    public void AnswerStaysShortHoweverMuchIsMissing()
    {
        var tests = string.Join(',', Enumerable.Repeat("{}", 100_000));
        var request = JsonElement.Parse("{\"suite\":{\"name\":\"n\",\"environment_name\":\"e\",\"tests\":[" + tests + "]}}");

        var error = Assert.Throws<ExecutionInputException>(() => TestExecutionInput.Check(request));

        Assert.Equal(101, error.Message.Split('\n').Length);
        Assert.EndsWith("(only the first 100 are told)", error.Message);
    }

    [Fact]
    public void WhatFollowsTheFirstValueIsIgnored()
    {
        var request = TestExecutionInput.Parse("""  {"a":1}{"b":2} garbage"""u8.ToArray());

        Assert.Equal(1, request.GetProperty("a").GetInt32());
        Assert.Single(request.EnumerateObject());
    }

    [Fact]
    public void BytesThatAreNoTextBecomeReplacementCharacters()
    {
        byte[] body = [.. "{\"a\":\""u8, 0xFF, 0xC3, .. "\\ud800x\",\"b\\udc00\":\"\\ud83d\\ude00\"}"u8];

        var request = TestExecutionInput.Parse(body);

        Assert.Equal("\uFFFD\uFFFD\uFFFDx", request.GetProperty("a").GetString());
        Assert.Equal("\U0001F600", request.GetProperty("b\uFFFD").GetString());
    }
}
