using System.Net;

namespace Harness.Agents;

/// <summary>Addresses that users give.</summary>
internal static class AgentUrl
{
    /// <summary>An absolute http or https URL without user name and password, so that it can be shown.</summary>
    /// <param name="text">What the user gave.</param>
    /// <param name="setting">Where, for the error; the address itself is not repeated, it may hold a secret.</param>
    /// <exception cref="AgentException">It is something else.</exception>
    public static Uri Parse(string text, string setting)
    {
        var good = Uri.TryCreate(text.Trim(), UriKind.Absolute, out var url)
            && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            && url.UserInfo.Length == 0
            && url.Host.Length > 0;
        return good ? url! : throw new AgentException(
            $"{setting} must be an absolute http or https URL without user name and password, such as https://example.com");
    }

    /// <summary>Whether what is sent there stays on this machine, whatever a name server says.</summary>
    public static bool IsLoopback(Uri url) =>
        url.IdnHost == "localhost" || (IPAddress.TryParse(url.IdnHost, out var address) && IPAddress.IsLoopback(address));

    /// <summary>The address without its query, for people.</summary>
    public static string Show(Uri url) => url.GetLeftPart(UriPartial.Path).TrimEnd('/');
}
