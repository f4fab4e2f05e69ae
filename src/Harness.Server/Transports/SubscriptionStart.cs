using Harness.Executions;

namespace Harness.Server.Transports;

/// <summary>Where a subscription begins, and what the subscriber is told of it (PROTOCOL, <c>subscribed</c>).</summary>
/// <param name="Cursor">At the first event to deliver. Whoever asked disposes it.</param>
/// <param name="First">Sequence of the oldest event kept.</param>
/// <param name="Last">Sequence of the newest event.</param>
/// <param name="From">Sequence of the first event that will be delivered; a range missing before it is told by <c>truncated</c>.</param>
/// <param name="Recovered">The epoch is the client's, and nothing of what it asked for is gone.</param>
internal sealed record SubscriptionStart(LogCursor Cursor, long First, long Last, long From, bool Recovered)
{
    /// <summary>True when nothing will come from where the command says: the log has its end, and that is before it.</summary>
    public static bool IsBehindTheEnd(Execution execution, SubscribeCommand command) =>
        execution.Log.IsSealed && WantedOf(execution, command, execution.Log.LastSequence) > execution.Log.LastSequence;

    /// <summary>Opens a cursor where the command says. An other epoch than the log's own: from the beginning.</summary>
    public static SubscriptionStart Open(Execution execution, SubscribeCommand command, ILogWatcher watcher)
    {
        var log = execution.Log;
        var last = log.LastSequence;
        var wanted = WantedOf(execution, command, last);
        var cursor = log.OpenCursor(wanted, watcher);
        var first = log.FirstSequence;
        return new SubscriptionStart(cursor, first, Math.Max(last, log.LastSequence), Math.Max(wanted, first), IsOurs(execution, command) && cursor.IsWhole);
    }

    private static bool IsOurs(Execution execution, SubscribeCommand command) => command.Epoch is null || command.Epoch == execution.Epoch;

    private static long WantedOf(Execution execution, SubscribeCommand command, long last) =>
        !IsOurs(execution, command) ? 1
        : command.Tail is { } tail ? Math.Max(1, last + 1 - tail)
        : command.From is { } from ? Math.Max(1, from)
        : last + 1;
}
