using Harness.Executions;
using Microsoft.Extensions.Options;

namespace Harness.Server.Transports.WebSockets;

/// <summary>What clients can ask over <c>/ws</c> (PROTOCOL, "Client to server"). One for all connections.</summary>
internal sealed partial class SocketCommands(
    ExecutionCommands commands,
    IOptions<ServerOptions> options,
    IOptions<ExecutionOptions> executions,
    TimeProvider time,
    ILogger<SocketCommands> logger)
{
    // How long a body that is to stand still holds up the commands behind: who sends `resume` right after `suspend` means the one after the other.
    private static readonly TimeSpan SuspendPatience = TimeSpan.FromSeconds(1);

    private readonly ServerOptions _options = options.Value;

    /// <summary>Does what one message asks, before the next one of its connection. Whatever is in it, the connection goes on; what goes wrong is answered.</summary>
    public async ValueTask HandleAsync(ReadOnlyMemory<byte> utf8, SocketSession session, CancellationToken cancellationToken)
    {
        string? reference = null;
        try
        {
            if (SocketMessage.Parse(utf8, out var problem) is not { } message)
            {
                session.Pump.TryReply(SocketReply.Error($"Invalid JSON: {problem}", "invalid_json"));
                return;
            }

            if (message.Reference is { Length: > CommandLimits.NameLength })
            {
                throw CommandException.Field("ref", $"a string of at most {CommandLimits.NameLength} characters");
            }

            reference = message.Reference;
            await HandleAsync(message, session, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            session.Pump.TryReply(ToReply(e, reference));
        }
    }

    /// <summary>Cancels what the connection started with <c>"on_disconnect":"cancel"</c>, and waits for nothing any more.</summary>
    public void End(SocketSession session)
    {
        session.End();
        commands.CancelAll(session.Owned, "The connection that started it ended");
    }

    private byte[] ToReply(Exception error, string? reference)
    {
        switch (error)
        {
            case CommandException e:
                return SocketReply.Error(e, reference);
            case StoreException e:
                return SocketReply.Error(e.Message, CommandException.StoreFailed, null, reference);
            default:
                LogFailed(error);
                return SocketReply.Error("Internal error: the server could not handle this message", "internal", null, reference);
        }
    }

    private async ValueTask HandleAsync(SocketMessage message, SocketSession session, CancellationToken stop)
    {
        var pump = session.Pump;
        switch (message.Action)
        {
            case "execute":
                await ExecuteAsync(message, session, stop);
                break;
            case "cancel":
                await CancelAsync(message, pump, stop);
                break;
            case "suspend":
                await SuspendAsync(SuspendCommand.Read(message.Fields), message.Reference, session, stop);
                break;
            case "resume":
                var resumed = await commands.ResumeAsync(ResumeCommand.Read(message.Fields), stop);
                pump.TryReply(SocketReply.Status(resumed.Id, resumed.DescribeNow(), message.Reference));
                break;
            case "status":
                await StatusAsync(message, pump, stop);
                break;
            case "subscribe":
                await SubscribeAsync(message, pump, stop);
                break;
            case "unsubscribe":
                await UnsubscribeAsync(message, pump, stop);
                break;
            case "list":
                pump.TryReply(SocketReply.List(await commands.ListAsync(ListCommand.Read(message.Fields), stop), message.Reference));
                break;
            case "ping":
                pump.TryReply(SocketReply.Pong(time.GetUtcNow(), message.Reference));
                break;
            case "hello":
                session.SaidHello = true;
                pump.TryReply(SocketReply.Hello(_options, executions.Value, message.Reference));
                break;
            default:
                // The seed's text to the letter: its clients know no other actions.
                var action = message.Action is { Length: > CommandLimits.NameLength } text ? $"{text.AsSpan(0, CommandLimits.NameLength)}…" : message.Action;
                throw new CommandException($"Unknown action: {action}. Supported actions: execute, cancel, status", "unknown_action");
        }
    }

    private async ValueTask ExecuteAsync(SocketMessage message, SocketSession session, CancellationToken stop)
    {
        var (pump, command) = (session.Pump, ExecuteCommand.Read(message.Fields));
        if (command.Watch && pump.WatchCount >= _options.MaxWatchesPerConnection)
        {
            throw new CommandException(
                $"Too many executions: this connection watches {pump.WatchCount}, which is the limit; wait for one to end or open another connection",
                "too_many");
        }

        var (execution, isNew) = await commands.StartAsync(command, stop);
        if (isNew && command.CancelsOnDisconnect)
        {
            session.Own(execution);
        }

        // A repeated execute of what is watched here already must not bring its events twice.
        if (command.Watch && !pump.IsWatching(execution))
        {
            pump.Watch(execution, command.Events);
        }
        else
        {
            await execution.Stored.WaitAsync(stop);
            pump.TryReply(SocketReply.Status(execution.Id, await execution.DescribeAsync(cancellationToken: stop), message.Reference));
        }
    }

    private async ValueTask CancelAsync(SocketMessage message, SocketPump pump, CancellationToken stop)
    {
        var command = CancelCommand.Read(message.Fields);
        if (command.Ids is null && command.Filter is null)
        {
            await commands.CancelAsync(
                command, stop, execution => pump.TryReply(SocketReply.Status(execution.Id, execution.DescribeNow(), message.Reference)));
        }
        else
        {
            await commands.CancelManyAsync(command, stop, outcome => pump.TryReply(SocketReply.Cancelled(outcome, message.Reference)));
        }
    }

    // A body may take long to stand still. Then the answer comes when it does: pongs, and a cancel, must get through meanwhile.
    private async ValueTask SuspendAsync(SuspendCommand command, string? reference, SocketSession session, CancellationToken stop)
    {
        if (!session.TryBeginLate())
        {
            throw new CommandException("Too many suspends of this connection wait already: wait for an answer", "too_many", command.Id);
        }

        await AnswerSuspendAsync(command, reference, session, session.Ended)
            .WaitAsync(SuspendPatience, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AnswerSuspendAsync(SuspendCommand command, string? reference, SocketSession session, CancellationToken ended)
    {
        byte[] reply;
        try
        {
            var suspended = await commands.SuspendAsync(command, ended);
            reply = SocketReply.Status(suspended.Id, suspended.DescribeNow(), reference);
        }
        catch (Exception e) when (e is not OperationCanceledException || !ended.IsCancellationRequested)
        {
            reply = ToReply(e, reference);
        }
        finally
        {
            session.EndLate();
        }

        session.Pump.TryReply(reply, isLate: true);
    }

    private async ValueTask StatusAsync(SocketMessage message, SocketPump pump, CancellationToken stop)
    {
        var command = StatusCommand.Read(message.Fields);
        var execution = await commands.FindAsync(command.Id, "status", stop);
        pump.TryReply(SocketReply.Status(execution.Id, await execution.DescribeAsync(command.Lines, stop), message.Reference));
    }

    private async ValueTask SubscribeAsync(SocketMessage message, SocketPump pump, CancellationToken stop)
    {
        var command = SubscribeCommand.Read(message.Fields);
        var execution = await commands.FindAsync(command.Id, "subscribe", stop);
        if (pump.SubscriptionCount >= _options.MaxSubscriptionsPerConnection && !pump.IsSubscribed(execution))
        {
            throw new CommandException(
                $"Too many subscriptions: this connection has {pump.SubscriptionCount}, which is the limit; end one or open another connection",
                "too_many_subscriptions",
                execution.Id);
        }

        pump.Subscribe(execution, command, message.Reference);
    }

    private async ValueTask UnsubscribeAsync(SocketMessage message, SocketPump pump, CancellationToken stop)
    {
        var execution = await commands.FindAsync(CommandWords.Id(message.Fields), "unsubscribe", stop);
        if (!pump.TryUnsubscribe(execution, message.Reference))
        {
            throw new CommandException($"Not subscribed: {execution.Id}", "not_subscribed", execution.Id);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "A message of a client could not be handled")]
    private partial void LogFailed(Exception exception);
}
