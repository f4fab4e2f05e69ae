using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Harness.Benchmarks.Transports;

/// <summary>One connection of a load, over the operating system's socket and nothing else. Never blocks when it reads.</summary>
internal sealed class LoadClient : IDisposable
{
    // So much at once that a server's largest write is one read, and yet in the processor's cache.
    private const int ReadLength = 256 * 1024;

    // A client with much to read lets the others have their turn.
    private const int MaxReads = 4;

    private readonly ILoadProtocol _protocol;
    private readonly Action<byte[]> _send;
    private byte[] _rest = [];
    private int _restLength;

    /// <summary>Connects and greets.</summary>
    public LoadClient(int port, ILoadProtocol protocol, LatencyCounts? latency)
    {
        (_protocol, Arrivals, _send) = (protocol, new Arrivals(latency), Send);
        Socket.Connect(IPAddress.Loopback, port);
        Socket.Blocking = false;
        Send(protocol.Greeting(port));
    }

    public Socket Socket { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    /// <summary>What came.</summary>
    public Arrivals Arrivals { get; }

    /// <summary>Whether commands can be sent.</summary>
    public bool IsReady => _protocol.IsReady;

    /// <summary>Starts a run.</summary>
    public void Execute(Load load) => Send(_protocol.Execute(load));

    /// <summary>Watches a run, unless it does already because it has started it.</summary>
    public void Watch(string id, bool isStarter)
    {
        if (!isStarter || !_protocol.StarterWatches)
        {
            Send(_protocol.Watch(id));
        }
    }

    /// <summary>Sends all of some bytes.</summary>
    public void Send(byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;)
        {
            sent += Socket.Send(bytes.AsSpan(sent), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                Socket.Poll(TimeSpan.FromSeconds(1), SelectMode.SelectWrite);
            }
            else if (error != SocketError.Success)
            {
                throw new SocketException((int)error);
            }
        }
    }

    /// <summary>Takes what is there.</summary>
    /// <param name="shared">Memory that all clients of this thread share.</param>
    public void Receive(ref byte[] shared)
    {
        for (var read = 0; read < MaxReads; read++)
        {
            if (shared.Length < _restLength + ReadLength)
            {
                shared = new byte[2 * (_restLength + ReadLength)];
            }

            _rest.AsSpan(0, _restLength).CopyTo(shared);
            var received = Socket.Receive(shared.AsSpan(_restLength, ReadLength), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                return;
            }

            if (error != SocketError.Success || received == 0)
            {
                throw new IOException($"The server ended the connection: {error}");
            }

            Arrivals.Now = Stopwatch.GetTimestamp();
            Take(shared.AsSpan(0, _restLength + received));
            if (received < ReadLength)
            {
                return;
            }
        }
    }

    public void Dispose() => Socket.Dispose();

    private void Take(ReadOnlySpan<byte> bytes)
    {
        bytes = bytes[_protocol.Take(bytes, Arrivals, _send)..];
        if (_rest.Length < bytes.Length)
        {
            _rest = new byte[2 * bytes.Length];
        }

        bytes.CopyTo(_rest);
        _restLength = bytes.Length;
    }
}
