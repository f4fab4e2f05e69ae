using System.Globalization;
using Harness.Executions;
using Harness.Server;
using Harness.Storage;

namespace Harness.Benchmarks.Transports;

/// <summary>Harness inside a program of one's own, whose lines are strings as most programs have them; otherwise as <c>harness server</c>.</summary>
internal static class StringServer
{
    /// <summary>The argument that makes this program the server.</summary>
    public const string Command = "strings-server";

    /// <summary>Runs until it is killed.</summary>
    public static async Task RunAsync(string port, string[] store)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.AddHarness().Services.AddSingleton<IExecutionKind, StringKind>();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(store switch
        {
            ["--data", var folder] => [Setting(nameof(StoreOptions.Data), folder)],
            ["--store", var connection] => [Setting(nameof(StoreOptions.ConnectionString), connection)],
            _ => [Setting(nameof(StoreOptions.MemoryOnly), "true")],
        });
        var app = builder.Build();
        app.MapHarness();
        await app.RunAsync();
    }

    private static KeyValuePair<string, string?> Setting(string name, string value) => KeyValuePair.Create($"{StoreOptions.Section}:{name}", (string?)value);

    /// <summary>The kind <c>synthetic</c> with strings and no pace: each line is made anew, as the answer of an agent would be.</summary>
    private sealed class StringKind : IExecutionKind
    {
        private static readonly string Rest = new('x', 79);

        public string Name => "synthetic";

        public ExecutionPlan Plan(System.Text.Json.JsonElement data)
        {
            var (lines, watchers) = (data.GetProperty("lines").GetInt64(), data.GetProperty("watchers").GetInt32());
            return new ExecutionPlan(new ExecutionRequest { Kind = Name, Name = "strings" }, async (log, stop) =>
            {
                await log.WaitForReadersAsync(watchers, stop);
                for (var written = 0L; written < lines; written++)
                {
                    await log.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"T={written:D19}{Rest}"), stop);
                }

                return new ExecutionResult(ExecutionStatus.Completed);
            });
        }
    }
}
