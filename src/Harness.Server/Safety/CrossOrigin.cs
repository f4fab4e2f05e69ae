using System.Buffers;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Harness.Server.Safety;

/// <summary>Refuses pages of foreign origins and tells browsers what the others may do (compat/voiceflow 1.5).</summary>
internal sealed class CrossOrigin(RequestDelegate next, OriginPolicy policy, IOptions<ServerOptions> options)
{
    // What a header's name may be made of (RFC 9110, 5.6.2). Other characters would break the answer.
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly bool _answersBrowsers = options.Value.Cors;

    /// <summary>Answers preflights, marks answers, refuses with 403.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (!policy.IsHostAllowed(request))
        {
            var host = request.Host.Host;
            return RefuseAsync(context, "Host not allowed", $"This server listens only on its own machine and is not called '{host}'. "
                + $"Use localhost or an IP address, or start it with --cors-origin http://{host} or with --api-key");
        }

        if (!policy.IsAllowed(request) && context.GetEndpoint()?.Metadata.GetMetadata<ChecksOrigin>() is null)
        {
            return RefuseAsync(context, "Origin not allowed", $"Pages of '{request.Headers.Origin}' may not call this server. "
                + $"Start it with --cors-origin {request.Headers.Origin} to allow them");
        }

        if (request.Headers.Origin.Count == 0 || OriginPolicy.IsSameOrigin(request))
        {
            return next(context);
        }

        if (!_answersBrowsers)
        {
            return MayChange(context)
                ? RefuseAsync(context, "Origin not allowed", $"Pages of '{request.Headers.Origin}' may not call this server: it was started with --cors=false. "
                    + "Start it without that flag to allow them")
                : next(context);
        }

        if (HttpMethods.IsOptions(request.Method))
        {
            Allow(context);
            AnswerPreflight(context);
            return Task.CompletedTask;
        }

        // At the last moment, because an error handler clears the headers of the answer it replaces.
        context.Response.OnStarting(() =>
        {
            Allow(context);
            return Task.CompletedTask;
        });
        return next(context);
    }

    private void Allow(HttpContext context)
    {
        var headers = context.Response.Headers;
        var isForSignalR = IsForSignalR(context);
        headers.AccessControlAllowOrigin = policy.TellsOrigin || isForSignalR ? context.Request.Headers.Origin : "*";
        if (policy.TellsOrigin || isForSignalR)
        {
            headers.Append("Vary", "Origin");
        }

        if (isForSignalR)
        {
            headers.AccessControlAllowCredentials = "true";
        }

        if (headers.Location.Count > 0)
        {
            // Where what was started can be found.
            headers.Append(HeaderNames.AccessControlExposeHeaders, HeaderNames.Location);
        }
    }

    private static void AnswerPreflight(HttpContext context)
    {
        var headers = context.Response.Headers;
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        headers.AccessControlAllowMethods = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS";
        headers.AccessControlAllowHeaders = string.Join(',', AllowedHeaders(context));
        headers.AccessControlMaxAge = "43200";
    }

    // A simple POST needs no preflight: without its answer a page could still start and cancel.
    private static bool MayChange(HttpContext context) =>
        !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method) && !HttpMethods.IsOptions(context.Request.Method)
        && !HttpMethods.IsConnect(context.Request.Method) && context.GetEndpoint()?.Metadata.GetMetadata<ChecksOrigin>() is null;

    // Those that clients of the reference server know, and then whatever else the page wants to send: the server that it asks is open to it.
    private static IEnumerable<string> AllowedHeaders(HttpContext context)
    {
        string[] known = ["Origin", "Content-Length", "Content-Type", "Authorization", "X-API-Key"];
        string[] ofSignalR = IsForSignalR(context) ? ["X-Requested-With", "X-SignalR-User-Agent"] : [];
        var wanted = context.Request.Headers.AccessControlRequestHeaders.ToString()
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(name => !name.AsSpan().ContainsAnyExcept(NameCharacters));
        return known.Concat(ofSignalR).Concat(wanted).Distinct(StringComparer.OrdinalIgnoreCase);
    }

    private static bool IsForSignalR(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<SignalRClients>() is not null;

    private static Task RefuseAsync(HttpContext context, string error, string message) =>
        context.WriteErrorAsync(StatusCodes.Status403Forbidden, new ErrorResponse(error, message));
}

/// <summary>Metadata of an endpoint that asks the <see cref="OriginPolicy"/> itself, to refuse in its own protocol's way.</summary>
internal sealed record ChecksOrigin;

/// <summary>
/// Metadata of an endpoint for SignalR's own clients: in a browser they send credentials unless told otherwise, which a browser lets them
/// do only when the answer names their origin and says so, and two headers of their own. The server itself has no cookies.
/// </summary>
internal sealed record SignalRClients;
