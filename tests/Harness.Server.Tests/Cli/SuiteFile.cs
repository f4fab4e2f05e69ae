using System.Text.Json;

namespace Harness.Server.Tests.Cli;

/// <summary>Suites on disk, for the executable to read, in a folder that goes with the test.</summary>
internal sealed class SuiteFile : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("harness-tests-").FullName;

    private SuiteFile(object request) => File.WriteAllText(Path, JsonSerializer.Serialize(request));

    public string Path => Beside("suite.json");

    /// <summary>One test per expectation: each greets the demo agent, whose answer has a hello.</summary>
    public static SuiteFile Expecting(params string[] values) => new(new
    {
        suite = new { name = "Greetings", environment_name = "test", fail_fast = false, tests = values.Select(Test) },
    });

    /// <summary>A suite whose agent is somewhere else.</summary>
    public static SuiteFile ForWebhook(Uri url) => new(new
    {
        agent = new { type = "webhook", url },
        suite = new { name = "Elsewhere", environment_name = "test", tests = new[] { Test("hello", 0) } },
    });

    /// <summary>A single test, which names no environment.</summary>
    public static SuiteFile SingleTest() => new(new
    {
        name = "Says anything",
        interactions = new[] { new { id = "i1", user = new { type = "text", text = "hi" } } },
    });

    public static SuiteFile ForAgent(string name) => new(new
    {
        agent = name,
        suite = new { name = "Named", environment_name = "test", tests = new[] { Test("hello", 0) } },
    });

    /// <summary>A path for a report.</summary>
    public string Beside(string name) => System.IO.Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static object Test(string value, int index) => new
    {
        id = $"t{index + 1}",
        test = new
        {
            name = $"Says {value}",
            interactions = new[]
            {
                new { id = "i1", user = new { type = "text", text = "hi" }, agent = new { validate = new[] { new { type = "contains", value } } } },
            },
        },
    };
}
