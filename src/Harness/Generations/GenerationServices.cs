using Harness.Generations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Harness;

/// <summary>Registers agents and tools in code.</summary>
public static class GenerationServices
{
    /// <summary>Adds an agent that can be called by its id.</summary>
    public static HarnessBuilder AddAgent(this HarnessBuilder harness, AgentDefinition agent)
    {
        harness.Services.AddSingleton(agent);
        return harness;
    }

    /// <summary>Adds a tool that agents use by its name.</summary>
    public static HarnessBuilder AddTool(this HarnessBuilder harness, AgentTool tool)
    {
        harness.Services.AddSingleton(tool);
        return harness;
    }

    /// <summary>Adds what generates.</summary>
    internal static void AddGenerations(this IServiceCollection services)
    {
        services.AddOptions<GenerationOptions>().BindConfiguration(GenerationOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<AgentCatalog>();
        services.TryAddSingleton<ChatModels>();
        services.TryAddSingleton<ConversationMemory>();
        services.TryAddSingleton<Generator>();
    }
}
