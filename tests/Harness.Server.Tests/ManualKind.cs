using System.Text.Json;
using Harness.Executions;

namespace Harness.Server.Tests;

/// <summary>The kind <c>manual</c>: says only what a test makes it say, and ends when the test ends it or it is cancelled.</summary>
internal sealed class ManualKind : IExecutionKind
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Name => "manual";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A server that has this kind.</summary>
    public static async Task<(HarnessApp App, ManualKind Kind)> StartAppAsync(params (string Name, string? Value)[] settings)
    {
        var kind = new ManualKind();
        return (await HarnessApp.StartAsync(services => services.AddSingleton<IExecutionKind>(kind), settings), kind);
    }

    public ExecutionPlan Plan(JsonElement data) => new(
        new ExecutionRequest { Kind = Name, Name = "by hand" },
        async (_, stop) =>
        {
            await _end.Task.WaitAsync(stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        });

    /// <summary>Starts one that has said these lines: events 2, 3, …</summary>
    public async Task<Execution> StartAsync(HarnessApp app, params string[] lines)
    {
        var execution = app.Executions.Start(Plan(default));
        await SayAsync(execution, lines);
        return execution;
    }

    /// <summary>Starts one that has said these lines and has completed.</summary>
    public async Task<Execution> RunAsync(HarnessApp app, params string[] lines)
    {
        var execution = await StartAsync(app, lines);
        End();
        await execution.Completion.WaitAsync(Stop);
        return execution;
    }

    /// <summary>Says lines and waits until readers can see them.</summary>
    public static async Task SayAsync(Execution execution, params string[] lines)
    {
        foreach (var line in lines)
        {
            await execution.Log.WriteAsync(line, Stop);
        }

        await SeenAsync(execution, lines.LastOrDefault());
    }

    /// <summary>Waits until the line is visible; null: until anything is.</summary>
    public static async Task SeenAsync(Execution execution, string? line)
    {
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            if (line is null || JsonElement.Parse(json.Span) is var frame && frame.Type() == "log" && frame.Text("message") == line)
            {
                return;
            }
        }
    }

    /// <summary>Ends all there are.</summary>
    public void End() => _end.TrySetResult();
}

internal static class FrameReading
{
    public static string Type(this JsonElement frame) => frame.GetProperty("type").GetString()!;

    public static string Text(this JsonElement frame, string name) => frame.GetProperty(name).GetString()!;

    public static long Number(this JsonElement frame, string name) => frame.GetProperty(name).GetInt64();
}
