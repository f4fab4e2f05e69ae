using System.Text.Json;
using Harness.Agents;
using Harness.Executions;
using Harness.Generations;
using Harness.Tests.Executions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Harness.Tests.Generations;

/// <summary>Agents, their tools, and a registry to run them in.</summary>
internal sealed class GenerationHouse : IDisposable
{
    private readonly Engine _engine;
    private readonly ChatModels _models;
    private readonly Generator _generator;

    public GenerationHouse(IEnumerable<AgentDefinition> agents, IEnumerable<AgentTool>? tools = null, GenerationOptions? options = null, IExecutionStore? store = null)
    {
        _engine = new Engine(store: store);
        var wrapped = Options.Create(options ?? new GenerationOptions());
        _models = new ChatModels(Options.Create(new AgentOptions()), wrapped, TimeProvider.System);
        _generator = new Generator(new AgentCatalog(agents, tools ?? [], wrapped, new ConfigurationBuilder().Build(), TimeProvider.System), _models, new ConversationMemory(wrapped, _engine.Registry));
    }

    /// <summary>One agent, <c>a</c>, with this model and these tools.</summary>
    public static GenerationHouse Of(IChatModel model, params AgentTool[] tools) => new(
        [new AgentDefinition { Id = "a", Instructions = "Be brief.", ChatModel = model, Tools = [.. tools.Select(tool => tool.Name)] }], tools);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public Execution Start(GenerationRequest request) => _engine.Registry.Start(_generator.Plan(request));

    public ExecutionRegistry Registry => _engine.Registry;

    /// <summary>Runs a request to its end.</summary>
    public async Task<Outcome> RunAsync(GenerationRequest request)
    {
        var execution = Start(request);
        var result = await execution.Completion.WaitAsync(Stop);
        return new Outcome(result, await Engine.ReadAsync(execution));
    }

    /// <summary>Runs agent <c>a</c>.</summary>
    public Task<Outcome> RunAsync(string input, Func<GenerationRequest, GenerationRequest>? change = null)
    {
        var request = new GenerationRequest("a", [new ChatMessage("user", input)]);
        return RunAsync(change?.Invoke(request) ?? request);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _models.Dispose();
    }
}

/// <summary>What became of a generation.</summary>
internal sealed record Outcome(ExecutionResult Result, IReadOnlyList<JsonElement> Log)
{
    /// <summary>The details of the result.</summary>
    public JsonElement Details { get; } = Result.Details.IsEmpty ? default : JsonElement.Parse(Result.Details.Span);

    /// <summary>The typed events, each as its name and its data.</summary>
    public IReadOnlyList<string> Events =>
        [.. Log.Where(frame => frame.Type() == "event").Select(frame => $"{frame.Text("name")} {frame.GetProperty("data")}")];
}
