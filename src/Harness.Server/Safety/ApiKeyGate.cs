using System.Net.Http.Headers;
using Harness.Server.Swagger;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.WebUtilities;

namespace Harness.Server.Safety;

/// <summary>Lets a request through when it brings an API key, or when none is asked for. Health checks need none, nor do the files of pages.</summary>
internal sealed class ApiKeyGate(RequestDelegate next, ApiKeyRing keys)
{
    /// <summary>The header that has nothing but the key; <c>Authorization: Bearer</c> does as well.</summary>
    public const string HeaderName = "X-API-Key";

    private const string QueryName = "access_token";

    private static readonly ErrorResponse Refusal = new(
        "Unauthorized",
        $"This server asks for an API key. Send it as 'Authorization: Bearer KEY' or '{HeaderName}: KEY', or as '?{QueryName}=KEY' "
        + "where headers cannot be set, as in a browser's WebSocket or EventSource");

    /// <summary>Answers 401 without a key of the ring.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        // Also without keys: what a client sends as a key never stays where a log could find it.
        var fromQuery = TakeFromQuery(context.Request);
        if (keys.IsEmpty || IsHealthCheck(context.Request.Path) || IsPage(context) || Sent(context.Request, fromQuery).Any(keys.Accepts))
        {
            return next(context);
        }

        if (context.GetEndpoint()?.Metadata.GetMetadata<ClosesPagesWithoutKey>() is not null && context.Request.Headers.Origin.Count > 0)
        {
            context.Items[typeof(ClosesPagesWithoutKey)] = true;
            return next(context);
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return context.WriteErrorAsync(StatusCodes.Status401Unauthorized, Refusal);
    }

    /// <summary>Whether the request was let through without a key, for its endpoint to refuse it (<see cref="ClosesPagesWithoutKey"/>).</summary>
    public static bool IsToBeRefused(HttpContext context) => context.Items.ContainsKey(typeof(ClosesPagesWithoutKey));

    /// <summary>Whether it asks how the server is, which needs no key.</summary>
    public static bool IsHealthCheck(PathString path) =>
        path.Equals("/health") || path.Equals("/health/") || path.Equals("/health/ready");

    private static bool IsPage(HttpContext context) => context.GetEndpoint() is { } endpoint
        ? endpoint.Metadata.GetMetadata<NeedsNoKey>() is not null
        : SwaggerPages.IsPage(context.Request);

    private static IEnumerable<string> Sent(HttpRequest request, string? fromQuery)
    {
        if (AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header)
            && header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) && header.Parameter is not null)
        {
            yield return header.Parameter;
        }

        if (request.Headers[HeaderName] is [{ Length: > 0 } key])
        {
            yield return key;
        }

        if (!string.IsNullOrEmpty(fromQuery))
        {
            yield return fromQuery;
        }

        foreach (var offered in SocketProtocols.KeysOf(request))
        {
            yield return offered;
        }
    }

    private static string? TakeFromQuery(HttpRequest request)
    {
        if (!request.Query.TryGetValue(QueryName, out var values))
        {
            return null;
        }

        // Names that differ in case stay two: they may be labels.
        var others = new QueryBuilder();
        foreach (var pair in new QueryStringEnumerable(request.QueryString.Value))
        {
            var name = pair.DecodeName().ToString();
            if (!name.Equals(QueryName, StringComparison.OrdinalIgnoreCase))
            {
                others.Add(name, pair.DecodeValue().ToString());
            }
        }

        request.QueryString = others.ToQueryString();
        return values[^1];
    }
}

/// <summary>
/// Metadata of an endpoint that itself refuses web pages without a key: a page does not see the status of a refused handshake, and would
/// try again for ever. Such an endpoint asks <see cref="ApiKeyGate.IsToBeRefused"/>.
/// </summary>
internal sealed record ClosesPagesWithoutKey;
