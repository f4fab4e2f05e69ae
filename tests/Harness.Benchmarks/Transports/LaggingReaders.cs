using System.Net;
using System.Net.Sockets;

namespace Harness.Benchmarks.Transports;

/// <summary>Two sockets of <c>/ws</c> with small buffers: one takes a kilobyte now and then, the other takes nothing.</summary>
internal sealed class LaggingReaders : IDisposable
{
    /// <summary>How many they are.</summary>
    public const int Count = 2;

    private const int SmallBuffer = 4096;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Socket _slow;
    private readonly Socket _stopped;
    private readonly byte[] _kilobyte = new byte[1024];
    private Timer? _timer;

    /// <summary>Opens them.</summary>
    public LaggingReaders(int port) => (_slow, _stopped) = (Open(port), Open(port));

    /// <summary>Both begin to read, each in its way.</summary>
    /// <param name="id">The run they watch; null: none, and nothing comes.</param>
    public void Start(string? id)
    {
        if (id is not null)
        {
            var watch = new SocketProtocol().Watch(id);
            _slow.Send(watch);
            _stopped.Send(watch);
        }

        _timer = new Timer(_ => Read(), null, Pause, Pause);
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _slow.Dispose();
        _stopped.Dispose();
    }

    private static Socket Open(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = SmallBuffer };
        socket.Connect(IPAddress.Loopback, port);
        socket.Send(new SocketProtocol().Greeting(port));
        socket.Receive(new byte[1024]);
        return socket;
    }

    private void Read()
    {
        try
        {
            if (_slow.Available > 0)
            {
                _slow.Receive(_kilobyte);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The run is over and with it the reader; the timer's last tick comes too late.
        }
    }
}
