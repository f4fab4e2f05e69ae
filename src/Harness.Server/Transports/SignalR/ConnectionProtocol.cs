using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Options;

namespace Harness.Server.Transports.SignalR;

/// <summary>
/// The hub protocol of one connection, which also knows what the client has asked and has no completion of yet. Nothing else does: a stream
/// that has ended in the hub has its completion written some time later. And it counts what a client sends: more than its budget ends the
/// connection. Thread-safe, but for reading.
/// </summary>
internal sealed class ConnectionProtocol(IHubProtocol protocol, int messagesPerSecond) : IHubProtocol
{
    private readonly MessageBudget _budget = new(messagesPerSecond);

    // Bounded by what SignalR keeps for each of them anyway.
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);
    private readonly bool _isJson = protocol.Name == "json";
    private TaskCompletionSource? _answered;

    public string Name => protocol.Name;

    public int Version => protocol.Version;

    public TransferFormat TransferFormat => protocol.TransferFormat;

    /// <summary>Completes when every invocation has its completion, and every item before it, in the connection's buffer.</summary>
    public Task AnsweredAsync()
    {
        lock (_asked)
        {
            if (_asked.Count == 0)
            {
                return Task.CompletedTask;
            }

            _answered ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _answered.Task;
        }
    }

    public bool IsVersionSupported(int version) => protocol.IsVersionSupported(version);

    public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        var messages = input;
        try
        {
            if (!protocol.TryParseMessage(ref input, binder, out message))
            {
                return false;
            }
        }
        catch (InvalidDataException) when (_isJson && DeepInvocation.TryRefuse(messages, out message))
        {
            // The protocol has taken it out of the input before it read it.
        }

        if (!_budget.TryTake(Environment.TickCount64))
        {
            // It ends the connection, and the text goes with the close message.
            throw new HubException(_budget.Refusal);
        }

        if (message is HubMethodInvocationMessage { InvocationId: { Length: > 0 } id })
        {
            lock (_asked)
            {
                _asked.Add(id);
            }
        }

        return true;
    }

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output)
    {
        if (_isJson && message is StreamItemMessage { Item: EventBatch batch, InvocationId: { } stream })
        {
            batch.WriteItem(stream, output);
            return;
        }

        protocol.WriteMessage(message, output);
        if (message is CompletionMessage { InvocationId: { } id })
        {
            lock (_asked)
            {
                if (_asked.Remove(id) && _asked.Count == 0)
                {
                    _answered?.TrySetResult();
                    _answered = null;
                }
            }
        }
    }

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => protocol.GetMessageBytes(message);
}

/// <summary>Gives each connection the protocol it asks for as one of its own.</summary>
internal sealed class ConnectionProtocols(IEnumerable<IHubProtocol> protocols, IOptions<ServerOptions> options) : IHubProtocolResolver
{
    // The last one of a name, as SignalR's own resolver does it.
    private readonly Dictionary<string, IHubProtocol> _protocols = protocols
        .Reverse().DistinctBy(protocol => protocol.Name, StringComparer.OrdinalIgnoreCase)
        .ToDictionary(protocol => protocol.Name, StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<IHubProtocol> AllProtocols => [.. _protocols.Values];

    public IHubProtocol? GetProtocol(string protocolName, IReadOnlyList<string>? supportedProtocols) =>
        _protocols.TryGetValue(protocolName, out var protocol)
        && supportedProtocols?.Contains(protocolName, StringComparer.OrdinalIgnoreCase) != false
            ? new ConnectionProtocol(protocol, options.Value.MaxMessagesPerSecond)
            : null;
}
