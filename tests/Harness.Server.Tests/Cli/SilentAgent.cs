using System.Net;
using System.Net.Sockets;

namespace Harness.Server.Tests.Cli;

/// <summary>An agent that takes every call and answers none, so that a run is still running when a test wants it to be.</summary>
internal sealed class SilentAgent : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public SilentAgent() => _listener.Start();

    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public void Dispose() => _listener.Dispose();
}
