using System.Text.Json;
using System.Xml.Linq;
using Harness.Cli.Runs;

namespace Harness.Server.Tests.Cli;

public sealed class JUnitReportTests
{
    [Fact]
    public async Task XmlIsValidWhateverAnAgentSays()
    {
        var report = Report("""
            {"status":"failed","error":"e\u0000","tests":[{"id":"\u0007","name":"<&\"]]>","outcome":"failed","error":"\u001b[31m \ud83d\ude00 \ufffe"}]}
            """);

        var xml = await WriteAsync(report, ["bell \u0007", "lone \ud800 surrogate", "]]>", "tab\tkept"]);

        Assert.Equal("\uFFFD[31m 😀 \uFFFD", xml.Descendants("failure").Single().Attribute("message")!.Value);
        Assert.Equal("bell \uFFFD\nlone \uFFFD surrogate\n]]>\ntab\tkept", xml.Descendants("system-out").Single().Value);
    }

    [Fact]
    public async Task TestsThatWereNotRunAreSkipped()
    {
        var report = Report("""
            {"status":"cancelled","tests":[{"id":"a","name":"","outcome":"passed","duration_ms":1500},{"id":"b","outcome":"skipped"},{"id":"c","name":"","outcome":"skipped"}]}
            """);

        var suite = (await WriteAsync(report, [])).Root!.Element("testsuite")!;

        Assert.Equal(("3", "0", "2"), (suite.Attribute("tests")!.Value, suite.Attribute("failures")!.Value, suite.Attribute("skipped")!.Value));
        Assert.Equal("1.500", suite.Elements("testcase").First().Attribute("time")!.Value);
        Assert.Equal(2, suite.Descendants("skipped").Count());
    }

    [Fact]
    public async Task TestsThatTheResultHadNoRoomForAreCountedAndToldOf()
    {
        var report = Report("""
            {"status":"failed","tests_truncated":true,"summary":{"tests":900,"passed":890,"failed":1,"skipped":9,"duration_ms":1},
             "tests":[{"id":"a","name":"","outcome":"failed","error":"e"}]}
            """);

        var suite = (await WriteAsync(report, [])).Root!.Element("testsuite")!;

        Assert.Equal(("900", "1", "9"), (suite.Attribute("tests")!.Value, suite.Attribute("failures")!.Value, suite.Attribute("skipped")!.Value));
        Assert.StartsWith("899 tests are counted here", suite.Element("properties")!.Element("property")!.Attribute("value")!.Value);
        Assert.Single(suite.Elements("testcase"));
    }

    [Fact]
    public async Task ServerThatTellsNothingOfItsTestsGetsOneCase()
    {
        var report = Report("""{"status":"failed","error":"validation failed","started_at":"2026-01-01T00:00:00Z","completed_at":"2026-01-01T00:00:02Z"}""");

        var test = (await WriteAsync(report, [])).Descendants("testcase").Single();

        Assert.Equal(("Suite", "2.000"), (test.Attribute("name")!.Value, test.Attribute("time")!.Value));
        Assert.Equal("validation failed", test.Element("failure")!.Attribute("message")!.Value);
    }

    [Fact]
    public async Task RunWithoutTestsThatWasCancelledIsNotSaidToHaveNotRun()
    {
        var report = Report("""{"status":"cancelled","started_at":"2026-01-01T00:00:00Z","completed_at":"2026-01-01T00:00:02Z"}""");

        var test = (await WriteAsync(report, [])).Descendants("testcase").Single();

        Assert.Equal("cancelled", test.Element("skipped")!.Attribute("message")!.Value);
    }

    private static RunReport Report(string json) => RunReport.From("Suite", JsonElement.Parse(json));

    private static async Task<XDocument> WriteAsync(RunReport report, string[] lines)
    {
        using var stream = new MemoryStream();
        await JUnitReport.WriteAsync(stream, report, lines);
        stream.Position = 0;
        return await XDocument.LoadAsync(stream, LoadOptions.None, TestContext.Current.CancellationToken);
    }
}
