using Harness.Executions;
using Microsoft.AspNetCore.SignalR;

namespace Harness.Server.Transports.SignalR;

/// <summary>Words what a method refuses: the client reads the text of a <see cref="HubException"/> and of nothing else.</summary>
internal sealed class HubErrors : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            return await next(invocationContext);
        }
        catch (Exception e) when (e is CommandException or StoreException)
        {
            throw new HubException(e.Message, e);
        }
    }
}
