using Harness.Executions;
using Harness.Generations;
using Harness.Server.Transports;
using Harness.Server.Transports.Rest;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.OpenApi;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>The routes of agents (VoltAgent Core API, "Key Endpoints"), and those that its users asked for: cancel, and attach.</summary>
internal static class AgentEndpoints
{
    /// <summary>What a request for an agent that is not there is told.</summary>
    public const string Unknown = "Agent not found";

    private const string UnknownExecution = "Execution not found";

    /// <summary>The header that names the execution of an answer.</summary>
    public const string ExecutionHeader = "X-Execution-Id";

    /// <summary>Adds the kind <c>generation</c>.</summary>
    public static IServiceCollection AddVoltAgentAgents(this IServiceCollection services) => services
        .AddSingleton<AgentRequests>()
        .AddSingleton<IExecutionKind, GenerationKind>();

    /// <summary>Maps the routes.</summary>
    public static void MapVoltAgentAgents(this IEndpointRouteBuilder routes)
    {
        var errors = routes.ServiceProvider.GetRequiredService<ApiErrors>();
        var api = routes.MapGroup("/agents").MayRefuse().AddEndpointFilter(errors);

        api.MapGet("", List).WithTags("Agent Management").WithSummary("List all agents").Answers<List<AgentSummary>>();
        api.MapGet("/{id}", Get).WithTags("Agent Management").WithSummary("One agent").Answers<AgentDetails>(404);
        api.MapGet("/{id}/history", GetHistoryAsync).WithTags("Agent Management")
            .WithSummary("Generations of an agent, the newest first, in pages").Answers<HistoryPage>(400, 404, 503)
            .TakesQuery(("page", JsonSchemaType.Integer, "From 0"), ("limit", JsonSchemaType.Integer, "Generations of one page: 1 to 100"));

        var generations = api.MapGroup("").WithTags("Agent Generation");
        generations.MapPost("/{id}/text", (string id, HttpContext context, AgentRequests agents) =>
                agents.AnswerAsync(id, context, isObject: false))
            .WithSummary("Generate text").DescribeGeneration(isObject: false);
        generations.MapPost("/{id}/object", (string id, HttpContext context, AgentRequests agents) =>
                agents.AnswerAsync(id, context, isObject: true))
            .WithSummary("Generate an object that fits a JSON schema").DescribeGeneration(isObject: true);
        generations.MapPost("/{id}/stream", (string id, HttpContext context, AgentRequests agents) =>
                agents.StreamAsync(id, context, isObject: false))
            .WithSummary("Generate text, piece by piece as server-sent events").DescribeStream(isObject: false);
        generations.MapPost("/{id}/stream-object", (string id, HttpContext context, AgentRequests agents) =>
                agents.StreamAsync(id, context, isObject: true))
            .WithSummary("Generate an object, as far as it has come, as server-sent events").DescribeStream(isObject: true);

        generations.MapPost("/{id}/executions/{executionId}/cancel", CancelAsync).WithSummary("Cancel a generation, with a reason if there is one")
            .Answers<CancelAnswer>(400, 404, 409, 413, 503).TakesReason();
        generations.MapGet("/{id}/executions/{executionId}/stream", AttachAsync)
            .WithSummary("Watch a generation from its beginning or after Last-Event-ID, also when it has ended")
            .Streams(400, 404, 503).Produces(StatusCodes.Status204NoContent)
            .TakesQuery(("fromSequence", JsonSchemaType.Integer, "Only events after this one, as Last-Event-ID"));
    }

    private static JsonHttpResult<ApiData<object>> List(AgentCatalog catalog, Generator generator) =>
        ApiEnvelope.Success<object>(catalog.Agents.Select(agent => AgentSummary.From(agent, catalog, generator)).ToList());

    private static IResult Get(string id, AgentCatalog catalog, Generator generator) => catalog.Find(id) is { } agent
        ? ApiEnvelope.Success<object>(new AgentDetails(AgentSummary.From(agent, catalog, generator), agent.Instructions, Generator.MaxStepsOf(agent)))
        : ApiEnvelope.Error(StatusCodes.Status404NotFound, Unknown);

    private static async Task<IResult> GetHistoryAsync(
        string id, HttpRequest request, AgentCatalog catalog, ExecutionRegistry executions, CancellationToken cancellationToken)
    {
        if (catalog.Find(id) is null)
        {
            return ApiEnvelope.Error(StatusCodes.Status404NotFound, Unknown);
        }

        var page = (int)(EventQuery.Whole(request.Query, "page", 0, 1_000_000) ?? 0);
        var limit = (int)(EventQuery.Whole(request.Query, "limit", 1, 100) ?? 10);
        return ApiEnvelope.Success<object>(await AgentHistory.ReadAsync(id, page, limit, executions, cancellationToken));
    }

    private static async Task<IResult> CancelAsync(
        string id, string executionId, HttpRequest request, ExecutionRegistry executions, CancellationToken cancellationToken)
    {
        var body = await ApiBody.ReadAsync(request, isOptional: true, cancellationToken);
        var reason = new CommandFields(body).Text("reason", CommandLimits.ReasonLength) is { Length: > 0 } text ? text : "API request";
        if (await FindAsync(id, executionId, executions, cancellationToken) is not { } execution)
        {
            return ApiEnvelope.Error(StatusCodes.Status404NotFound, UnknownExecution);
        }

        return executions.TryCancel(execution, reason: reason)
            ? ApiEnvelope.Success<object>(new CancelAnswer(
                execution.Id, execution.State.Status.ToWire(), HistoryEntry.Time(execution.State.CompletedAt!.Value), reason))
            : ApiEnvelope.Error(
                StatusCodes.Status409Conflict, $"Cannot cancel generation in {HistoryEntry.WordOf(execution.DecidedStatus)} state");
    }

    private static async Task<IResult> AttachAsync(
        string id, string executionId, HttpContext context, ExecutionRegistry executions, EventStreams streams)
    {
        if (await FindAsync(id, executionId, executions, context.RequestAborted) is not { } execution)
        {
            return ApiEnvelope.Error(StatusCodes.Status404NotFound, UnknownExecution);
        }

        var command = AttachQuery.Read(execution, context.Request);

        // The one answer that keeps an EventSource from coming back.
        if (SubscriptionStart.IsBehindTheEnd(execution, command))
        {
            return TypedResults.NoContent();
        }

        context.Response.Headers[ExecutionHeader] = execution.Id;
        await streams.RunAsync(context, execution, command, new GenerationText(execution, hasIds: true));
        return Results.Empty;
    }

    private static async Task<Execution?> FindAsync(
        string agent, string id, ExecutionRegistry executions, CancellationToken cancellationToken) =>
        await executions.FindAsync(id, cancellationToken) is { Request: { Kind: Generator.Kind } request } execution
            && request.Labels.GetValueOrDefault(Generator.AgentLabel) == agent
            ? execution
            : null;
}
