using System.Globalization;
using System.Text;
using System.Xml;
using Harness.Suites;

namespace Harness.Cli.Runs;

/// <summary>A run as JUnit XML, which most build servers can show. Valid XML whatever an agent says.</summary>
internal static class JUnitReport
{
    public static async Task WriteAsync(Stream stream, RunReport report, IReadOnlyList<string> lines)
    {
        var settings = new XmlWriterSettings { Async = true, Indent = true, Encoding = new UTF8Encoding(false) };
        await using var writer = XmlWriter.Create(stream, settings);
        var tests = TestsOf(report);
        var counts = CountsOf(report, tests);
        writer.WriteStartElement("testsuites");
        writer.WriteStartElement("testsuite");
        writer.WriteAttributeString("name", Legal(report.Suite));
        writer.WriteAttributeString("tests", Number(counts.Tests));
        writer.WriteAttributeString("failures", Number(counts.Failed));
        writer.WriteAttributeString("errors", "0");
        writer.WriteAttributeString("skipped", Number(counts.Skipped));
        writer.WriteAttributeString("time", Seconds(report.Duration));
        if (report.Document.Text("started_at") is { } start)
        {
            writer.WriteAttributeString("timestamp", Legal(start));
        }

        if (counts.Tests > tests.Count)
        {
            WriteLeftOut(writer, counts.Tests - tests.Count);
        }

        foreach (var test in tests)
        {
            WriteTest(writer, report.Suite, test);
        }

        // One log of the suite, not one per test: the lines of tests that ran in parallel are interleaved.
        writer.WriteElementString("system-out", Legal(string.Join('\n', lines)));
        writer.WriteEndElement();
        writer.WriteEndElement();
    }

    /// <summary>A server that tells nothing of its tests gets one case for the whole suite.</summary>
    private static IReadOnlyList<TestReport> TestsOf(RunReport report) => report.Details.Tests.Count > 0
        ? report.Details.Tests
        : [new TestReport(report.Suite, "", OutcomeOf(report)) { DurationMs = report.Duration.TotalMilliseconds, Error = ErrorOf(report) }];

    // The server's own counts, where it could not send all tests; else what stands here.
    private static SuiteSummary CountsOf(RunReport report, IReadOnlyList<TestReport> tests)
    {
        int Count(SuiteOutcome outcome) => tests.Count(test => test.Outcome == outcome);
        return report.Details.Truncated && report.Details.Summary.Tests > tests.Count
            ? report.Details.Summary
            : new SuiteSummary(tests.Count, Count(SuiteOutcome.Passed), Count(SuiteOutcome.Failed), Count(SuiteOutcome.Skipped), 0);
    }

    private static SuiteOutcome OutcomeOf(RunReport report) => report.Status switch
    {
        "completed" => SuiteOutcome.Passed,
        "failed" => SuiteOutcome.Failed,
        _ => SuiteOutcome.Skipped,
    };

    // One that was cancelled did run.
    private static string? ErrorOf(RunReport report) => OutcomeOf(report) == SuiteOutcome.Skipped ? report.Status : report.Error;

    private static void WriteLeftOut(XmlWriter writer, int count)
    {
        writer.WriteStartElement("properties");
        writer.WriteStartElement("property");
        writer.WriteAttributeString("name", "harness.tests_truncated");
        writer.WriteAttributeString("value", $"{Number(count)} tests are counted here, but have no testcase: the server's result had no room for them");
        writer.WriteEndElement();
        writer.WriteEndElement();
    }

    private static void WriteTest(XmlWriter writer, string suite, TestReport test)
    {
        writer.WriteStartElement("testcase");
        writer.WriteAttributeString("classname", Legal(suite));
        writer.WriteAttributeString("name", Legal(RunReport.TitleOf(test)));
        writer.WriteAttributeString("time", Seconds(TimeSpan.FromMilliseconds(test.DurationMs)));
        if (test.Outcome != SuiteOutcome.Passed)
        {
            writer.WriteStartElement(test.Outcome == SuiteOutcome.Failed ? "failure" : "skipped");
            writer.WriteAttributeString("message", Legal(test.Error ?? "not run"));
            writer.WriteEndElement();
        }

        writer.WriteEndElement();
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan value) => value.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>The text without what XML 1.0 cannot hold at all: most control characters and lone surrogates.</summary>
    private static string Legal(string text)
    {
        var legal = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            // A lone surrogate is enumerated as U+FFFD, which is legal.
            var isLegal = rune.Value is '\t' or '\n' or '\r' or (>= 0x20 and not (0xFFFE or 0xFFFF));
            legal.Append(isLegal ? rune.ToString() : "\uFFFD");
        }

        return legal.ToString();
    }
}
