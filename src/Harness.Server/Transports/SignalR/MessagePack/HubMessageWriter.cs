using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>Hub messages as MessagePack arrays (HubProtocol.md, "MessagePack (MsgPack) encoding").</summary>
internal static class HubMessageWriter
{
    /// <summary>Writes one message without its length prefix.</summary>
    public static void Write(HubMessage message, MessagePackWriter writer, JsonSerializerOptions json)
    {
        switch (message)
        {
            case InvocationMessage invocation:
                WriteInvocation(HubProtocolConstants.InvocationMessageType, invocation, invocation.StreamIds, writer, json);
                break;
            case StreamInvocationMessage invocation:
                WriteInvocation(HubProtocolConstants.StreamInvocationMessageType, invocation, invocation.StreamIds, writer, json);
                break;
            case StreamItemMessage item:
                WriteHead(4, HubProtocolConstants.StreamItemMessageType, item, writer);
                MessagePackValue.Write(item.Item, writer, json);
                break;
            case CompletionMessage completion:
                WriteCompletion(completion, writer, json);
                break;
            case CancelInvocationMessage cancel:
                WriteHead(3, HubProtocolConstants.CancelInvocationMessageType, cancel, writer);
                break;
            case PingMessage:
                writer.WriteArrayHeader(1);
                writer.WriteInteger(HubProtocolConstants.PingMessageType);
                break;
            case CloseMessage close:
                writer.WriteArrayHeader(3);
                writer.WriteInteger(HubProtocolConstants.CloseMessageType);
                writer.WriteString(close.Error);
                writer.WriteBoolean(close.AllowReconnect);
                break;
            case AckMessage ack:
                WriteSequence(HubProtocolConstants.AckMessageType, ack.SequenceId, writer);
                break;
            case SequenceMessage sequence:
                WriteSequence(HubProtocolConstants.SequenceMessageType, sequence.SequenceId, writer);
                break;
            default:
                throw new InvalidDataException($"A message of type {message.GetType().Name} has no MessagePack form");
        }
    }

    private static void WriteInvocation(
        int type, HubMethodInvocationMessage invocation, string[]? streamIds, MessagePackWriter writer, JsonSerializerOptions json)
    {
        WriteHead(6, type, invocation, writer);
        writer.WriteString(invocation.Target);
        writer.WriteArrayHeader(invocation.Arguments.Length);
        foreach (var argument in invocation.Arguments)
        {
            MessagePackValue.Write(argument, writer, json);
        }

        writer.WriteArrayHeader(streamIds?.Length ?? 0);
        foreach (var id in streamIds ?? [])
        {
            writer.WriteString(id);
        }
    }

    private static void WriteCompletion(CompletionMessage completion, MessagePackWriter writer, JsonSerializerOptions json)
    {
        var kind = completion switch
        {
            { Error: not null } => CompletionKind.Error,
            { HasResult: false } => CompletionKind.Void,
            _ => CompletionKind.Result,
        };
        WriteHead(kind == CompletionKind.Void ? 4 : 5, HubProtocolConstants.CompletionMessageType, completion, writer);
        writer.WriteInteger((int)kind);
        if (kind == CompletionKind.Error)
        {
            writer.WriteString(completion.Error);
        }
        else if (kind == CompletionKind.Result)
        {
            MessagePackValue.Write(completion.Result, writer, json);
        }
    }

    private static void WriteSequence(int type, long id, MessagePackWriter writer)
    {
        writer.WriteArrayHeader(2);
        writer.WriteInteger(type);
        writer.WriteInteger(id);
    }

    private static void WriteHead(int count, int type, HubInvocationMessage message, MessagePackWriter writer)
    {
        writer.WriteArrayHeader(count);
        writer.WriteInteger(type);
        writer.WriteMapHeader(message.Headers?.Count ?? 0);
        foreach (var (name, value) in message.Headers ?? new Dictionary<string, string>())
        {
            writer.WriteString(name);
            writer.WriteString(value);
        }

        writer.WriteString(string.IsNullOrEmpty(message.InvocationId) ? null : message.InvocationId);
    }
}

/// <summary>What a completion carries; the numbers are those on the wire.</summary>
internal enum CompletionKind
{
    Error = 1,
    Void = 2,
    Result = 3,
}
