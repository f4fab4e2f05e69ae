namespace Harness.Benchmarks.Transports;

/// <summary>Socket.IO's version 5 over engine.io's version 4: a digit or two, then JSON.</summary>
internal sealed class SocketIoProtocol : ILoadProtocol
{
    private const byte EnginePing = (byte)'2';
    private const byte EngineMessage = (byte)'4';
    private const byte Connected = (byte)'0';

    private readonly WebSocketFrames _frames = new("/socket.io/?EIO=4&transport=websocket");

    public bool StarterWatches => true;

    public bool IsReady { get; private set; }

    public byte[] Greeting(int port) => _frames.Upgrade(port);

    public byte[] Execute(Load load) => WebSocketFrames.Frame($"42[\"execute\",{load.Data}]");

    public byte[] Watch(string id) => WebSocketFrames.Frame($"42[\"subscribe\",\"{id}\"]");

    public int Take(ReadOnlySpan<byte> bytes, Arrivals arrivals, Action<byte[]> answer) => _frames.Take(bytes, payload =>
    {
        switch (payload)
        {
            case [Connected, ..]:
                answer(WebSocketFrames.Frame("40"));
                break;
            case [EnginePing]:
                answer(WebSocketFrames.Frame("3"));
                break;
            case [EngineMessage, Connected, ..]:
                IsReady = true;
                break;
            default:
                EventScan.Json(payload, arrivals);
                break;
        }
    }, answer);
}
