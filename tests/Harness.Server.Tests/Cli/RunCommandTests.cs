using System.Text.Json;
using System.Xml.Linq;

namespace Harness.Server.Tests.Cli;

public sealed class RunCommandTests
{
    [Fact]
    public async Task SuiteThatPassesExitsWithZeroAndShowsLinesTableAndCounts()
    {
        using var suite = SuiteFile.Expecting("hello");

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", suite.Path);

        Assert.True(exitCode == 0, output);
        Assert.Contains("Interaction Request Payload: hi", output);
        Assert.Contains("t1: Says hello", output);
        Assert.Contains("1 passed, 0 failed", output);
    }

    [Fact]
    public async Task FailingTestExitsWithOneAndTheOthersAreCounted()
    {
        using var suite = SuiteFile.Expecting("hello", "no agent says this");

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", suite.Path);

        Assert.True(exitCode == 1, output);
        Assert.Contains("1 passed, 1 failed", output);
        Assert.Contains("validation failed for Interaction ID: i1", output);
    }

    [Theory]
    [InlineData(0, "samples/suites/pizza", "5 passed, 0 failed")]
    [InlineData(0, "samples/suites/seed-example.json", "1 passed, 0 failed")]
    [InlineData(1, "samples/suites/failing", "1 passed, 2 failed")]
    public async Task SampleEndsAsItSays(int expected, string path, string counts)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync("run", path);

        Assert.True(exitCode == expected, output);
        Assert.Contains(counts, output);
    }

    [Fact]
    public async Task FlagBeatsTheSuitesOwnWord()
    {
        using var suite = SuiteFile.Expecting("no agent says this", "hello");

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", suite.Path, "--fail-fast", "true");

        Assert.True(exitCode == 1, output);
        Assert.Contains("0 passed, 1 failed, 1 not run", output);
    }

    [Fact]
    public async Task PathThatIsNotThereExitsWithTwoAndIsNamed()
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync("run", "no/such/suite");

        Assert.Equal(2, exitCode);
        Assert.Contains("no/such/suite", output);
    }

    [Fact]
    public async Task AgentThatCannotBeHadExitsWithTwo()
    {
        using var suite = SuiteFile.ForAgent("voiceflow");

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", suite.Path);

        Assert.Equal(2, exitCode);
        Assert.Contains("VF_API_KEY", output);
    }

    [Theory]
    [InlineData("Harness__Agents__CallTimeLimit", "samples/suites/pizza")]
    [InlineData("Harness__Agents__MaxReplyBytes", "order-approval", "--workflows", "samples/workflows")]
    [InlineData("Harness__Executions__MaxConcurrent", "samples/suites/pizza")]
    public async Task SettingThatIsNoNumberOrDurationExitsWithTwoAndIsNamed(string variable, params string[] args)
    {
        var environment = new Dictionary<string, string?>(HarnessExecutable.Environment) { [variable] = "soon" };
        await using var process = ChildProcess.Start(
            "dotnet", ["exec", HarnessExecutable.Path, "run", .. args], TestContext.Current.CancellationToken, environment);

        Assert.Equal(2, await process.WaitForExitAsync());
        Assert.Contains($"'soon' at '{variable.Replace("__", ":", StringComparison.Ordinal)}'", process.Output);
        Assert.DoesNotContain("   at ", process.Output);
    }

    [Theory]
    [InlineData("--output", "xml", "report.xml")]
    [InlineData("--output", "junit")]
    [InlineData("--output", "junit", "")]
    [InlineData("--parallel", "0")]
    [InlineData("--parallel", "65")]
    [InlineData("--server", "nowhere")]
    [InlineData("--no-such-flag")]
    public async Task WrongUsageExitsWithTwoAndSaysWhereHelpIs(params string[] flags)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync(["run", "suite.json", .. flags]);

        Assert.Equal(2, exitCode);
        Assert.Contains("See: harness run --help", output);
        Assert.DoesNotContain("System.", output);
    }

    [Theory]
    [InlineData("json", "samples")]
    [InlineData("junit", "no-such-folder/")]
    public async Task ReportIsNotWrittenInPlaceOfAFolderAndNothingRuns(string format, string file)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync("run", "samples/suites/pizza", "--output", format, file);

        Assert.Equal(2, exitCode);
        Assert.Contains($"--output {format} needs the name of a file ({file} is a folder).", output);
        Assert.DoesNotContain("passed", output);
    }

    [Theory]
    [InlineData("samples/suites/pizza")]
    [InlineData("samples/suites/seed-example.json")]
    [InlineData("samples/suites/pizza", "--server", "http://127.0.0.1:1")]
    public async Task SuiteTakesNoInput(params string[] args)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync(["run", .. args, "--input", "{}"]);

        Assert.Equal(2, exitCode);
        Assert.Contains($"A suite takes no --input, and '{args[0]}' is a file or folder here", output);
    }

    [Fact]
    public async Task OutputThatIsNoTerminalHasNoEscapeCodes()
    {
        using var suite = SuiteFile.Expecting("hello", "no agent says this");

        var (_, output) = await HarnessExecutable.RunAsync("run", suite.Path, "--verbose");

        Assert.DoesNotContain('\u001B', output);
    }

    [Fact]
    public async Task ReportsAreWrittenInBothForms()
    {
        using var suite = SuiteFile.Expecting("hello", "no agent says this");

        var (exitCode, output) = await HarnessExecutable.RunAsync(
            "run", "--output", "junit", suite.Beside("new/report.xml"), suite.Path, "--output", "json", suite.Beside("report.json"));

        Assert.True(exitCode == 1, output);
        var xml = XDocument.Load(suite.Beside("new/report.xml")).Root!.Element("testsuite")!;
        Assert.Equal(("2", "1", "0"), (xml.Attribute("tests")!.Value, xml.Attribute("failures")!.Value, xml.Attribute("skipped")!.Value));
        Assert.Equal(["t1: Says hello", "t2: Says no agent says this"], xml.Elements("testcase").Select(test => test.Attribute("name")!.Value));
        Assert.StartsWith("validation failed", xml.Elements("testcase").Last().Element("failure")!.Attribute("message")!.Value);
        Assert.Contains("Interaction Request Payload: hi", xml.Element("system-out")!.Value);

        await using var stream = File.OpenRead(suite.Beside("report.json"));
        using var json = await JsonDocument.ParseAsync(stream, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("failed", json.RootElement.GetProperty("status").GetString());
        Assert.Equal(2, json.RootElement.GetProperty("tests").GetArrayLength());
    }

    [Fact]
    public async Task ReportThatCannotBeWrittenIsNamedAndTheOthersAreWritten()
    {
        using var suite = SuiteFile.Expecting("hello");
        var impossible = Path.Combine(suite.Path, "report.json");

        var (exitCode, output) = await HarnessExecutable.RunAsync(
            "run", suite.Path, "--output", "json", impossible, "--output", "junit", suite.Beside("report.xml"));

        Assert.True(exitCode == 2, output);
        Assert.Contains("Cannot write " + impossible, output);
        Assert.Single(XDocument.Load(suite.Beside("report.xml")).Descendants("testcase"));
    }

    [Fact]
    public async Task ReportOfALongSuiteHasEveryTest()
    {
        using var suite = SuiteFile.Expecting([.. Enumerable.Repeat("hello", 2_000)]);

        var (exitCode, output) = await HarnessExecutable.RunAsync("run", suite.Path, "--output", "junit", suite.Beside("report.xml"));

        Assert.True(exitCode == 0, output);
        Assert.Equal(2_000, XDocument.Load(suite.Beside("report.xml")).Descendants("testcase").Count());
    }

    [Fact]
    public async Task InterruptCancelsTheRunAndItsResultIsShown()
    {
        using var agent = new SilentAgent();
        using var suite = SuiteFile.ForWebhook(agent.Url);
        await using var run = HarnessExecutable.Start("run", suite.Path, "--output", "json", suite.Beside("report.json"));
        await run.WaitForLineAsync(line => line.Contains("Interaction Request Payload: hi", StringComparison.Ordinal));

        await run.SignalAsync("INT");

        Assert.Equal(130, await run.WaitForExitAsync());
        Assert.Contains("cancelled: 0 passed", run.Output);
        Assert.Contains("\"cancelled\"", await File.ReadAllTextAsync(suite.Beside("report.json"), TestContext.Current.CancellationToken));
    }
}
