using System.Runtime.ExceptionServices;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>
/// Reads hub messages from MessagePack arrays (HubProtocol.md, "MessagePack (MsgPack) encoding"). A message that breaks the protocol
/// ends the connection; a value that does not fit its method fails that one invocation. Elements past those known are passed over.
/// </summary>
internal static class HubMessageReader
{
    /// <summary>Reads one message without its length prefix; null when its type is not known here.</summary>
    /// <exception cref="InvalidDataException">It is no hub message.</exception>
    public static HubMessage? Read(ReadOnlySpan<byte> bytes, IInvocationBinder binder, JsonSerializerOptions json)
    {
        var reader = new MessagePackReader(bytes);
        var count = reader.ReadArrayHeader();
        if (count == 0)
        {
            throw new InvalidDataException("A hub message is an empty array");
        }

        return (int)Int128.Clamp(reader.ReadInteger(), -1, int.MaxValue) switch
        {
            HubProtocolConstants.InvocationMessageType => ReadInvocation(ref reader, count, isStream: false, binder, json),
            HubProtocolConstants.StreamInvocationMessageType => ReadInvocation(ref reader, count, isStream: true, binder, json),
            HubProtocolConstants.StreamItemMessageType => ReadStreamItem(ref reader, count, binder, json),
            HubProtocolConstants.CompletionMessageType => ReadCompletion(ref reader, count, binder, json),
            HubProtocolConstants.CancelInvocationMessageType => ReadCancel(ref reader, count),
            HubProtocolConstants.PingMessageType => PingMessage.Instance,
            HubProtocolConstants.CloseMessageType => ReadClose(ref reader, count),
            HubProtocolConstants.AckMessageType => new AckMessage(ReadSequenceId(ref reader, count)),
            HubProtocolConstants.SequenceMessageType => new SequenceMessage(ReadSequenceId(ref reader, count)),
            _ => null,
        };
    }

    private static HubInvocationMessage ReadInvocation(
        ref MessagePackReader reader, int count, bool isStream, IInvocationBinder binder, JsonSerializerOptions json)
    {
        Require(count >= 5, "An invocation has a type, headers, an id, a target and arguments");
        var headers = ReadHeaders(ref reader);
        var id = reader.TryReadNil() && !isStream ? null : reader.ReadString();
        var target = reader.ReadString();

        // Their form is the protocol's business and checked first; their types are the method's.
        var argumentCount = reader.ReadArrayHeader();
        var arguments = reader.Skip(argumentCount);
        var streamIds = count > 5 ? ReadStreamIds(ref reader) : null;
        try
        {
            var values = Bind(argumentCount, arguments, binder.GetParameterTypes(target), json);
            HubInvocationMessage message = isStream
                ? new StreamInvocationMessage(id!, target, values, streamIds)
                : new InvocationMessage(id, target, values, streamIds);
            message.Headers = headers;
            return message;
        }
        catch (Exception e)
        {
            // The caller is told, and the connection goes on.
            return new InvocationBindingFailureMessage(id, target, ExceptionDispatchInfo.Capture(e));
        }
    }

    private static HubMessage ReadStreamItem(ref MessagePackReader reader, int count, IInvocationBinder binder, JsonSerializerOptions json)
    {
        Require(count >= 4, "A stream item has a type, headers, an id and an item");
        var headers = ReadHeaders(ref reader);
        var id = reader.ReadString();
        var item = reader.Skip();
        try
        {
            return new StreamItemMessage(id, MessagePackValue.Read(item, binder.GetStreamItemType(id), json)) { Headers = headers };
        }
        catch (Exception e)
        {
            return new StreamBindingFailureMessage(id, ExceptionDispatchInfo.Capture(e));
        }
    }

    private static CompletionMessage ReadCompletion(ref MessagePackReader reader, int count, IInvocationBinder binder, JsonSerializerOptions json)
    {
        Require(count >= 4, "A completion has a type, headers, an id and the kind of its result");
        var headers = ReadHeaders(ref reader);
        var id = reader.ReadString();
        var kind = (CompletionKind)(int)Int128.Clamp(reader.ReadInteger(), 0, int.MaxValue);
        Require(kind is >= CompletionKind.Error and <= CompletionKind.Result, "The kind of a completion's result is 1, 2 or 3");
        Require(kind == CompletionKind.Void || count >= 5, "A completion of this kind has a result");
        var message = kind switch
        {
            CompletionKind.Error => CompletionMessage.WithError(id, reader.TryReadNil() ? "" : reader.ReadString()),
            CompletionKind.Void => CompletionMessage.Empty(id),
            _ => ReadResult(id, reader.Skip(), binder, json),
        };
        message.Headers = headers;
        return message;
    }

    private static CompletionMessage ReadResult(string id, ReadOnlySpan<byte> result, IInvocationBinder binder, JsonSerializerOptions json)
    {
        Type? type;
        try
        {
            type = binder.GetReturnType(id);
        }
        catch (Exception)
        {
            // Nobody waits for it any more, so nobody knows its type: it is a completion all the same.
            return CompletionMessage.WithResult(id, null);
        }

        try
        {
            return CompletionMessage.WithResult(id, MessagePackValue.Read(result, type, json));
        }
        catch (Exception e)
        {
            return CompletionMessage.WithError(id, $"The result is no {type.Name}: {e.Message}");
        }
    }

    private static CancelInvocationMessage ReadCancel(ref MessagePackReader reader, int count)
    {
        Require(count >= 3, "A cancellation has a type, headers and an id");
        var headers = ReadHeaders(ref reader);
        return new CancelInvocationMessage(reader.ReadString()) { Headers = headers };
    }

    private static CloseMessage ReadClose(ref MessagePackReader reader, int count)
    {
        Require(count >= 2, "A close has a type and an error");
        var error = reader.TryReadNil() ? null : reader.ReadString();
        var allowReconnect = count > 2 && reader.ReadBoolean();
        return error is null && !allowReconnect ? CloseMessage.Empty : new CloseMessage(error, allowReconnect);
    }

    private static long ReadSequenceId(ref MessagePackReader reader, int count)
    {
        Require(count >= 2, "A message about a sequence has a type and a sequence id");
        return reader.ReadInt64();
    }

    // Headers are rare, and the same few when there are any.
    private static Dictionary<string, string>? ReadHeaders(ref MessagePackReader reader)
    {
        var count = reader.ReadMapHeader();
        if (count == 0)
        {
            return null;
        }

        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        for (; count > 0; count--)
        {
            var name = reader.ReadString();
            headers[name] = reader.ReadString();
        }

        return headers;
    }

    private static string[]? ReadStreamIds(ref MessagePackReader reader)
    {
        var count = reader.ReadArrayHeader();
        if (count == 0)
        {
            return null;
        }

        // No more than what is there: ReadArrayHeader has checked it.
        var ids = new string[count];
        for (var i = 0; i < count; i++)
        {
            ids[i] = reader.ReadString();
        }

        return ids;
    }

    private static object?[] Bind(int count, ReadOnlySpan<byte> arguments, IReadOnlyList<Type> types, JsonSerializerOptions json)
    {
        if (count != types.Count)
        {
            throw new InvalidDataException($"Invocation provides {count} argument(s) but target expects {types.Count}.");
        }

        var reader = new MessagePackReader(arguments);
        var values = new object?[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = MessagePackValue.Read(reader.Skip(), types[i], json);
        }

        return values;
    }

    private static void Require(bool isThere, string rule)
    {
        if (!isThere)
        {
            throw new InvalidDataException(rule);
        }
    }
}
