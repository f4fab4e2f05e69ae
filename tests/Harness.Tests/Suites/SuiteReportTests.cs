using System.Text;
using System.Text.Json;
using Harness.Suites;

namespace Harness.Tests.Suites;

public sealed class SuiteReportTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AResultHoldsEveryTestTurnAndValidation()
    {
        var stage = new SuiteStage("hello", "wörld <b>");

        var result = await stage.ValidateAsync(
            """
            [{"id":"v1","type":"contains","value":"hello"},{"id":"v2","type":"variable","value":"x","variableConfig":{"name":"n"}},
             {"id":"v3","type":"similarity","values":["a"]}]
            """,
            Stop);

        var userId = stage.Report.Tests[0].UserId;
        Assert.Equal(
            $$$"""
            {"summary":{"tests":1,"passed":0,"failed":1,"skipped":0,"duration_ms":5},"tests":[{"id":"t1","name":"T","outcome":"failed","duration_ms":3,
            "error":{{{JsonSerializer.Serialize(result.Error, JsonSerializerOptions.Web).Replace("\\u0022", "\\\"", StringComparison.Ordinal)}}},
            "user_id":"{{{userId}}}","interactions":[{"id":"i1","type":"text","outcome":"failed","duration_ms":1,
            "error":{{{JsonSerializer.Serialize(result.Error, JsonSerializerOptions.Web).Replace("\\u0022", "\\\"", StringComparison.Ordinal)}}},
            "messages":["hello","wörld <b>"],"validations":[{"id":"v1","type":"contains","value":"hello","outcome":"passed"},
            {"id":"v2","type":"variable","value":"x","outcome":"failed","message":"Variable value does not match, expected: x, got: <nil>"},
            {"id":"v3","type":"similarity","value":"","outcome":"failed","values":["a"],
            "message":"similarityConfig is missing; add it, or an openAIConfig to the suite"}]}]}]}
            """.Replace("\n", "", StringComparison.Ordinal),
            Encoding.UTF8.GetString(result.Details.Span));
    }

    [Fact]
    public void AReportIsReadBackFromAWholeResult()
    {
        var report = new SuiteReport
        {
            Summary = new SuiteSummary(1, 1, 0, 0, 2.5),
            Tests = [new TestReport("t", "T", SuiteOutcome.Passed) { Agent = new AgentTestReport("G", 1, true, [new TranscriptLine("tester", "hi")]) }],
        };
        var json = Encoding.UTF8.GetString(report.ToJson(int.MaxValue));
        var whole = SuiteStage.Json("""{"id":"e","status":"completed","logs":[],""" + json[1..]);

        var read = SuiteReport.Parse(whole);

        Assert.Equal(json, Encoding.UTF8.GetString(read.ToJson(int.MaxValue)));
        Assert.Empty(SuiteReport.Parse("{}"u8).Tests);
    }

    [Fact]
    public async Task LongMessagesAreCutAndSayHowMuchIsMissing()
    {
        var stage = new SuiteStage([new string('x', 1_999) + "😀 and more", .. Enumerable.Repeat("m", 60)]);

        await stage.RunTestAsync("""[{"id":"i","user":{"type":"launch"}}]""", Stop);

        var messages = stage.Report.Tests[0].Interactions[0].Messages;
        Assert.Equal(new string('x', 1_999) + "… (11 more characters)", messages[0]);
        Assert.Equal((51, "… (11 more messages)"), (messages.Count, messages[^1]));
    }

    [Theory]
    [InlineData(20_000, "messages")]
    [InlineData(5_000, "passed validations")]
    [InlineData(1_510, "good interactions")]
    [InlineData(900, "good tests")]
    [InlineData(150, "tests")]
    public void AReportThatIsTooLargeLosesWhatMattersLeast(int maxBytes, string lost)
    {
        var report = new SuiteReport
        {
            Summary = new SuiteSummary(11, 10, 1, 0, 0),
            Tests = [.. Enumerable.Range(0, 10).Select(_ => Test(SuiteOutcome.Passed)), Test(SuiteOutcome.Failed)],
        };

        var json = report.ToJson(maxBytes);

        var read = SuiteReport.Parse(json);
        Assert.True(json.Length <= maxBytes);
        Assert.True(read.Truncated);
        Assert.Equal(report.Summary, read.Summary);
        Assert.Equal(
            lost,
            (read.Tests.Count, read.Tests.Sum(test => test.Interactions.Count), read.Tests.Sum(test => test.Interactions.Sum(turn => turn.Validations.Count))) switch
            {
                (0, _, _) => "tests",
                (1, _, _) => "good tests",
                (_, 1, _) => "good interactions",
                (_, _, 4) => "passed validations",
                (_, _, 44) => "messages",
                _ => "something else",
            });
    }

    private static TestReport Test(SuiteOutcome outcome) => new("t", "T", outcome)
    {
        Interactions =
        [
            new InteractionReport("i", "text", outcome)
            {
                Messages = [new string('m', 1_900)],
                Validations = [.. Enumerable.Range(0, 4).Select(number => new ValidationReport($"v{number}", "contains", new string('v', 60), outcome))],
            },
        ],
    };
}
