using Harness.Executions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>The routes that watchdogs ask; they need no API key.</summary>
internal static class Health
{
    // Answers as long as the process does. Documentation comments would take the place of the routes' own summaries in OpenAPI documents.
    public static JsonHttpResult<HealthResponse> Get(TimeProvider time) =>
        TypedResults.Json(new HealthResponse("healthy", WireTime.Seconds(time.GetUtcNow())));

    // 200 while new executions are taken, else 503 with the reasons.
    public static JsonHttpResult<ReadyResponse> GetReady(EngineLifetime engine, ExecutionRegistry executions) =>
        engine.IsStopping ? NotReady("stopping", "The server is stopping: it takes no new executions and ends those that run")
        : executions.StoreProblem is { } problem ? NotReady("store_failed", problem)
        : TypedResults.Json(new ReadyResponse("ready", null));

    private static JsonHttpResult<ReadyResponse> NotReady(string status, string reason) =>
        TypedResults.Json(new ReadyResponse(status, [reason]), statusCode: StatusCodes.Status503ServiceUnavailable);
}
