namespace Harness.Server.Tests.Cli;

public sealed class HelpTests
{
    [Theory]
    [InlineData("harness run samples/suites/", "--help")]
    [InlineData("harness run samples/suites/", "run", "--help")]
    [InlineData("harness run order.yaml --input", "run", "--help")]
    [InlineData("harness server --port 9090", "server", "-h")]
    [InlineData("--tail 20", "watch", "--help")]
    [InlineData("--reason \"wrong key\"", "cancel", "--help")]
    [InlineData("harness list --status running", "list", "--help")]
    [InlineData("--step check", "resume", "--help")]
    public async Task HelpTeachesByExample(string example, params string[] args)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync(args);

        Assert.Equal(0, exitCode);
        Assert.Contains("Examples:", output);
        Assert.Contains(example, output);
    }

    [Fact]
    public async Task HelpTellsADefaultOnce()
    {
        var (_, output) = await HarnessExecutable.RunAsync("export", "--help");

        Assert.Equal(2, output.Split("[default: jsonl]").Length);
    }

    [Theory]
    [InlineData(true, "server")]
    [InlineData(false, "export")]
    [InlineData(false, "gc")]
    public async Task HelpSaysWhoMakesAFolderThatIsMissing(bool makes, string command)
    {
        var (_, output) = await HarnessExecutable.RunAsync(command, "--help");

        Assert.Equal(makes, output.Contains("made when it is missing"));
    }

    [Theory]
    [InlineData("gc", "--keep-count", "5")]
    [InlineData("export", "id")]
    public async Task CommandThatNamesAServerAndAFolderIsNotGuessedAt(params string[] command)
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync([.. command, "--server", "http://127.0.0.1:1", "--data", "x"]);

        Assert.Equal(2, exitCode);
        Assert.Contains("--server excludes --data and --store.", output);
    }

    [Fact]
    public async Task VersionIsThatOfTheProduct()
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync("--version");

        Assert.Equal(0, exitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+\n$", output);
    }

    [Fact]
    public async Task CommandThatIsNotThereExitsWithTwo()
    {
        var (exitCode, output) = await HarnessExecutable.RunAsync("rnu");

        Assert.Equal(2, exitCode);
        Assert.Contains("Did you mean", output);
    }
}
