using System.Net.Mime;
using System.Text.Json.Nodes;
using Harness.Executions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.OpenApi;

namespace Harness.Server.Transports.Rest;

/// <summary>Executions over HTTP, whatever started them (PROTOCOL, "Server-sent events" and "REST beside the seed's routes").</summary>
internal static class ExecutionEndpoints
{
    private const string Json = "application/json; charset=utf-8";

    private const string ReasonExample = """{"reason":"wrong key"}""";

    private const string StartExample =
        """
        {"kind":"suite","labels":{"team":"shop"},"data":{"suite":{"name":"Example Suite","environment_name":"production","tests":[{"id":"test_1",
        "test":{"name":"Example test","interactions":[{"id":"test_1_1","user":{"type":"text","text":"hi"},
        "agent":{"validate":[{"type":"contains","value":"hello"}]}}]}}]}}}
        """;

    /// <summary>Adds the streams of events.</summary>
    public static IServiceCollection AddExecutionEndpoints(this IServiceCollection services) => services.AddSingleton<EventStreams>();

    /// <summary>Maps the routes.</summary>
    public static void MapExecutionEndpoints(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/v1/executions").WithTags("executions").AddEndpointFilter(AnswerRefusalAsync);

        api.MapGet("", ListAsync).WithSummary("Executions, the newest first; by status, kind and label.NAME, in pages by cursor and limit")
            .TakesQuery(
                ("status", JsonSchemaType.String, "pending, running, suspended, completed, failed or cancelled"),
                ("kind", JsonSchemaType.String, "suite, workflow, generation or synthetic"),
                ("cursor", JsonSchemaType.String, "next of the page before"),
                ("limit", JsonSchemaType.Integer, "Executions of one page: 1 to 500"))
            .Produces<JsonObject>().Produces<ErrorResponse>(400).Produces<ErrorResponse>(503);
        api.MapPost("", StartAsync).WithSummary("Start an execution of any kind").TakesObject(isRequired: true, StartExample)
            .Produces<JsonObject>(202).Produces<ErrorResponse>(400).Produces<ErrorResponse>(503);
        api.MapPost("/sweep", SweepAsync).WithSummary("Delete what need not be kept: keep_seconds, keep_count, keep_bytes")
            .TakesObject(isRequired: true, """{"keep_count":100000}""")
            .Produces<JsonObject>().Produces<ErrorResponse>(400).Produces<ErrorResponse>(503);
        api.MapPost("/cancel", CancelManyAsync).WithSummary("Cancel many executions, by ids or by filter, with a reason if there is one")
            .TakesObject(isRequired: true, """{"filter":{"status":"running","labels":{"team":"shop"}},"reason":"wrong key"}""")
            .Produces<JsonObject>().Produces<ErrorResponse>(400).Produces<ErrorResponse>(503);
        api.MapGet("/{id}", GetAsync).WithSummary("Where an execution stands, with all lines (logs=full), none (logs=none) or a page (from, limit)")
            .TakesQuery(
                ("logs", JsonSchemaType.String, "full or none"),
                ("from", JsonSchemaType.Integer, "The first event whose line is wanted"),
                ("limit", JsonSchemaType.Integer, "Lines of one page: 1 to 10,000"))
            .Produces<JsonObject>().Produces<ErrorResponse>(400).Produces<ErrorResponse>(404).Produces<ErrorResponse>(503);
        api.MapDelete("/{id}", DeleteAsync).WithSummary("Forget an execution that has ended")
            .Produces(204).Produces<ErrorResponse>(404).Produces<ErrorResponse>(409).Produces<ErrorResponse>(503);
        api.MapGet("/{id}/events", GetEventsAsync)
            .WithSummary("Events as they come (server-sent events), or a page of those there are (Accept: application/json)")
            .TakesQuery(
                ("from", JsonSchemaType.String, "The first event wanted, or now"),
                ("tail", JsonSchemaType.Integer, "So many of the newest; not with from"),
                ("epoch", JsonSchemaType.String, "Of the log that from counts in"),
                ("last_event_id", JsonSchemaType.String, "The last event the client has, as EPOCH-SEQ"),
                ("events", JsonSchemaType.Boolean, "Typed events too"),
                ("limit", JsonSchemaType.Integer, "Events of a page: 1 to 1,000"))
            .Produces<JsonObject>(200, MediaTypeNames.Text.EventStream, MediaTypeNames.Application.Json)
            .Produces(204).Produces<ErrorResponse>(400).Produces<ErrorResponse>(404).Produces<ErrorResponse>(503);
        api.MapPost("/{id}/cancel", CancelAsync).WithSummary("Cancel an execution, with a reason if there is one")
            .TakesObject(isRequired: false, ReasonExample)
            .Produces<JsonObject>()
            .Produces<ErrorResponse>(400).Produces<ErrorResponse>(404).Produces<ErrorResponse>(409).Produces<ErrorResponse>(503);
        api.MapPost("/{id}/suspend", SuspendAsync).WithSummary("Suspend an execution that can be suspended, with a reason if there is one")
            .TakesObject(isRequired: false, ReasonExample)
            .Produces<JsonObject>()
            .Produces<ErrorResponse>(400).Produces<ErrorResponse>(404).Produces<ErrorResponse>(409).Produces<ErrorResponse>(503);
        api.MapPost("/{id}/resume", ResumeAsync)
            .WithSummary("Resume a suspended execution, with data if it asks for them; with suspended_at from that suspension only")
            .TakesObject(isRequired: false, """{"data":{"approved":true}}""")
            .Produces<JsonObject>()
            .Produces<ErrorResponse>(400).Produces<ErrorResponse>(404).Produces<ErrorResponse>(409).Produces<ErrorResponse>(503);
    }

    private static async Task<FileContentHttpResult> ListAsync(
        HttpRequest request, ExecutionCommands commands, CancellationToken cancellationToken) =>
        TypedResults.Bytes(ListDocument.Of(await commands.ListAsync(EventQuery.ReadList(request), cancellationToken)), Json);

    private static async Task<IResult> StartAsync(HttpContext context, ExecutionCommands commands, CancellationToken cancellationToken)
    {
        var command = ExecuteCommand.Read(await RequestBody.ReadFieldsAsync(context.Request, cancellationToken));
        if (command.CancelsOnDisconnect)
        {
            throw CommandException.Field("on_disconnect", "continue: a request has no connection to end; use /ws");
        }

        var (execution, _) = await commands.StartAsync(command, cancellationToken);
        await execution.Stored.WaitAsync(cancellationToken);
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        context.Response.Headers.Location = $"/api/v1/executions/{execution.Id}";
        return TypedResults.Bytes(await execution.DescribeAsync(cancellationToken: cancellationToken), Json);
    }

    private static async Task<FileContentHttpResult> GetAsync(
        string id, HttpRequest request, ExecutionCommands commands, CancellationToken cancellationToken)
    {
        var execution = await commands.FindAsync(id, "status", cancellationToken);
        return TypedResults.Bytes(await execution.DescribeAsync(EventQuery.ReadLines(request.Query), cancellationToken), Json);
    }

    private static async Task<NoContent> DeleteAsync(string id, ExecutionCommands commands, CancellationToken cancellationToken)
    {
        await commands.RemoveAsync(id, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> CancelAsync(
        string id, HttpRequest request, ExecutionCommands commands, CancellationToken cancellationToken)
    {
        var command = CancelCommand.Read(await RequestBody.ReadFieldsAsync(request, cancellationToken), id);
        return TypedResults.Bytes((await commands.CancelAsync(command, cancellationToken)).DescribeNow(), Json);
    }

    private static async Task<IResult> SuspendAsync(
        string id, HttpRequest request, ExecutionCommands commands, CancellationToken cancellationToken)
    {
        var command = SuspendCommand.Read(await RequestBody.ReadFieldsAsync(request, cancellationToken));
        return TypedResults.Bytes((await commands.SuspendAsync(command with { Id = id }, cancellationToken)).DescribeNow(), Json);
    }

    private static async Task<IResult> ResumeAsync(
        string id, HttpRequest request, ExecutionCommands commands, CancellationToken cancellationToken)
    {
        var command = ResumeCommand.Read(await RequestBody.ReadFieldsAsync(request, cancellationToken));
        return TypedResults.Bytes((await commands.ResumeAsync(command with { Id = id }, cancellationToken)).DescribeNow(), Json);
    }

    private static async Task<FileContentHttpResult> CancelManyAsync(
        HttpRequest request, ExecutionCommands commands, CancellationToken cancellationToken)
    {
        var command = CancelCommand.Read(await RequestBody.ReadFieldsAsync(request, cancellationToken));
        return command.Ids is null && command.Filter is null
            ? throw new CommandException("ids or filter must say which; one is cancelled at /api/v1/executions/{id}/cancel", "invalid_field")
            : TypedResults.Bytes(ListDocument.Of(await commands.CancelManyAsync(command, cancellationToken)), Json);
    }

    private static async Task<IResult> SweepAsync(
        HttpRequest request, ExecutionCommands commands, TimeProvider time, CancellationToken cancellationToken)
    {
        var rule = SweepCommand.Read(await RequestBody.ReadFieldsAsync(request, cancellationToken), time.GetUtcNow());
        var outcome = await commands.SweepAsync(rule, cancellationToken);
        return TypedResults.Json(new SweepResponse(outcome.Deleted.Count, outcome.Trimmed.Count, outcome.Bytes));
    }

    private static async Task<IResult> GetEventsAsync(string id, HttpContext context, ExecutionCommands commands, EventStreams streams)
    {
        var request = context.Request;
        var execution = await commands.FindAsync(id, "events", context.RequestAborted);
        var command = EventQuery.ReadEvents(id, request, out var isResumed);
        if (WantsPage(request))
        {
            var limit = (int)(EventQuery.Whole(request.Query, "limit", 1, EventPage.MaxEvents) ?? EventPage.MaxEvents);
            return TypedResults.Bytes(await EventPage.ReadAsync(execution, command, limit, context.RequestAborted), Json);
        }

        // The one answer that keeps an EventSource from coming back.
        if (isResumed && SubscriptionStart.IsBehindTheEnd(execution, command))
        {
            return TypedResults.NoContent();
        }

        await streams.RunAsync(context, execution, command);
        return Results.Empty;
    }

    private static bool WantsPage(HttpRequest request)
    {
        var accept = request.Headers.Accept.ToString();
        return accept.Contains(MediaTypeNames.Application.Json, StringComparison.OrdinalIgnoreCase)
            && !accept.Contains(MediaTypeNames.Text.EventStream, StringComparison.OrdinalIgnoreCase);
    }

    private static async ValueTask<object?> AnswerRefusalAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (CommandException e)
        {
            var status = e.Code switch
            {
                "not_found" => StatusCodes.Status404NotFound,
                "not_running" or "running" or "not_suspended" => StatusCodes.Status409Conflict,
                "overloaded" => StatusCodes.Status503ServiceUnavailable,
                _ => StatusCodes.Status400BadRequest,
            };
            return ErrorResponse.Result(status, e.Code, e.Message);
        }
        catch (StoreException e)
        {
            return ErrorResponse.Result(StatusCodes.Status503ServiceUnavailable, CommandException.StoreFailed, e.Message);
        }
    }
}
