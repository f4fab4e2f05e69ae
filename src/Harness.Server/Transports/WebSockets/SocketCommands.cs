using System.Text.Json;
using Harness.Executions;
using Microsoft.Extensions.Options;

namespace Harness.Server.Transports.WebSockets;

/// <summary>What clients can ask over <c>/ws</c>: the seed's three actions (PROTOCOL, "Client to server"). One for all connections.</summary>
internal sealed partial class SocketCommands
{
    private const string DefaultKind = "suite";

    private readonly ExecutionRegistry _executions;
    private readonly Dictionary<string, IExecutionKind> _kinds;
    private readonly ServerOptions _options;
    private readonly ILogger<SocketCommands> _logger;

    public SocketCommands(
        ExecutionRegistry executions, IEnumerable<IExecutionKind> kinds, IOptions<ServerOptions> options, ILogger<SocketCommands> logger)
    {
        _executions = executions;
        _kinds = kinds.ToDictionary(kind => kind.Name, StringComparer.Ordinal);
        _options = options.Value;
        _logger = logger;
    }

    /// <summary>Does what one message asks. Whatever is in it, the connection goes on; what goes wrong is answered.</summary>
    public void Handle(ReadOnlyMemory<byte> utf8, SocketPump pump)
    {
        string? reference = null;
        try
        {
            if (SocketMessage.Parse(utf8, out var problem) is not { } message)
            {
                pump.TryReply(SocketReply.Error($"Invalid JSON: {problem}", "invalid_json"));
                return;
            }

            reference = message.Reference;
            Handle(message, pump);
        }
        catch (Exception e)
        {
            LogFailed(e);
            pump.TryReply(SocketReply.Error("Internal error: the server could not handle this message", "internal", null, reference));
        }
    }

    private void Handle(SocketMessage message, SocketPump pump)
    {
        switch (message.Action)
        {
            case "execute":
                Execute(message, pump);
                break;
            case "cancel":
                Cancel(message, pump);
                break;
            case "status":
                Status(message, pump);
                break;
            default:
                pump.TryReply(SocketReply.Error(
                    $"Unknown action: {message.Action}. Supported actions: execute, cancel, status", "unknown_action", null, message.Reference));
                break;
        }
    }

    private void Execute(SocketMessage message, SocketPump pump)
    {
        if (pump.WatchCount >= _options.MaxWatchesPerConnection)
        {
            Refuse(
                $"Too many executions: this connection watches {pump.WatchCount}, which is the limit; wait for one to end or open another connection",
                "too_many");
            return;
        }

        if (!_kinds.TryGetValue(message.Kind.Length == 0 ? DefaultKind : message.Kind, out var kind))
        {
            Refuse($"Unknown kind: {message.Kind}. Supported kinds: {string.Join(", ", _kinds.Keys.Order(StringComparer.Ordinal))}", "unknown_kind");
            return;
        }

        if (Plan(kind, message.Data, out var problem) is not { } plan)
        {
            Refuse($"Invalid execute payload: {problem}", "invalid_payload");
            return;
        }

        try
        {
            pump.Add(_executions.Start(plan), from: 1);
        }
        catch (ExecutionInputException e)
        {
            Refuse(e.Message, "overloaded");
        }

        void Refuse(string text, string code) => pump.TryReply(SocketReply.Error(text, code, null, message.Reference));
    }

    private static ExecutionPlan? Plan(IExecutionKind kind, JsonElement data, out string? problem)
    {
        problem = null;
        try
        {
            return kind.Plan(data);
        }
        catch (ExecutionInputException e)
        {
            problem = e.Message;
            return null;
        }
    }

    private void Cancel(SocketMessage message, SocketPump pump)
    {
        if (!TryFind(message, pump, out var execution))
        {
            return;
        }

        if (!_executions.TryCancel(execution, claimed: () => pump.TryReply(SocketReply.Status(execution, message.Reference))))
        {
            pump.TryReply(SocketReply.Error(
                $"Cannot cancel: execution is not running (current status: {execution.State.Status.ToWire()})",
                "not_running",
                execution.Id,
                message.Reference));
        }
    }

    private void Status(SocketMessage message, SocketPump pump)
    {
        if (TryFind(message, pump, out var execution))
        {
            pump.TryReply(SocketReply.Status(execution, message.Reference));
        }
    }

    private bool TryFind(SocketMessage message, SocketPump pump, out Execution execution)
    {
        execution = null!;
        if (message.Id.Length == 0)
        {
            pump.TryReply(SocketReply.Error($"Missing execution id for {message.Action} action", "missing_id", null, message.Reference));
            return false;
        }

        if (!_executions.TryFind(message.Id, out var found))
        {
            pump.TryReply(SocketReply.Error($"Test execution not found: {message.Id}", "not_found", message.Id, message.Reference));
            return false;
        }

        execution = found;
        return true;
    }

    [LoggerMessage(1, LogLevel.Error, "A message of a client could not be handled")]
    private partial void LogFailed(Exception exception);
}
