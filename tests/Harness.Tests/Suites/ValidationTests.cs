using FsCheck;
using FsCheck.Fluent;
using Harness.Agents;
using Harness.Executions;
using Harness.Suites;

namespace Harness.Tests.Suites;

public sealed class ValidationTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("equals", "hello world", true)]
    [InlineData("equals", "hello", false)]
    [InlineData("equals", "Hello world", false)]
    [InlineData("exact_match", "hello world", true)]
    [InlineData("exact_match", " hello world", false)]
    [InlineData("contains", "lo wo", true)]
    [InlineData("contains", "", true)]
    [InlineData("contains", "LO", false)]
    [InlineData("regexp", "l+o", true)]
    [InlineData("regexp", "^world", false)]
    [InlineData("regexp", "/hello/", false)]
    [InlineData("traceType", "text", true)]
    [InlineData("traceType", "Text", false)]
    [InlineData("nonsense", "hello world", false)]
    public async Task AMessageIsComparedAsTheReferenceDoes(string type, string value, bool passes)
    {
        var stage = new SuiteStage("hello world");

        var result = await stage.ValidateAsync($$"""[{"id":"v","type":"{{type}}","value":"{{value}}"}]""", Stop);

        Assert.Equal(passes ? ExecutionStatus.Completed : ExecutionStatus.Failed, result.Status);
        Assert.Contains($"Validation type: {type} {(passes ? "PASSED" : "FAILED")} with value: {value}", stage.Lines);
    }

    [Fact]
    public async Task ATraceWithoutAMessageIsGoodForItsTypeAndForVariables()
    {
        var stage = new SuiteStage(_ => [new AgentTrace("end")]) { Agent = { Variables = SuiteStage.Json("""{"n":3}""") } };

        var result = await stage.ValidateAsync(
            """
            [{"id":"a","type":"traceType","value":"end"},{"id":"b","type":"variable","value":"3","variableConfig":{"name":"n"}},
             {"id":"c","type":"contains","value":"x"},{"id":"d","type":"similarity"},{"id":"e","type":"other"}]
            """,
            Stop);

        Assert.Equal(
            """validation failed for Interaction ID: i1, validation: [{"id":"c","type":"contains","value":"x"},{"id":"d","type":"similarity"},{"id":"e","type":"other"}]""",
            result.Error);
        Assert.Equal(
            [
                "Interaction Response Type: end",
                "Validation type: traceType PASSED with value: end",
                "Validation type: variable PASSED with values: 3 and config {n }",
                "Validation type: contains FAILED - no message in response",
                "Validation type: similarity FAILED - no message in response",
                "Validation type: other FAILED - no message in response",
            ],
            stage.TestLines.Skip(5).Take(6));
    }

    [Fact]
    public async Task DifferentTracesMaySatisfyDifferentValidations()
    {
        var stage = new SuiteStage(_ => [SuiteStage.Say("one"), new AgentTrace("choice"), SuiteStage.Say("two"), new AgentTrace("end")]);

        var result = await stage.ValidateAsync(
            """
            [{"id":"a","type":"equals","value":"two"},{"id":"b","type":"equals","value":"one"},
             {"id":"c","type":"traceType","value":"end"},{"id":"d","type":"contains","value":"n"}]
            """,
            Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
        Assert.Equal(
            [
                "equals FAILED with value: two",
                "equals PASSED with value: one",
                "traceType FAILED with value: end",
                "contains PASSED with value: n",
                "equals FAILED - no message in response",
                "traceType FAILED with value: end",
                "equals PASSED with value: two",
                "traceType FAILED with value: end",
                "traceType PASSED with value: end",
            ],
            ValidationLines(stage));
    }

    [Fact]
    public void AnInteractionPassesWhenEveryValidationFindsATrace()
    {
        var words = Gen.Elements("a", "b", "ab", "c");
        var cases = words.NonEmptyListOf().SelectMany(_ => words.ListOf(), (messages, values) => (Messages: messages.ToList(), Values: values.ToList()));

        Check.QuickThrowOnFailure(Prop.ForAll(cases.ToArbitrary(), async suite =>
        {
            var stage = new SuiteStage([.. suite.Messages]);
            var validations = suite.Values.Select((value, index) => $$"""{"id":"{{index}}","type":"contains","value":"{{value}}"}""");
            await stage.ValidateAsync($"[{string.Join(',', validations)}]", Stop);

            var passes = suite.Values.All(value => suite.Messages.Any(message => message.Contains(value, StringComparison.Ordinal)));
            var tries = suite.Values.Sum(value =>
            {
                var index = suite.Messages.FindIndex(message => message.Contains(value, StringComparison.Ordinal));
                return index < 0 ? suite.Messages.Count : index + 1;
            });
            return passes == stage.Lines.Contains("All validations passed for Interaction ID: i1") && ValidationLines(stage).Count() == tries;
        }));
    }

    [Fact]
    public async Task NoTraceAtAllFailsValidationsWithoutALine()
    {
        var stage = new SuiteStage();

        var result = await stage.ValidateAsync("""[{"id":"v","type":"contains","value":"x"}]""", Stop);

        Assert.Equal(ExecutionStatus.Failed, result.Status);
        Assert.Empty(ValidationLines(stage));
        Assert.Equal(SuiteOutcome.Skipped, stage.Report.Tests[0].Interactions[0].Validations[0].Outcome);
    }

    [Fact]
    public async Task AnInvalidExpressionFailsTheTestWithTheReferencesText()
    {
        var stage = new SuiteStage("hello");

        var result = await stage.ValidateAsync("""[{"id":"v","type":"regexp","value":"(unclosed"}]""", Stop);

        const string Error = "error parsing regexp: missing closing ): `(unclosed`";
        Assert.Equal((ExecutionStatus.Failed, Error), (result.Status, result.Error));
        Assert.Equal(["Error compiling regexp: " + Error, "Error running test t1: " + Error], stage.Lines.TakeLast(2));
    }

    [Theory]
    [InlineData("3", "3")]
    [InlineData("3.0", "3")]
    [InlineData("1.5", "1.5")]
    [InlineData("1.50", "1.50")]
    [InlineData("true", "true")]
    [InlineData("null", "<nil>")]
    [InlineData("[1,2]", "[1 2]")]
    [InlineData("""{"b":1,"a":"x"}""", "map[a:x b:1]")]
    [InlineData("12345678", "12345678")]
    [InlineData("12345678", "1.2345678e+07")]
    [InlineData("[12345678]", "[1.2345678e+07]")]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("0.00001", "1e-05")]
    [InlineData("0.00001", "0.00001")]
    public async Task AVariableIsComparedByItsText(string value, string expected)
    {
        var stage = new SuiteStage("ok") { Agent = { Variables = SuiteStage.Json($$"""{"x":{{value}}}""") } };

        var result = await stage.ValidateAsync($$$"""[{"id":"v","type":"variable","value":"{{{expected}}}","variableConfig":{"name":"x"}}]""", Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
    }

    [Theory]
    [InlineData(".hello", "world")]
    [InlineData("$.hello", "world")]
    [InlineData("$['list'][1].n", "7")]
    [InlineData("""$[\"list\"][-1]['n']""", "7")]
    public async Task AJsonPathLooksInsideAVariable(string path, string expected)
    {
        var stage = new SuiteStage("ok") { Agent = { Variables = SuiteStage.Json("""{"test_1":{"hello":"world","list":[0,{"n":7}]}}""") } };

        var result = await stage.ValidateAsync(
            $$$"""[{"id":"v","type":"variable","value":"{{{expected}}}","variableConfig":{"name":"test_1","jsonPath":"{{{path}}}"}}]""", Stop);

        Assert.Equal(ExecutionStatus.Completed, result.Status);
    }

    [Theory]
    [InlineData("""{"name":"missing"}""", "Variable value does not match, expected: x, got: <nil>")]
    [InlineData("""{"name":"big"}""", "Variable value does not match, expected: x, got: 12345678")]
    [InlineData("""{"name":"o","jsonPath":"nope"}""", "Error applying JSONPath: cannot read the path at 'nope'; write $.name, ['name'] or [0]")]
    [InlineData("""{"name":"o","jsonPath":".nope"}""", "Error applying JSONPath: unknown key nope")]
    [InlineData("""{"name":"missing","jsonPath":"$.a"}""", "Error applying JSONPath: unknown key a")]
    [InlineData("""{"name":"list","jsonPath":"$[2]"}""", "Error applying JSONPath: index 2 is outside the list of 1")]
    public async Task AVariableThatDiffersSaysHow(string config, string line)
    {
        var stage = new SuiteStage("ok") { Agent = { Variables = SuiteStage.Json("""{"big":12345678,"o":{"a":1},"list":[1]}""") } };

        var result = await stage.ValidateAsync($$"""[{"id":"v","type":"variable","value":"x","variableConfig":{{config}}}]""", Stop);

        Assert.Equal(ExecutionStatus.Failed, result.Status);
        Assert.Equal([line, "Validation type: variable FAILED with value: x"], stage.Lines.SkipLast(1).TakeLast(2));
        Assert.Equal(line, stage.Report.Tests[0].Interactions[0].Validations[0].Message);
    }

    [Theory]
    [InlineData("variable", "- variableConfig is missing; it names the variable")]
    [InlineData("similarity", "- similarityConfig is missing; add it, or an openAIConfig to the suite")]
    public async Task AMissingConfigurationFailsItsValidationAndNothingElse(string type, string tail)
    {
        var stage = new SuiteStage("ok");

        var result = await stage.ValidateAsync($$"""[{"id":"v","type":"{{type}}","value":"x"}]""", Stop);

        Assert.Equal(ExecutionStatus.Failed, result.Status);
        Assert.Equal([$"Validation type: {type} FAILED {tail}"], stage.Lines.Where(line => line.StartsWith("Validation", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task FailureTextsAreJsonInTheReferencesOrderAndEscapes()
    {
        var stage = new SuiteStage();

        var result = await stage.ValidateAsync(
            """
            [{"similarityConfig":{"provider":"openai","similarityThreshold":0.5,"top_k":5,"temperature":0.8,"model":"gpt-4o","top_p":0.9},
              "values":["<a>","b & c"],"value":"","type":"similarity","id":"v1"},
             {"id":"v2","type":"variable","value":"\"q\"\n","variableConfig":{"jsonPath":"$.x","name":"n"}}]
            """,
            Stop);

        Assert.Equal(
            """
            validation failed for Interaction ID: i1, validation: [{"id":"v1","type":"similarity","values":["\u003ca\u003e","b \u0026 c"],"similarityConfig":{"provider":"openai","model":"gpt-4o","temperature":0.8,"similarityThreshold":0.5,"top_k":5,"top_p":0.9}},{"id":"v2","type":"variable","value":"\"q\"\n","variableConfig":{"name":"n","jsonPath":"$.x"}}]
            """,
            result.Error);
    }

    private static IEnumerable<string> ValidationLines(SuiteStage stage)
    {
        const string Start = "Validation type: ";
        return stage.Lines.Where(line => line.StartsWith(Start, StringComparison.Ordinal)).Select(line => line[Start.Length..]);
    }
}
