using System.Buffers.Text;
using System.Text;

namespace Harness.Server.Safety;

/// <summary>
/// What a client offers in <c>Sec-WebSocket-Protocol</c> (RFC 6455, 1.9). A browser's WebSocket sets no other header, and a key in an address ends up in the
/// logs of proxies: so it may bring one there, beside the subprotocol's own name.
/// </summary>
internal static class SocketProtocols
{
    /// <summary>The one subprotocol there is: the messages that <c>/ws</c> speaks in any case.</summary>
    public const string Name = "harness";

    private const string KeyPrefix = "harness.key.";

    /// <summary><see cref="Name"/> where it is offered, for the answer; else null. A key is never sent back.</summary>
    public static string? Choose(HttpRequest request) => Offered(request).Contains(Name, StringComparer.Ordinal) ? Name : null;

    /// <summary>The keys behind <c>harness.key.</c>, which are written there as UTF-8 in base64url without padding.</summary>
    public static IEnumerable<string> KeysOf(HttpRequest request) =>
        from offer in Offered(request)
        where offer.StartsWith(KeyPrefix, StringComparison.Ordinal) && Base64Url.IsValid(offer.AsSpan(KeyPrefix.Length))
        select Encoding.UTF8.GetString(Base64Url.DecodeFromChars(offer.AsSpan(KeyPrefix.Length)));

    private static string[] Offered(HttpRequest request) => request.Headers.GetCommaSeparatedValues("Sec-WebSocket-Protocol");
}
