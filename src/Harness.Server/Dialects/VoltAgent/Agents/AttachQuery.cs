using System.Globalization;
using Harness.Executions;
using Harness.Server.Transports;
using Harness.Server.Transports.Rest;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>Where a client goes on that attaches to an execution.</summary>
internal static class AttachQuery
{
    /// <summary>
    /// After <c>Last-Event-ID</c> (as the server wrote it, or a bare sequence as clients of later VoltAgent servers send), or after
    /// <c>fromSequence</c>; else from the beginning.
    /// </summary>
    /// <exception cref="CommandException">One of them cannot be used.</exception>
    public static SubscribeCommand Read(Execution execution, HttpRequest request)
    {
        var header = request.Headers["Last-Event-ID"].ToString();
        var last = header.Length > 0 ? header : request.Query["fromSequence"].ToString();
        if (long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) && sequence < long.MaxValue)
        {
            return new SubscribeCommand(execution.Id, sequence + 1, Tail: null, Epoch: null, Events: true);
        }

        if (header.Length == 0 && last.Length > 0)
        {
            throw CommandException.Field("fromSequence", "the id of an event: a whole number");
        }

        return EventQuery.ReadEvents(execution.Id, request, out _) with { Events = true };
    }
}
