using System.Diagnostics.CodeAnalysis;
using System.Net;
using Harness.Executions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Harness.Workflows;

/// <summary>The workflows there are: those of code, and those of a folder. Immutable once made, thread-safe.</summary>
public sealed class WorkflowCatalog : IDisposable
{
    private readonly Dictionary<string, Workflow> _workflows = new(StringComparer.Ordinal);
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.All,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        UseCookies = false,
    })
    {
        // Each step has its own time limit.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Takes those of code and reads those of the folder.</summary>
    /// <exception cref="WorkflowFormatException">A file cannot be read; names file, line and what to change. Or two have the same id.</exception>
    public WorkflowCatalog(IEnumerable<Workflow> workflows, IOptions<WorkflowOptions> options, TimeProvider time, IEnumerable<IWorkflowAgent> agents)
    {
        Services = new WorkflowServices(time, _http, agents.LastOrDefault());
        var read = options.Value.Folder is { } folder ? WorkflowReader.ReadFolder(folder) : [];
        foreach (var workflow in workflows.Concat(read))
        {
            if (!_workflows.TryAdd(workflow.Id, workflow))
            {
                throw new WorkflowFormatException($"There are two workflows with the id '{workflow.Id}'");
            }
        }
    }

    /// <summary>All of them, by id.</summary>
    public IReadOnlyList<Workflow> All => [.. _workflows.Values.OrderBy(workflow => workflow.Id, StringComparer.Ordinal)];

    internal WorkflowServices Services { get; }

    /// <summary>Finds one by its id.</summary>
    public bool TryFind(string id, [NotNullWhen(true)] out Workflow? workflow) => _workflows.TryGetValue(id, out workflow);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}

/// <summary>Registers workflows.</summary>
public static class WorkflowServicesExtensions
{
    /// <summary>Adds one that was built in code.</summary>
    public static IServiceCollection AddWorkflow(this IServiceCollection services, Workflow workflow) => services.AddSingleton(workflow);

    /// <inheritdoc cref="AddWorkflow(IServiceCollection, Workflow)"/>
    public static HarnessBuilder AddWorkflow(this HarnessBuilder harness, Workflow workflow)
    {
        harness.Services.AddWorkflow(workflow);
        return harness;
    }

    /// <summary>Adds the kind <c>workflow</c> and the catalog of workflows.</summary>
    internal static void AddWorkflows(this IServiceCollection services)
    {
        services.AddOptions<WorkflowOptions>().BindConfiguration(WorkflowOptions.Section);
        services.TryAddSingleton<WorkflowCatalog>();
        services.TryAddSingleton<WorkflowKind>();
        services.AddSingleton<IExecutionKind>(provider => provider.GetRequiredService<WorkflowKind>());
    }
}
