using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Harness.Server.Tests.Clients;

/// <summary>
/// A bad network before a server: each of the first connections is cut after so many bytes have come from the server, wherever in a frame
/// that is; later ones are left alone.
/// </summary>
internal sealed class FlakyProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Uri _server;
    private readonly Queue<int> _cuts;
    private readonly Task _accepting;

    /// <param name="server">What is behind it.</param>
    /// <param name="cuts">Bytes that each of the first connections lets through; 0 drops it at once.</param>
    public FlakyProxy(Uri server, params int[] cuts)
    {
        (_server, _cuts) = (server, new Queue<int>(cuts));
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where clients go instead of to the server.</summary>
    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Connections that were to be cut and have not come yet.</summary>
    public int CutsLeft => _cuts.Count;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                connections.Add(ServeAsync(client, _cuts.TryDequeue(out var bytes) ? bytes : long.MaxValue));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(Socket client, long bytes)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using (client)
        {
            // Closing without lingering is what a lost connection looks like: a reset, and nothing that was on its way.
            client.LingerState = new LingerOption(bytes != long.MaxValue, 0);
            try
            {
                await server.ConnectAsync(_server.Host, _server.Port, _stop.Token);
                await Task.WhenAny(CopyAsync(client, server, long.MaxValue), CopyAsync(server, client, bytes));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // The end of the test, or of the server.
            }
        }
    }

    /// <summary>Never faults: an end is an end.</summary>
    private async Task CopyAsync(Socket from, Socket to, long bytes)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            while (bytes > 0)
            {
                var count = (int)Math.Min(bytes, await from.ReceiveAsync(buffer, _stop.Token));
                if (count == 0)
                {
                    return;
                }

                await to.SendAsync(buffer.AsMemory(0, count), _stop.Token);
                bytes -= count;
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The other direction has ended.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
