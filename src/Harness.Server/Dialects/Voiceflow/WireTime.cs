using System.Globalization;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>Times as the seed writes them: RFC 3339 in UTC.</summary>
internal static class WireTime
{
    /// <summary>With as many fractional digits as it has, up to seven: <c>2026-11-21T17:11:29.56051323Z</c>.</summary>
    public static string Precise(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>Whole seconds: <c>2026-11-21T17:11:29Z</c>.</summary>
    public static string Seconds(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
