using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Options;

namespace Harness.Server.Transports.SignalR.MessagePack;

/// <summary>
/// SignalR's protocol <c>messagepack</c>, versions 1 and 2, wire-compatible with the official clients
/// (dotnet/aspnetcore, src/SignalR/docs/specs/HubProtocol.md). Thread-safe. docs/decisions/0009 says why it is our own.
/// </summary>
internal sealed class MessagePackHubProtocol : IHubProtocol
{
    private const int UsualMessageBytes = 1024;

    private readonly JsonSerializerOptions _json;
    private readonly int _maxMessageBytes;

    /// <summary>Values have the contracts they have in the JSON protocol.</summary>
    /// <param name="json">The JSON protocol's options.</param>
    /// <param name="maxMessageBytes">Longest message accepted; a longer one is refused by its prefix, before it is buffered.</param>
    public MessagePackHubProtocol(JsonHubProtocolOptions json, int maxMessageBytes = int.MaxValue)
    {
        _json = json.PayloadSerializerOptions;
        _maxMessageBytes = maxMessageBytes;
    }

    /// <inheritdoc />
    public string Name => "messagepack";

    /// <inheritdoc />
    public int Version => 2;

    /// <inheritdoc />
    public TransferFormat TransferFormat => TransferFormat.Binary;

    /// <inheritdoc />
    public bool IsVersionSupported(int version) => version is 1 or 2;

    /// <inheritdoc />
    public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        // A message of a type not known here is passed over, and what comes after it is not kept waiting.
        message = null;
        while (message is null && HubFraming.TryTake(ref input, _maxMessageBytes, out var bytes))
        {
            message = HubMessageReader.Read(bytes.IsSingleSegment ? bytes.FirstSpan : bytes.ToArray(), binder, _json);
        }

        return message is not null;
    }

    /// <inheritdoc />
    public void WriteMessage(HubMessage message, IBufferWriter<byte> output)
    {
        // In one piece: SignalR sends each piece of its buffer as a WebSocket fragment of its own. And there at once, if the guess is good enough.
        var value = message switch
        {
            StreamItemMessage item => item.Item,
            CompletionMessage completion => completion.Result,
            _ => null,
        };
        var expected = UsualMessageBytes + ((value as IMessagePackWritable)?.ExpectedBytes ?? 0);
        var guess = HubFraming.PrefixOf(expected);
        var room = output.GetMemory(guess + expected);
        using var writer = MemoryMarshal.TryGetArray<byte>(room[guess..], out var place) ? new MessagePackWriter(place) : new MessagePackWriter(expected);
        HubMessageWriter.Write(message, writer, _json);

        var length = writer.Written.Length;
        var prefix = HubFraming.PrefixOf(length);
        var bytes = room.Span;
        if (!writer.IsInPlace || prefix != guess)
        {
            bytes = output.GetSpan(prefix + length);
            writer.Written.CopyTo(bytes[prefix..]);
        }

        HubFraming.WritePrefix(bytes, length);
        output.Advance(prefix + length);
    }

    /// <inheritdoc />
    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message)
    {
        var bytes = new ArrayBufferWriter<byte>(HubFraming.MaxPrefix + UsualMessageBytes);
        WriteMessage(message, bytes);
        return bytes.WrittenMemory;
    }
}

/// <summary>The one line that registers the protocol.</summary>
internal static class MessagePackRegistration
{
    /// <summary>Adds the protocol <c>messagepack</c>. Of two protocols with this name the later registered counts.</summary>
    public static ISignalRServerBuilder AddHarnessMessagePack(this ISignalRServerBuilder signalR)
    {
        signalR.Services.AddSingleton<IHubProtocol>(provider => new MessagePackHubProtocol(
            provider.GetRequiredService<IOptions<JsonHubProtocolOptions>>().Value,
            provider.GetRequiredService<IOptions<ServerOptions>>().Value.MaxMessageBytes));
        return signalR;
    }
}
