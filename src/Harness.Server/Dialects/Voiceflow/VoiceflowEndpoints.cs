using Harness.Executions;
using Harness.Server.Transports.Rest;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>The REST routes of the Voiceflow CLI's server (compat/voiceflow 1.1 to 1.3).</summary>
internal static class VoiceflowEndpoints
{
    /// <summary>Adds the kind <c>suite</c>.</summary>
    public static IServiceCollection AddVoiceflow(this IServiceCollection services) => services
        .AddSingleton<SuiteKind>()
        .AddSingleton<IExecutionKind>(provider => provider.GetRequiredService<SuiteKind>());

    /// <summary>Maps the routes.</summary>
    public static RouteGroupBuilder MapVoiceflow(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("");

        api.MapPost("/api/v1/tests/execute", ExecuteAsync).WithTags("tests").WithSummary("Start a test suite");
        api.MapGet("/api/v1/tests/status/{id}", GetStatusAsync).WithTags("tests").WithSummary("Status and log lines of an execution");
        api.MapPost("/api/v1/tests/cancel/{id}", CancelAsync).WithTags("tests").WithSummary("Cancel an execution");
        api.MapGet("/api/v1/system/info", SystemInfo.Get).WithTags("system").WithSummary("Version and platform of the server");
        api.MapGet("/health", Health.Get).WithTags("system").WithSummary("Whether the server is alive");
        api.MapGet("/health/ready", Health.GetReady).WithTags("system").WithSummary("Whether the server takes new executions");

        // Load balancers, and `wget --spider`, want no body.
        api.MapMethods("/health", [HttpMethods.Head], Health.Get).ExcludeFromDescription();
        api.MapMethods("/health/ready", [HttpMethods.Head], Health.GetReady).ExcludeFromDescription();
        return api;
    }

    private static async Task<IResult> ExecuteAsync(
        HttpRequest request, SuiteKind suites, ExecutionRegistry executions, CancellationToken cancellationToken)
    {
        ExecutionPlan plan;
        try
        {
            plan = suites.PlanRequest(TestExecutionInput.Parse(await RequestBody.ReadAsync(request, cancellationToken)));
        }
        catch (ExecutionInputException e)
        {
            return ErrorResponse.Result(StatusCodes.Status400BadRequest, "Invalid request", e.Message);
        }

        try
        {
            var execution = await executions.StartAsync(plan, cancellationToken);
            await execution.Stored.WaitAsync(cancellationToken);
            return TypedResults.Json(TestExecutionResponse.From(execution), statusCode: StatusCodes.Status202Accepted);
        }
        catch (Exception e) when (e is ExecutionInputException or StoreException)
        {
            return ErrorResponse.Result(StatusCodes.Status503ServiceUnavailable, "Cannot start test execution", e.Message);
        }
    }

    private static async Task<IResult> GetStatusAsync(string id, ExecutionRegistry executions, CancellationToken cancellationToken)
    {
        try
        {
            return await executions.FindAsync(id, cancellationToken) is { } execution
                ? Describe(await execution.DescribeAsync(cancellationToken: cancellationToken))
                : NotFound(id);
        }
        catch (StoreException e)
        {
            return ErrorResponse.Result(StatusCodes.Status503ServiceUnavailable, "Cannot read test execution", e.Message);
        }
    }

    private static async Task<IResult> CancelAsync(string id, ExecutionRegistry executions, CancellationToken cancellationToken)
    {
        try
        {
            if (await executions.FindAsync(id, cancellationToken) is not { } execution)
            {
                return NotFound(id);
            }

            return executions.TryCancel(execution)
                ? Describe(execution.DescribeNow())
                : CannotCancel(
                    StatusCodes.Status409Conflict, $"Test execution is not running (current status: {execution.DecidedStatus.ToWire()})");
        }
        catch (StoreException e)
        {
            return CannotCancel(StatusCodes.Status503ServiceUnavailable, e.Message);
        }
    }

    private static JsonHttpResult<ErrorResponse> CannotCancel(int statusCode, string message) =>
        ErrorResponse.Result(statusCode, "Cannot cancel test execution", message);

    private static FileContentHttpResult Describe(ReadOnlyMemory<byte> document) =>
        TypedResults.Bytes(document, "application/json; charset=utf-8");

    private static JsonHttpResult<ErrorResponse> NotFound(string id) => ErrorResponse.Result(
        StatusCodes.Status404NotFound, "Test execution not found", $"No test execution found with ID: {id}");
}
