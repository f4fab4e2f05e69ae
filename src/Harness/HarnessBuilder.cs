using Microsoft.Extensions.DependencyInjection;

namespace Harness;

/// <summary>What is registered beside the engine, one call after the other: <c>services.AddHarness().AddAgent(…).AddTool(…)</c>.</summary>
/// <param name="services">Where it is registered.</param>
public sealed class HarnessBuilder(IServiceCollection services)
{
    /// <summary>The container being filled.</summary>
    public IServiceCollection Services => services;
}
