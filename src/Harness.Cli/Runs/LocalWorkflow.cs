using Harness.Generations;
using Harness.Server;
using Harness.Storage;
using Harness.Workflows;

namespace Harness.Cli.Runs;

/// <summary>A workflow to run in this process, with the agents that it asks, as a server has them; nothing is kept.</summary>
/// <param name="Name">Its id in the folder, or its own file.</param>
/// <param name="Folder">A folder of workflows; null: the name is a file.</param>
/// <param name="AgentFolder">A folder of agents; null: only the demo agent is there.</param>
/// <param name="Input">Its input, as JSON or <c>@FILE</c>; null: none.</param>
internal sealed record LocalWorkflow(string Name, string? Folder, string? AgentFolder, string? Input)
{
    /// <summary>Whether a path is the file of a workflow: of a suite's YAML it is told apart by its steps.</summary>
    /// <param name="path">A path, or some other word.</param>
    /// <param name="hasInput">An input was given, which suites do not have.</param>
    public static bool IsFile(string path, bool hasInput)
    {
        if (Path.GetExtension(path) is not (".yaml" or ".yml") || !File.Exists(path))
        {
            return false;
        }

        try
        {
            return hasInput || File.ReadLines(path).Any(line => line.StartsWith("steps:", StringComparison.Ordinal));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Who reads it as a suite says why it cannot be read.
            return false;
        }
    }

    /// <param name="settings">Configuration that beats the environment.</param>
    /// <exception cref="RunException">There is no such workflow, it does not take this input, or an agent cannot be used.</exception>
    public async Task<StartedRun> StartAsync(IReadOnlyDictionary<string, string?> settings)
    {
        var input = JsonArgument.Read("--input", Input);
        var run = await LocalRun.StartAsync(
            () => CreateHost(settings),
            services =>
            {
                // An agent that cannot be used is told before anything runs.
                services.GetRequiredService<AgentCatalog>();
                var workflow = Find(services.GetRequiredService<WorkflowCatalog>());
                return services.GetRequiredService<WorkflowKind>().Plan(workflow, new WorkflowInput { Input = input });
            });
        return new StartedRun(run, run.Name, Interactions: 0);
    }

    private WebApplication CreateHost(IReadOnlyDictionary<string, string?> settings)
    {
        // The server's own composition, never started: nothing listens.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        var harness = builder.AddHarness();
        builder.Configuration.AddInMemoryCollection(LocalRun.LimitsOfOneReader).AddInMemoryCollection(settings).AddInMemoryCollection(
            new Dictionary<string, string?>
            {
                [$"{StoreOptions.Section}:{nameof(StoreOptions.MemoryOnly)}"] = "true",
                [$"{GenerationOptions.Section}:{nameof(GenerationOptions.AgentFolder)}"] = AgentFolder,
                [$"{WorkflowOptions.Section}:{nameof(WorkflowOptions.Folder)}"] = Folder,
            });
        if (Folder is null)
        {
            harness.AddWorkflow(WorkflowReader.ReadFile(Name));
        }

        return builder.Build();
    }

    private Workflow Find(WorkflowCatalog workflows) => Folder is null ? workflows.All[0]
        : workflows.TryFind(Name, out var workflow) ? workflow
        : throw new RunException($"There is no workflow '{Name}' in {Folder}, only: {string.Join(", ", workflows.All.Select(known => known.Id))}");
}
