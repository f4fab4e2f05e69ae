namespace Harness.Benchmarks.Transports;

/// <summary><c>/ws</c>, one JSON object in a frame; the rivals that have raw sockets speak it too.</summary>
internal sealed class SocketProtocol : ILoadProtocol
{
    private readonly WebSocketFrames _frames = new("/ws");

    public bool StarterWatches => true;

    public bool IsReady => _frames.IsOpen;

    /// <summary>The command that cancels a run.</summary>
    public static byte[] Cancel(string id) => WebSocketFrames.Frame($"{{\"action\":\"cancel\",\"id\":\"{id}\"}}");

    /// <summary>The command that starts lines nobody has to see.</summary>
    public static byte[] ExecuteUnwatched(Load load) =>
        WebSocketFrames.Frame($"{{\"action\":\"execute\",\"kind\":\"synthetic\",\"watch\":false,\"data\":{load.Data}}}");

    public byte[] Greeting(int port) => _frames.Upgrade(port);

    public byte[] Execute(Load load) => WebSocketFrames.Frame($"{{\"action\":\"execute\",\"kind\":\"synthetic\",\"data\":{load.Data}}}");

    public byte[] Watch(string id) => WebSocketFrames.Frame($"{{\"action\":\"subscribe\",\"id\":\"{id}\",\"from\":1}}");

    public int Take(ReadOnlySpan<byte> bytes, Arrivals arrivals, Action<byte[]> answer) => _frames.Take(bytes, payload =>
    {
        // The fastest server decides how fast this must be: a line is known by two letters behind {"type":".
        if (payload.Length > 12 && payload[9] == (byte)'l' && payload[10] == (byte)'o')
        {
            arrivals.AddLines(1, payload);
        }
        else
        {
            EventScan.Json(payload, arrivals);
        }
    }, answer);
}
