using System.Net;

namespace Harness.Server.Safety;

/// <summary>Names and addresses that only this machine can mean.</summary>
internal static class Loopback
{
    /// <summary>Whether a host, as it stands in a URL or a Host header without its port, is this machine.</summary>
    public static bool Names(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
