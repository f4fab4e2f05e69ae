using System.Text.RegularExpressions;

namespace Harness.Server.Tests.Cli;

/// <summary>The real executable, as a process of its own.</summary>
internal static partial class HarnessExecutable
{
    /// <summary>No key of this machine reaches a test, and nothing of this machine's configuration.</summary>
    public static IReadOnlyDictionary<string, string?> Environment { get; } = new[]
    {
        "VF_API_KEY", "VF_SUBDOMAIN", "VF_API_URL", "VF_RUNTIME_URL", "VF_ANALYTICS_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL",
        "HARNESS_API_KEY", "HARNESS_API_KEYS", "HARNESS_STORE", "NO_COLOR", "ASPNETCORE_URLS", "ASPNETCORE_ENVIRONMENT",
    }.ToDictionary(name => name, string? (_) => null);

    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "Harness.Cli.dll");

    public static ChildProcess Start(params string[] args) =>
        ChildProcess.Start("dotnet", ["exec", Path, .. args], TestContext.Current.CancellationToken, Environment);

    public static async Task<(int ExitCode, string Output)> RunAsync(params string[] args)
    {
        await using var process = Start(args);
        var exitCode = await process.WaitForExitAsync();
        return (exitCode, process.Output);
    }

    /// <summary>A server, once it listens: on a free port and with memory only, unless the arguments say otherwise.</summary>
    public static async Task<(ChildProcess Process, Uri Address)> StartServerAsync(params string[] args)
    {
        string[] port = args.Contains("--port") ? [] : ["--port", "0"];
        string[] memory = args.Any(arg => arg is "--data" or "--store") ? [] : ["--memory"];
        var process = Start(["server", .. port, .. memory, .. args]);
        try
        {
            var line = await process.WaitForLineAsync(line => Address().IsMatch(line));
            return (process, new Uri(Address().Match(line).Value));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    [GeneratedRegex(@"http://[\d.]+:[1-9]\d*")]
    private static partial Regex Address();
}
