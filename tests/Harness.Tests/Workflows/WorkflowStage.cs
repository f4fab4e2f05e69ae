using System.Text.Json;
using Harness.Executions;
using Harness.Tests.Executions;
using Harness.Workflows;
using Microsoft.Extensions.Options;

namespace Harness.Tests.Workflows;

/// <summary>An engine with these workflows; with a store also one that comes after another.</summary>
internal sealed class WorkflowStage : IDisposable
{
    private readonly Engine _engine;
    private readonly WorkflowCatalog _catalog;

    private WorkflowStage(Engine engine, WorkflowCatalog catalog) => (_engine, _catalog, Kind) = (engine, catalog, new WorkflowKind(catalog));

    public WorkflowKind Kind { get; }

    public ExecutionRegistry Registry => _engine.Registry;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<WorkflowStage> OpenAsync(
        Workflow workflow, IExecutionStore? store = null, TimeProvider? time = null, IWorkflowAgent? agent = null, int maxConcurrent = 1_000)
    {
        var clock = time ?? TimeProvider.System;
        var catalog = new WorkflowCatalog([workflow], Options.Create(new WorkflowOptions()), clock, agent is null ? [] : [agent]);
        var stage = new WorkflowStage(new Engine(new ExecutionOptions { TimeLimit = TimeSpan.FromDays(7), MaxConcurrent = maxConcurrent }, clock, store), catalog);
        await stage.Registry.OpenAsync([stage.Kind], Stop);
        return stage;
    }

    public static Workflow ReadYaml(string yaml) => WorkflowReader.Read("test.yaml", new StringReader(yaml));

    /// <summary>Starts the one workflow there is.</summary>
    public Execution Start(string input = "null", string? userId = null) =>
        Registry.Start(Kind.Plan(_catalog.All[0], new WorkflowInput { Input = JsonElement.Parse(input), UserId = userId }));

    /// <summary>Starts it and waits for its end; gives the result frame's data.</summary>
    public async Task<JsonElement> RunAsync(string input = "null")
    {
        var execution = Start(input);
        await execution.Completion.WaitAsync(Stop);
        return (await Engine.ReadAsync(execution))[^1].GetProperty("data");
    }

    /// <summary>Waits until it shows in the log that it is suspended, for the n-th time.</summary>
    public static async Task<ExecutionSuspension> SuspendedAsync(Execution execution, int times = 1)
    {
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            var frame = JsonElement.Parse(json.Span);
            if (frame.Type() == "status" && frame.GetProperty("data").Text("status") == "suspended" && --times == 0)
            {
                return execution.State.Suspension!;
            }

            Assert.False(frame.Type() == "result", frame.GetRawText());
        }

        throw new InvalidOperationException("It was never suspended");
    }

    public bool Resume(Execution execution, string? data = null, string? at = null) =>
        Registry.TryResume(execution, new ResumeRequest(data is null ? default : JsonElement.Parse(data), at));

    /// <summary>The typed events so far, as <c>name step</c>.</summary>
    public static async Task<List<string>> EventsOfAsync(Execution execution)
    {
        var events = new List<string>();
        await foreach (var json in execution.Log.ReadPresentAsync(1, Stop))
        {
            var frame = JsonElement.Parse(json.Span);
            if (frame.Type() == "event")
            {
                var data = frame.GetProperty("data");
                events.Add(data.TryGetProperty("stepId", out var step) ? $"{frame.Text("name")} {step}" : frame.Text("name")!);
            }
        }

        return events;
    }

    public void Dispose()
    {
        _engine.Dispose();
        _catalog.Dispose();
    }
}
