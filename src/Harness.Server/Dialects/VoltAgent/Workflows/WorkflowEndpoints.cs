using System.Globalization;
using Harness.Executions;
using Harness.Server.Transports;
using Harness.Server.Transports.Rest;
using Harness.Workflows;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.OpenApi;

namespace Harness.Server.Dialects.VoltAgent.Workflows;

/// <summary>The workflow routes (seed, "Workflow Endpoints"; compat/voltagent 1a, 1b, 2, 4 and 5).</summary>
internal static class WorkflowEndpoints
{
    /// <summary>Adds what the routes need.</summary>
    public static IServiceCollection AddVoltAgentWorkflows(this IServiceCollection services) =>
        services.AddSingleton<WorkflowLists>().AddSingleton<WorkflowStarter>();

    /// <summary>Maps the routes.</summary>
    public static void MapVoltAgentWorkflows(this IEndpointRouteBuilder routes)
    {
        var errors = routes.ServiceProvider.GetRequiredService<ApiErrors>();
        var api = routes.MapGroup("/workflows").WithTags("Workflows").MayRefuse().AddEndpointFilter(errors);
        api.MapGet("", List).WithSummary("All workflows").Answers<List<WorkflowItem>>();
        api.MapGet("/count", Count).WithSummary("How many workflows there are").Answers<CountAnswer>();
        api.MapGet("/executions", (HttpRequest request, WorkflowCatalog workflows, WorkflowLists lists, CancellationToken cancellationToken) =>
                ListExecutionsAsync(null, request, workflows, lists, cancellationToken))
            .WithSummary("Executions of workflows, the newest first").Answers<List<WorkflowRecord>>(400, 503).TakesFilter()
            .TakesQuery(("workflowId", JsonSchemaType.String, "Executions of this workflow only"));
        api.MapGet("/{id}", Get).WithSummary("A workflow with its steps and schemas").Answers<WorkflowDetails>(404);
        api.MapGet("/{id}/history", GetHistoryAsync).WithSummary("Executions of a workflow with their steps, in pages")
            .Answers<HistoryAnswer>(400, 404, 503).TakesPage();
        api.MapGet("/{id}/executions", ListExecutionsAsync).WithSummary("Executions of a workflow, the newest first")
            .Answers<List<WorkflowRecord>>(400, 404, 503).TakesFilter();
        api.MapPost("/{id}/execute", ExecuteAsync).WithSummary("Run a workflow until it ends or is suspended")
            .Answers<WorkflowAnswer>(400, 404, 409, 413, 503).TakesInput();
        api.MapPost("/{id}/stream", StreamAsync).WithSummary("Run a workflow and stream its events, across suspensions")
            .Streams(400, 404, 409, 413, 503).TakesInput().TakesUntil();

        var execution = api.MapGroup("/{id}/executions/{executionId}");
        execution.MapPost("/suspend", SuspendAsync).WithSummary("Suspend a running workflow")
            .Answers<SuspendAnswer>(400, 404, 413, 503).TakesReason();
        execution.MapPost("/resume", ResumeAsync).WithSummary("Resume a suspended workflow, and wait until it ends or is suspended again")
            .Answers<WorkflowAnswer>(400, 404, 409, 413, 503).TakesResumeData();
        execution.MapPost("/cancel", CancelAsync).WithSummary("Cancel a workflow, also a suspended one")
            .Answers<CancelAnswer>(400, 404, 409, 413, 503).TakesReason();
        execution.MapGet("/state", GetStateAsync).WithSummary("How far an execution has come").Answers<WorkflowRecord>(400, 404, 503);
        execution.MapGet("/stream", AttachAsync).WithSummary("Stream an execution's events from the first, or after Last-Event-ID")
            .Streams(400, 404, 503).Produces(StatusCodes.Status204NoContent).TakesUntil()
            .TakesQuery(("fromSequence", JsonSchemaType.Integer, "Only events after this one, as Last-Event-ID"));
    }

    private static JsonHttpResult<ApiData<List<WorkflowItem>>> List(WorkflowCatalog workflows) => ApiEnvelope.Success(workflows.All.Select(WorkflowItem.From).ToList());

    private static JsonHttpResult<ApiData<CountAnswer>> Count(WorkflowCatalog workflows) => ApiEnvelope.Success(new CountAnswer(workflows.All.Count));

    private static JsonHttpResult<ApiData<WorkflowDetails>> Get(string id, WorkflowCatalog workflows) => ApiEnvelope.Success(WorkflowDetails.From(Find(workflows, id)));

    private static async Task<IResult> ListExecutionsAsync(string? id, HttpRequest request, WorkflowCatalog workflows, WorkflowLists lists, CancellationToken cancellationToken)
    {
        _ = id is null ? null : Find(workflows, id);
        return ApiEnvelope.Success(await lists.ListAsync(request.Query, id, cancellationToken));
    }

    private static async Task<IResult> GetHistoryAsync(string id, HttpRequest request, WorkflowCatalog workflows, WorkflowLists lists, CancellationToken cancellationToken) =>
        ApiEnvelope.Success(await lists.HistoryAsync(Find(workflows, id).Id, request.Query, cancellationToken));

    private static async Task<IResult> ExecuteAsync(
        string id, HttpRequest request, WorkflowStarter starter, IHostApplicationLifetime host, CancellationToken cancellationToken)
    {
        var execution = await starter.StartAsync(id, request, cancellationToken);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, host.ApplicationStopping);
        return ApiEnvelope.Success(await WorkflowOutcome.WaitAsync(execution, from: 1, waiting.Token));
    }

    private static async Task<IResult> StreamAsync(string id, HttpContext context, WorkflowStarter starter, EventStreams streams)
    {
        var endsAtSuspension = EndsAtSuspension(context.Request);
        var execution = await starter.StartAsync(id, context.Request, context.RequestAborted);
        await RunStreamAsync(context, streams, execution, from: 1, endsAtSuspension);
        return Results.Empty;
    }

    private static async Task<IResult> AttachAsync(string id, string executionId, HttpContext context, ExecutionRegistry executions, EventStreams streams)
    {
        var execution = await FindAsync(executions, id, executionId, context.RequestAborted);
        var (from, endsAtSuspension) = (LastSeen(context.Request) + 1, EndsAtSuspension(context.Request));

        // The one answer that keeps an EventSource from coming back.
        if (from > execution.Log.LastSequence && execution.Log.IsSealed)
        {
            return TypedResults.NoContent();
        }

        await RunStreamAsync(context, streams, execution, from, endsAtSuspension);
        return Results.Empty;
    }

    private static async Task<IResult> SuspendAsync(
        string id, string executionId, HttpRequest request, ExecutionRegistry executions, CancellationToken cancellationToken)
    {
        var execution = await FindAsync(executions, id, executionId, cancellationToken);
        var reason = await WorkflowBody.ReadReasonAsync(request, cancellationToken);
        return await executions.SuspendAsync(execution, reason, cancellationToken) is { } suspension
            ? ApiEnvelope.Success(new SuspendAnswer(execution.Id, "suspended", new SuspendedSince(WireWords.Of(suspension.At), suspension.Reason)))
            : throw ApiException.BadRequest($"Cannot suspend workflow in {StatusForSuspend(execution)} state");
    }

    private static async Task<IResult> ResumeAsync(
        string id,
        string executionId,
        HttpRequest request,
        ExecutionRegistry executions,
        IHostApplicationLifetime host,
        CancellationToken cancellationToken)
    {
        var execution = await FindAsync(executions, id, executionId, cancellationToken);
        var resume = await WorkflowBody.ReadResumeAsync(request, cancellationToken);
        var from = execution.Log.LastSequence + 1;
        if (!executions.TryResume(execution, resume))
        {
            if (resume.SuspendedAt is not null && execution.DecidedStatus == ExecutionStatus.Suspended)
            {
                throw new ApiException(
                    StatusCodes.Status409Conflict, $"Execution {execution.Id} has been resumed, and is suspended for something else now; its state says for what");
            }

            throw new ApiException(
                StatusCodes.Status404NotFound, $"Execution {execution.Id} is not in suspended state. Current status: {StatusOf(execution)}");
        }

        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, host.ApplicationStopping);
        return ApiEnvelope.Success(await WorkflowOutcome.WaitAsync(execution, from, waiting.Token));
    }

    private static async Task<IResult> CancelAsync(
        string id, string executionId, HttpRequest request, ExecutionRegistry executions, CancellationToken cancellationToken)
    {
        var execution = await FindAsync(executions, id, executionId, cancellationToken);
        var reason = await WorkflowBody.ReadReasonAsync(request, cancellationToken);
        return executions.TryCancel(execution, reason: reason)
            ? ApiEnvelope.Success(new CancelAnswer(execution.Id, "cancelled", WireWords.Of(execution.State.CompletedAt!.Value), reason))
            : throw new ApiException(StatusCodes.Status409Conflict, $"Cannot cancel workflow in {StatusOf(execution)} state");
    }

    private static async Task<IResult> GetStateAsync(string id, string executionId, ExecutionRegistry executions, CancellationToken cancellationToken)
    {
        var execution = await FindAsync(executions, id, executionId, cancellationToken);
        return ApiEnvelope.Success(await WorkflowRecord.ReadAsync(execution, withSteps: true, cancellationToken));
    }

    private static Workflow Find(WorkflowCatalog workflows, string id) =>
        workflows.TryFind(id, out var workflow) ? workflow : throw ApiException.WorkflowNotFound();

    // An execution of another workflow is none of this one's.
    private static async Task<Execution> FindAsync(ExecutionRegistry executions, string id, string executionId, CancellationToken cancellationToken) =>
        await executions.FindAsync(executionId, cancellationToken) is { } execution && execution.Request.Facts.GetValueOrDefault(WorkflowKind.Fact) == id
            ? execution
            : throw ApiException.ExecutionNotFound();

    private static Task RunStreamAsync(HttpContext context, EventStreams streams, Execution execution, long from, bool endsAtSuspension) => streams.RunAsync(
        context,
        execution,
        new SubscribeCommand(execution.Id, from, Tail: null, execution.Epoch, Events: true),
        new WorkflowEventText(execution, endsAtSuspension));

    private static bool EndsAtSuspension(HttpRequest request) => request.Query["until"].ToString() switch
    {
        "" or "end" => false,
        "suspended" => true,
        _ => throw CommandException.Field("until", "end or suspended"),
    };

    private static long LastSeen(HttpRequest request)
    {
        var text = request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } header ? header : request.Query["fromSequence"].ToString();
        return text.Length == 0 ? 0
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) && sequence < long.MaxValue ? sequence
            : throw CommandException.Field("Last-Event-ID or fromSequence", "the id of an event: a whole number");
    }

    private static string StatusOf(Execution execution) => WireWords.Of(execution.DecidedStatus);

    // Only what runs can be suspended: "running" would be no reason.
    private static string StatusForSuspend(Execution execution) =>
        execution.DecidedStatus == ExecutionStatus.Pending ? ExecutionStatus.Pending.ToWire() : StatusOf(execution);
}
