using Harness.Agents;
using Harness.Executions;
using Harness.Suites;
using Harness.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Harness;

/// <summary>Registers the engine.</summary>
public static class HarnessServices
{
    /// <summary>Adds the registry, the suite runner and the agents with their options. Call it once; needs logging and configuration.</summary>
    public static IServiceCollection AddHarness(this IServiceCollection services)
    {
        services.AddOptions<ExecutionOptions>().BindConfiguration(ExecutionOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<AgentOptions>().BindConfiguration(AgentOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IExecutionStore, MemoryOnlyStore>();
        services.TryAddSingleton<ExecutionRegistry>();
        services.TryAddSingleton<AgentFactory>();
        services.TryAddSingleton<SuiteRunner>();
        services.AddWorkflows();
        return services;
    }
}
