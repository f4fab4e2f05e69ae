using Harness.Executions;
using Harness.Server.Transports;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Harness.Server.Dialects.VoltAgent;

/// <summary>Puts everything that escapes a handler into the one envelope; what never comes to one is worded by <see cref="ErrorForm"/>.</summary>
internal sealed partial class ApiErrors(IHostApplicationLifetime host, ILogger<ApiErrors> logger) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (Exception e) when (!context.HttpContext.Response.HasStarted && !context.HttpContext.RequestAborted.IsCancellationRequested)
        {
            return Answer(e);
        }
    }

    private JsonHttpResult<ApiError> Answer(Exception exception)
    {
        switch (exception)
        {
            case ApiException refusal:
                return ApiEnvelope.Error(refusal.Status, refusal.Message);
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return ApiEnvelope.Error(413, "The request body is longer than this server accepts (Harness:Server:MaxBodyBytes)");
            case BadHttpRequestException bad:
                return ApiEnvelope.Error(bad.StatusCode, bad.Message);
            case OperationCanceledException when host.ApplicationStopping.IsCancellationRequested:
                return ApiEnvelope.Error(
                    StatusCodes.Status503ServiceUnavailable, "The server is stopping; the execution can be found when it is back");
            case ExecutionInputException { IsForNow: true }:
                return ApiEnvelope.Error(StatusCodes.Status503ServiceUnavailable, exception.Message);
            case ExecutionInputException:
                return ApiEnvelope.Error(StatusCodes.Status400BadRequest, exception.Message);
            case CommandException { Code: "overloaded" } or StoreException:
                return ApiEnvelope.Error(StatusCodes.Status503ServiceUnavailable, exception.Message);
            case CommandException:
                return ApiEnvelope.Error(StatusCodes.Status400BadRequest, exception.Message);
            default:
                LogFailed(exception);
                return ApiEnvelope.Error(StatusCodes.Status500InternalServerError, "Internal server error; the server's log has the details");
        }
    }

    [LoggerMessage(1, LogLevel.Error, "A request could not be answered")]
    private partial void LogFailed(Exception exception);
}
