using Harness.Executions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Harness.Storage;

/// <summary>Registers the store.</summary>
public static class StorageServices
{
    /// <summary>Frames of one execution that memory keeps when there is a store, unless the configuration says otherwise: 16 MiB.</summary>
    public const int StoredWindowBytes = 16 * 1024 * 1024;

    /// <summary>
    /// Adds the store that <see cref="StoreOptions"/> describe, before or after the engine, whose own keeps nothing. Needs logging,
    /// configuration and a <see cref="TimeProvider"/>.
    /// </summary>
    public static IServiceCollection AddStorage(this IServiceCollection services)
    {
        services.AddOptions<StoreOptions>().BindConfiguration(StoreOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IExecutionStore>(provider =>
        {
            var options = provider.GetRequiredService<IOptions<StoreOptions>>().Value;
            return options.MemoryOnly
                ? new MemoryOnlyStore()
                : StoreFactory.Create(options, provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>());
        });

        // With a store behind it memory need not remember as much, and what the processor's caches can hold is faster.
        services.AddOptions<ExecutionOptions>().PostConfigure<IOptions<StoreOptions>, IConfiguration>((executions, store, configuration) =>
        {
            if (!store.Value.MemoryOnly && configuration[$"{ExecutionOptions.Section}:{nameof(ExecutionOptions.WindowBytes)}"] is null)
            {
                executions.WindowBytes = StoredWindowBytes;
            }
        });
        return services;
    }
}
