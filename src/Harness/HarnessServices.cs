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
    /// <summary>
    /// Adds the registry, the suite runner and the agents with their options. Needs logging and configuration. A second call adds nothing
    /// but what is registered on its builder.
    /// </summary>
    public static HarnessBuilder AddHarness(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(ExecutionRegistry)))
        {
            return new HarnessBuilder(services);
        }

        services.AddOptions<ExecutionOptions>().BindConfiguration(ExecutionOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<AgentOptions>().BindConfiguration(AgentOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IExecutionStore, MemoryOnlyStore>();
        services.TryAddSingleton<ExecutionRegistry>();
        services.TryAddSingleton<AgentFactory>();
        services.TryAddSingleton<SuiteRunner>();
        services.AddGenerations();
        services.AddWorkflows();
        return new HarnessBuilder(services);
    }
}
