using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Harness.Server;

/// <summary>What clients read when a request cannot be answered as asked.</summary>
internal static class ErrorAnswers
{
    /// <summary>Words what escapes a handler: the client's faults with their code, ours as 500 without details.</summary>
    public static void UseErrorAnswers(this WebApplication app)
    {
        app.Use(ReadOnAsync);
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = AnswerAsync,
            SuppressDiagnosticsCallback = context => context.Exception is BadHttpRequestException,
        });
    }

    /// <summary>
    /// Answers unknown routes and wrong methods with 404 <c>404 page not found</c>, and a trailing slash too many with a redirect, as the
    /// seed's server does (compat/voiceflow 1.1). An API with an <see cref="ErrorForm"/> keeps its codes, and gets them in that.
    /// </summary>
    public static void UsePageNotFound(this WebApplication app)
    {
        app.Use((context, next) => FindWithoutSlash(context) is { } location ? RedirectAsync(context, location) : next(context));
        app.UseStatusCodePages(context => AnswerEmptyAsync(context.HttpContext));
    }

    /// <summary>Refuses a request outside of its handler, in the form of the API it is for.</summary>
    public static Task WriteErrorAsync(this HttpContext context, int statusCode, ErrorResponse error)
    {
        context.Response.StatusCode = statusCode;
        var body = ErrorForm.Of(context)?.Write(error) ?? error;
        return context.Response.WriteAsJsonAsync(body, body.GetType(), context.RequestAborted);
    }

    // Who is still sending the body that was too long would see a broken connection, and no answer: the web server reads on and forgets, for
    // five seconds at most.
    private static async Task ReadOnAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        if (context.Response.StatusCode == StatusCodes.Status413PayloadTooLarge
            && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }
    }

    private static Task AnswerAsync(HttpContext context)
    {
        var exception = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var answer = exception switch
        {
            BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => new ErrorResponse(
                "Request too large", "The request body is longer than this server accepts (Harness:Server:MaxBodyBytes)"),
            BadHttpRequestException { StatusCode: StatusCodes.Status415UnsupportedMediaType } bad => new ErrorResponse("Unsupported media type", bad.Message),
            BadHttpRequestException bad => new ErrorResponse("Invalid request", bad.Message),
            _ => new ErrorResponse("Internal server error", $"The server's log has the details of request {context.TraceIdentifier}"),
        };
        return context.WriteErrorAsync((exception as BadHttpRequestException)?.StatusCode ?? StatusCodes.Status500InternalServerError, answer);
    }

    private static Task AnswerEmptyAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (ErrorForm.Of(context) is not null)
        {
            var reason = ReasonPhrases.GetReasonPhrase(response.StatusCode);
            return context.WriteErrorAsync(response.StatusCode, new ErrorResponse(reason, $"{reason}: {request.Method} {request.Path}"));
        }

        if (response.StatusCode is not (StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed))
        {
            return Task.CompletedTask;
        }

        response.StatusCode = StatusCodes.Status404NotFound;
        response.Headers.Allow = default;
        response.ContentType = "text/plain";
        return response.WriteAsync("404 page not found");
    }

    // The routes themselves do not mind the slash, and to one that takes the rest of the path it belongs; a route that other methods have
    // answers 405 and has no pattern.
    private static string? FindWithoutSlash(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        return path.Length > 1 && path.EndsWith('/')
            && context.GetEndpoint() is RouteEndpoint route && !route.RoutePattern.Parameters.Any(part => part.IsCatchAll)
            ? context.Request.PathBase.Add(new PathString(path.TrimEnd('/'))).ToUriComponent() + SentQuery(context)
            : null;
    }

    // With the key that was taken out of it: whoever is sent on brings it again.
    private static string SentQuery(HttpContext context) =>
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget is var target && target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var at
            ? target[at..]
            : "";

    private static Task RedirectAsync(HttpContext context, string location)
    {
        context.Response.StatusCode = HttpMethods.IsGet(context.Request.Method)
            ? StatusCodes.Status301MovedPermanently
            : StatusCodes.Status307TemporaryRedirect;
        context.Response.Headers.Location = location;
        return Task.CompletedTask;
    }
}
