using System.Net;
using Microsoft.Extensions.Options;

namespace Harness.Server.Safety;

/// <summary>
/// Which web pages may use the server: those it serves itself, those of this machine, and those of the configured origins. One policy
/// for REST, sockets and the hub. Thread-safe.
/// </summary>
internal sealed class OriginPolicy
{
    private readonly HashSet<string> _origins;
    private readonly HashSet<string> _hosts;
    private readonly bool _allowsAny;
    private readonly bool _guardsHost;

    /// <summary>Reads its options once.</summary>
    public OriginPolicy(IOptions<ServerOptions> options)
    {
        var server = options.Value;
        _origins = server.CorsOrigins.Select(origin => origin.TrimEnd('/')).ToHashSet(StringComparer.OrdinalIgnoreCase);
        _hosts = _origins.Select(HostOf).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        _allowsAny = _origins.Contains("*");
        _guardsHost = ListenAddress.IsLoopback(server) && server.ApiKeys.Length == 0;
        TellsOrigin = server.ApiKeys.Length > 0 || (_origins.Count > 0 && !_allowsAny);
    }

    /// <summary>Whether answers name the one origin they are for (<c>Vary: Origin</c>) instead of <c>*</c>.</summary>
    public bool TellsOrigin { get; }

    /// <summary>Whether an origin of the options can be that of a page, as browsers write it; or is <c>*</c>.</summary>
    public static bool IsUsable(string origin)
    {
        var trimmed = origin.TrimEnd('/');
        return trimmed is "*" or "null"
            || (UriOf(trimmed) is { HostNameType: UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6 } uri && !uri.Host.Contains('*')
                && uri.GetLeftPart(UriPartial.Authority).Equals(trimmed, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Whether the page that sends the request, if a page it is, may use the server.</summary>
    public bool IsAllowed(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || (IsPlain(origin) && (_allowsAny || _origins.Contains(origin) || IsSameOrigin(request)
            || (HostOf(origin) is { } host && Loopback.Names(host))));
    }

    /// <summary>Whether the request comes from a page of this server itself.</summary>
    public static bool IsSameOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        return origin.Equals($"http://{request.Host}", StringComparison.OrdinalIgnoreCase)
            || origin.Equals($"https://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// Whether the server may be called by the name in the Host header. A server for this machine only is not called by a name that
    /// someone else's DNS can point at it ("DNS rebinding").
    /// </summary>
    public bool IsHostAllowed(HttpRequest request)
    {
        var host = request.Host.Host;
        return !_guardsHost || _allowsAny || host.Length == 0
            || Loopback.Names(host) || IPAddress.TryParse(host, out _) || _hosts.Contains(host);
    }

    // Answers repeat it. Browsers write other letters of a name as xn--….
    private static bool IsPlain(string origin) => !origin.AsSpan().ContainsAnyExceptInRange(' ', '~');

    // Scripts write a slash or the usual port behind it, which browsers do not.
    private static string? HostOf(string origin) =>
        UriOf(origin) is { } uri && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) ? uri.Host : null;

    private static Uri? UriOf(string origin) =>
        IsPlain(origin) && Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0 ? uri : null;
}
