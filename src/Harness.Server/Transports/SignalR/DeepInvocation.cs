using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Harness.Server.Transports.SignalR;

/// <summary>
/// Invocations in JSON that are nested deeper than SignalR's own protocol reads, which ends the connection for them: here they are refused, and it
/// goes on.
/// </summary>
internal static class DeepInvocation
{
    /// <summary>Deepest nesting of an argument.</summary>
    public const int MaxDepth = MaxMessageDepth - 2;

    private const int MaxMessageDepth = 64;
    private const byte EndOfMessage = 0x1E;

    // A message is not longer than the hub accepts, and reading takes a bit for each level.
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    private static readonly string Refusal =
        $"The command is nested deeper than {MaxDepth} levels, the limit of this protocol; MessagePack, /ws and REST take {JsonSyntax.MaxDepth}";

    /// <summary>Answers the first message there is when it is such an invocation.</summary>
    public static bool TryRefuse(in ReadOnlySequence<byte> messages, [NotNullWhen(true)] out HubMessage? refusal)
    {
        refusal = null;
        if (messages.PositionOf(EndOfMessage) is not { } end)
        {
            return false;
        }

        try
        {
            refusal = Refuse(new Utf8JsonReader(messages.Slice(0, end), AnyDepth));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Something else is wrong with it.
        }

        return refusal is not null;
    }

    private static InvocationBindingFailureMessage? Refuse(Utf8JsonReader reader)
    {
        var (type, id, target, isDeep) = (0, (string?)null, (string?)null, false);
        while (reader.Read())
        {
            isDeep |= reader.CurrentDepth >= MaxMessageDepth;
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
            {
                continue;
            }

            if (reader.ValueTextEquals("type"u8) && reader.Read())
            {
                type = reader.GetInt32();
            }
            else if (reader.ValueTextEquals("invocationId"u8) && reader.Read())
            {
                id = reader.GetString();
            }
            else if (reader.ValueTextEquals("target"u8) && reader.Read())
            {
                target = reader.GetString();
            }
        }

        var isInvocation = type is HubProtocolConstants.InvocationMessageType or HubProtocolConstants.StreamInvocationMessageType;
        return isDeep && isInvocation && target is not null
            ? new InvocationBindingFailureMessage(id, target, ExceptionDispatchInfo.Capture(new HubException(Refusal)))
            : null;
    }
}
