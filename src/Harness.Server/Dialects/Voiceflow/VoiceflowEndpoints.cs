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
        api.MapGet("/api/v1/tests/status/{id}", GetStatus).WithTags("tests").WithSummary("Status and log lines of an execution");
        api.MapPost("/api/v1/tests/cancel/{id}", Cancel).WithTags("tests").WithSummary("Cancel an execution");
        api.MapGet("/api/v1/system/info", SystemInfo.Get).WithTags("system").WithSummary("Version and platform of the server");
        api.MapGet("/health", Health.Get).WithTags("system").WithSummary("Whether the server is alive");
        api.MapGet("/health/ready", Health.GetReady).WithTags("system").WithSummary("Whether the server takes new executions");
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
            return TypedResults.Json(TestExecutionResponse.From(executions.Start(plan)), statusCode: StatusCodes.Status202Accepted);
        }
        catch (ExecutionInputException e)
        {
            return ErrorResponse.Result(StatusCodes.Status503ServiceUnavailable, "Cannot start test execution", e.Message);
        }
    }

    private static IResult GetStatus(string id, ExecutionRegistry executions) =>
        executions.TryFind(id, out var execution) ? Describe(execution) : NotFound(id);

    private static IResult Cancel(string id, ExecutionRegistry executions)
    {
        if (!executions.TryFind(id, out var execution))
        {
            return NotFound(id);
        }

        return executions.TryCancel(execution)
            ? Describe(execution)
            : ErrorResponse.Result(
                StatusCodes.Status409Conflict,
                "Cannot cancel test execution",
                $"Test execution is not running (current status: {execution.State.Status.ToWire()})");
    }

    private static FileContentHttpResult Describe(Execution execution) =>
        TypedResults.Bytes(execution.DescribeAsJson(), "application/json; charset=utf-8");

    private static JsonHttpResult<ErrorResponse> NotFound(string id) => ErrorResponse.Result(
        StatusCodes.Status404NotFound, "Test execution not found", $"No test execution found with ID: {id}");
}
