using Harness.Executions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Harness.Storage;

/// <summary>Registers the store.</summary>
public static class StorageServices
{
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
                ? new NoStore()
                : StoreFactory.Create(options, provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>());
        });
        return services;
    }
}
