using System.Text;
using Harness.Server.Transports.SignalR.MessagePack;

namespace Harness.Benchmarks.Transports;

/// <summary>SignalR at <c>/hub</c>, in JSON or MessagePack: Harness's streams, or the group of the rival.</summary>
/// <param name="isPacked">MessagePack; otherwise JSON.</param>
/// <param name="isGroup">Whether events are invocations that the server makes; otherwise batches in a stream.</param>
internal sealed class HubProtocol(bool isPacked, bool isGroup) : ILoadProtocol
{
    private const int Invocation = 1;
    private const int StreamInvocation = 4;

    private readonly WebSocketFrames _frames = new("/hub");
    private readonly HubRecords _records = new(isPacked, isPacked ? EventScan.MessagePack : isGroup ? EventScan.Json : EventScan.JsonBatch);

    public bool StarterWatches => isGroup;

    public bool IsReady => _records.IsReady;

    public byte[] Greeting(int port) => _frames.Upgrade(port);

    public byte[] Execute(Load load) =>
        Invoke(Invocation, "Execute", isGroup ? load.Data : $"{{\"kind\":\"synthetic\",\"data\":{load.Data}}}");

    public byte[] Watch(string id) => isGroup ? Invoke(Invocation, "Subscribe", $"\"{id}\"") : Invoke(StreamInvocation, "Watch", $"\"{id}\",0");

    public int Take(ReadOnlySpan<byte> bytes, Arrivals arrivals, Action<byte[]> answer)
    {
        var wasOpen = _frames.IsOpen;
        var taken = _frames.Take(bytes, payload => _records.Take(payload, arrivals), answer);
        if (!wasOpen && _frames.IsOpen)
        {
            // Not before the handshake of the socket is answered (RFC 6455, 4.1).
            answer(WebSocketFrames.Frame($"{{\"protocol\":\"{(isPacked ? "messagepack" : "json")}\",\"version\":1}}\u001e"));
        }

        return taken;
    }

    private byte[] Invoke(int type, string method, string arguments)
    {
        if (!isPacked)
        {
            return WebSocketFrames.Frame($"{{\"type\":{type},\"invocationId\":\"{type}\",\"target\":\"{method}\",\"arguments\":[{arguments}]}}\u001e");
        }

        using var writer = new MessagePackWriter(256);
        JsonTranscoder.ToMessagePack(Encoding.UTF8.GetBytes($"[{type},{{}},\"{type}\",\"{method}\",[{arguments}],[]]"), writer);
        var prefix = new byte[HubFraming.MaxPrefix];
        var length = HubFraming.WritePrefix(prefix, writer.Written.Length);
        return WebSocketFrames.Frame([.. prefix.AsSpan(0, length), .. writer.Written], isText: false);
    }
}
