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
    private readonly ServerOptions _options = options.Value;

    /// <summary>Does what one message asks. Whatever is in it, the connection goes on; what goes wrong is answered.</summary>
    public void Handle(ReadOnlyMemory<byte> utf8, SocketSession session)
    {
        string? reference = null;
        try
        {
            if (SocketMessage.Parse(utf8, out var problem) is not { } message)
            {
                session.Pump.TryReply(SocketReply.Error($"Invalid JSON: {problem}", "invalid_json"));
                return;
            }

            reference = message.Reference;
            Handle(message, session);
        }
        catch (CommandException e)
        {
            session.Pump.TryReply(SocketReply.Error(e, reference));
        }
        catch (Exception e)
        {
            LogFailed(e);
            session.Pump.TryReply(SocketReply.Error("Internal error: the server could not handle this message", "internal", null, reference));
        }
    }

    /// <summary>Cancels what the connection started with <c>"on_disconnect":"cancel"</c>.</summary>
    public void End(SocketSession session) => commands.CancelAll(session.Owned, "The connection that started it ended");

    private void Handle(SocketMessage message, SocketSession session)
    {
        var pump = session.Pump;
        switch (message.Action)
        {
            case "execute":
                Execute(message, session);
                break;
            case "cancel":
                Cancel(message, pump);
                break;
            case "status":
                Status(message, pump);
                break;
            case "subscribe":
                Subscribe(message, pump);
                break;
            case "unsubscribe":
                Unsubscribe(message, pump);
                break;
            case "list":
                pump.TryReply(SocketReply.List(commands.List(ListCommand.Read(message.Fields)), message.Reference));
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
                throw new CommandException($"Unknown action: {message.Action}. Supported actions: execute, cancel, status", "unknown_action");
        }
    }

    private void Execute(SocketMessage message, SocketSession session)
    {
        var (pump, command) = (session.Pump, ExecuteCommand.Read(message.Fields));
        if (command.Watch && pump.WatchCount >= _options.MaxWatchesPerConnection)
        {
            throw new CommandException(
                $"Too many executions: this connection watches {pump.WatchCount}, which is the limit; wait for one to end or open another connection",
                "too_many");
        }

        var execution = commands.Start(command, out var isNew);
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
            pump.TryReply(SocketReply.Status(execution, message.Reference));
        }
    }

    private void Cancel(SocketMessage message, SocketPump pump)
    {
        var command = CancelCommand.Read(message.Fields);
        if (command.Ids is null && command.Filter is null)
        {
            commands.Cancel(command, claimed: execution => pump.TryReply(SocketReply.Status(execution, message.Reference)));
        }
        else
        {
            commands.CancelMany(command, claimed: outcome => pump.TryReply(SocketReply.Cancelled(outcome, message.Reference)));
        }
    }

    private void Status(SocketMessage message, SocketPump pump)
    {
        var command = StatusCommand.Read(message.Fields);
        pump.TryReply(SocketReply.Status(commands.Find(command.Id, "status"), message.Reference, command.Lines));
    }

    private void Subscribe(SocketMessage message, SocketPump pump)
    {
        var command = SubscribeCommand.Read(message.Fields);
        var execution = commands.Find(command.Id, "subscribe");
        if (pump.SubscriptionCount >= _options.MaxSubscriptionsPerConnection && !pump.IsSubscribed(execution))
        {
            throw new CommandException(
                $"Too many subscriptions: this connection has {pump.SubscriptionCount}, which is the limit; end one or open another connection",
                "too_many_subscriptions",
                execution.Id);
        }

        pump.Subscribe(execution, command, message.Reference);
    }

    private void Unsubscribe(SocketMessage message, SocketPump pump)
    {
        var execution = commands.Find(message.Id, "unsubscribe");
        if (!pump.TryUnsubscribe(execution, message.Reference))
        {
            throw new CommandException($"Not subscribed: {execution.Id}", "not_subscribed", execution.Id);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "A message of a client could not be handled")]
    private partial void LogFailed(Exception exception);
}
