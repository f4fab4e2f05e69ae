using System.Net;
using System.Net.Sockets;

namespace Harness.Storage.Tests;

/// <summary>Stands between a client and a server on this machine, and can swallow connections as a firewall does that forgot them.</summary>
internal sealed class TcpProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly List<TcpClient> _clients = [];
    private readonly int _server;
    private volatile CancellationTokenSource _swallowed = new();

    public TcpProxy(int server)
    {
        _server = server;
        _listener.Start();

        // Ends with this; it never faults.
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>From now on nothing gets through on the connections there are, and neither side is told. New ones work.</summary>
    public void Swallow()
    {
        var swallowed = _swallowed;
        _swallowed = new CancellationTokenSource();
        swallowed.Cancel();
    }

    public void Dispose()
    {
        _ended.Cancel();
        _listener.Dispose();
        lock (_clients)
        {
            _clients.ForEach(client => client.Dispose());
        }
    }

    private async Task AcceptAsync()
    {
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_ended.Token);
                var server = new TcpClient();
                lock (_clients)
                {
                    _clients.AddRange([client, server]);
                }

                await server.ConnectAsync(IPAddress.Loopback, _server, _ended.Token);
                var swallowed = _swallowed.Token;
                _ = PumpAsync(client, server, swallowed);
                _ = PumpAsync(server, client, swallowed);
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The next one, or the end.
            }
        }
    }

    // Never faults. A swallowed connection stays open on both sides until the end.
    private static async Task PumpAsync(TcpClient from, TcpClient to, CancellationToken swallowed)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream(), swallowed);
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            if (!swallowed.IsCancellationRequested)
            {
                to.Dispose();
            }
        }
    }
}
