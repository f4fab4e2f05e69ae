using Harness.Server.Dialects.VoltAgent.Agents;
using Harness.Server.Dialects.VoltAgent.Workflows;

namespace Harness.Server.Dialects.VoltAgent;

/// <summary>The API of VoltAgent's server (VoltAgent Core API): agents, workflows, their documentation and a landing page.</summary>
internal static class VoltAgentEndpoints
{
    /// <summary>Adds what the routes need.</summary>
    public static IServiceCollection AddVoltAgent(this IServiceCollection services) => services
        .AddSingleton(new ErrorForm(["/agents", "/workflows"], error => new ApiError(false, error.Message ?? error.Error)))
        .AddSingleton<ApiErrors>()
        .AddVoltAgentAgents()
        .AddVoltAgentWorkflows()
        .AddApiPages();

    /// <summary>Maps the routes.</summary>
    public static void MapVoltAgent(this IEndpointRouteBuilder routes)
    {
        routes.MapApiPages();
        routes.MapVoltAgentAgents();
        routes.MapVoltAgentWorkflows();
    }
}
