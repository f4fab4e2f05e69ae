using System.Net;
using System.Net.Sockets;

namespace Harness.Server.Tests.Transports;

/// <summary>Two ends of one connection of this machine.</summary>
internal sealed class SocketPair : IDisposable
{
    public SocketPair()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Peer = new Socket(SocketType.Stream, ProtocolType.Tcp);
        Peer.Connect(listener.LocalEndpoint);
        Server = listener.AcceptSocket();
    }

    /// <summary>The client's.</summary>
    public Socket Peer { get; }

    /// <summary>The server's.</summary>
    public Socket Server { get; }

    public void Dispose()
    {
        Server.Dispose();
        Peer.Dispose();
    }
}
