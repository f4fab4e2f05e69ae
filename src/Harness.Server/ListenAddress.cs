using System.Net;
using System.Net.Sockets;
using Harness.Server.Safety;

namespace Harness.Server;

/// <summary>Where the server listens.</summary>
internal static class ListenAddress
{
    /// <summary>The host to listen on: what the options say, else loopback unless there are API keys.</summary>
    public static string HostOf(ServerOptions options) =>
        !string.IsNullOrEmpty(options.Host) ? options.Host : options.ApiKeys.Length > 0 ? "0.0.0.0" : "127.0.0.1";

    /// <summary>Whether only this machine can connect.</summary>
    public static bool IsLoopback(ServerOptions options) => Loopback.Names(HostOf(options));

    /// <summary>The address to bind.</summary>
    /// <exception cref="ServerStartException">The host has no address.</exception>
    public static IPAddress Resolve(ServerOptions options)
    {
        var host = HostOf(options);
        if (host == "*")
        {
            return IPAddress.Any;
        }

        if (Loopback.Names(host) && !IPAddress.TryParse(host, out _))
        {
            return IPAddress.Loopback;
        }

        try
        {
            return IPAddress.TryParse(host, out var address) ? address : Dns.GetHostAddresses(host)[0];
        }
        catch (SocketException e)
        {
            throw new ServerStartException(
                $"Host '{host}' has no address; choose an address of this machine with --host, or 127.0.0.1", e);
        }
    }
}
