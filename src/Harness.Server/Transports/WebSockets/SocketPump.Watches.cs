using Harness.Executions;

namespace Harness.Server.Transports.WebSockets;

/// <content>What is watched: the connection's reader adds and closes, the pump ends and lets go.</content>
internal sealed partial class SocketPump
{
    // By execution: one connection has one place in a log. One that leaves the table before its end is closed, and let go by this pump.
    private Dictionary<string, SocketWatch>? _watches;
    private int _subscriptions;

    /// <summary>Executions this connection watches now.</summary>
    public int WatchCount
    {
        get
        {
            lock (_gate)
            {
                return _watches?.Count ?? 0;
            }
        }
    }

    /// <summary>Those of them that were asked for by <c>subscribe</c>.</summary>
    public int SubscriptionCount => Volatile.Read(ref _subscriptions);

    /// <summary>True while this connection gets the events of that execution.</summary>
    public bool IsWatching(Execution execution) => Find(execution) is not null;

    /// <summary>True while this connection is subscribed to that execution.</summary>
    public bool IsSubscribed(Execution execution) => Find(execution)?.Subscription is not null;

    /// <summary>Sends every event of an execution, until its result.</summary>
    public void Watch(Execution execution, bool wantsEvents)
    {
        var watch = new SocketWatch(this, execution, subscription: null) { WantsEvents = wantsEvents };
        watch.Cursor = execution.Log.OpenCursor(1, watch);
        Put(execution, watch);
        Enqueue(watch);
    }

    /// <summary>
    /// Answers <c>subscribed</c>, then sends the events from where the command says. In place of an earlier watch of the same execution:
    /// after the answer nothing of that one follows.
    /// </summary>
    public void Subscribe(Execution execution, SubscribeCommand command, string? reference)
    {
        var watch = new SocketWatch(this, execution, new SocketSubscription(reference)) { WantsEvents = command.Events };
        var start = SubscriptionStart.Open(execution, command, watch);
        watch.Cursor = start.Cursor;
        Put(execution, watch);
        TryReply(SocketReply.Subscribed(execution, start, reference));
        Enqueue(watch);
    }

    /// <summary>Sends nothing more of an execution after the answer. False when it was not watched.</summary>
    public bool TryUnsubscribe(Execution execution, string? reference)
    {
        SocketWatch? watch;
        lock (_gate)
        {
            if (_watches is null || !_watches.Remove(execution.Id, out watch))
            {
                return false;
            }
        }

        Close(watch);
        TryReply(SocketReply.Unsubscribed(execution.Id, "requested", reference));
        return true;
    }

    // What was taken is sent. A watch whose log has its end is through when it is no longer in here.
    private bool IsUpToDate
    {
        get
        {
            lock (_gate)
            {
                return _watches?.Values.All(watch => watch.Cursor.IsUpToDate) != false;
            }
        }
    }

    private SocketWatch? Find(Execution execution)
    {
        lock (_gate)
        {
            return _watches?.GetValueOrDefault(execution.Id);
        }
    }

    private void Put(Execution execution, SocketWatch watch)
    {
        Count(watch, 1);
        SocketWatch? replaced;
        lock (_gate)
        {
            _watches ??= [];
            _watches.Remove(execution.Id, out replaced);
            _watches.Add(execution.Id, watch);
        }

        if (replaced is not null)
        {
            Close(replaced);
        }
    }

    private bool TryRemove(SocketWatch watch)
    {
        lock (_gate)
        {
            return _watches?.GetValueOrDefault(watch.ExecutionId) == watch && _watches.Remove(watch.ExecutionId);
        }
    }

    private SocketWatch[] TakeWatches()
    {
        lock (_gate)
        {
            SocketWatch[] taken = [.. _watches?.Values ?? Enumerable.Empty<SocketWatch>()];
            _watches = null;
            return taken;
        }
    }

    // Its cursor is this pump's: whoever closes it leaves it to the pump to let go.
    private void Close(SocketWatch watch)
    {
        Count(watch, -1);
        watch.IsClosed = true;
        Enqueue(watch);
    }

    private void Count(SocketWatch watch, int by) => Interlocked.Add(ref _subscriptions, watch.Subscription is null ? 0 : by);

    private async ValueTask EndAsync(SocketWatch watch)
    {
        if (TryRemove(watch))
        {
            Count(watch, -1);
            if (watch.Subscription is { } subscription)
            {
                await _writer.WriteAsync(SocketReply.Unsubscribed(watch.ExecutionId, "ended", subscription.Reference));
            }
        }

        watch.Cursor.Dispose();
    }
}
