using System.Text.Json;
using Harness.Executions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Harness.Tests.Executions;

/// <summary>A registry with the options a test wants.</summary>
internal sealed class Engine : IDisposable
{
    public Engine(ExecutionOptions? options = null, TimeProvider? time = null, IExecutionStore? store = null) =>
        Registry = new ExecutionRegistry(
            Options.Create(options ?? new ExecutionOptions()),
            store ?? new MemoryOnlyStore(),
            time ?? TimeProvider.System,
            NullLogger<ExecutionRegistry>.Instance);

    public ExecutionRegistry Registry { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public Execution Start(ExecutionBody body, Func<ExecutionRequest, ExecutionRequest>? change = null)
    {
        var request = new ExecutionRequest { Kind = "test", Name = "a test" };
        return Registry.Start(new ExecutionPlan(change?.Invoke(request) ?? request, body));
    }

    /// <summary>An execution whose log has these lines and is over.</summary>
    public async Task<Execution> RunAsync(params string[] lines)
    {
        var execution = Start(async (log, _) =>
        {
            foreach (var line in lines)
            {
                await log.WriteAsync(line);
            }

            return new ExecutionResult(ExecutionStatus.Completed);
        });
        await execution.Completion.WaitAsync(Stop);
        return execution;
    }

    /// <summary>Every event from a sequence on, to the end.</summary>
    public static async Task<List<JsonElement>> ReadAsync(Execution execution, long from = 1)
    {
        var events = new List<JsonElement>();
        await foreach (var json in execution.Log.ReadEventsAsync(from, Stop))
        {
            events.Add(JsonDocument.Parse(json.ToArray()).RootElement);
        }

        return events;
    }

    public void Dispose() => Registry.Dispose();
}

internal static class JsonEvents
{
    public static string Type(this JsonElement json) => json.GetProperty("type").GetString()!;

    public static long Sequence(this JsonElement json) => json.GetProperty("seq").GetInt64();

    public static string? Text(this JsonElement json, string name) => json.GetProperty(name).GetString();
}
