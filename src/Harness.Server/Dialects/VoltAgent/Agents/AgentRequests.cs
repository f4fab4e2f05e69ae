using System.Text.Json;
using System.Text.Json.Nodes;
using Harness.Executions;
using Harness.Generations;
using Harness.Server.Transports;
using Harness.Server.Transports.Rest;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>Requests that make an agent generate.</summary>
internal sealed class AgentRequests(Generator generator, AgentCatalog catalog, ExecutionRegistry executions, EventStreams streams)
{
    /// <summary>Generates, and answers when it is done. A client that leaves cancels it.</summary>
    public async Task<IResult> AnswerAsync(string id, HttpContext context, bool isObject)
    {
        if (catalog.Find(id) is null)
        {
            return ApiEnvelope.Error(StatusCodes.Status404NotFound, AgentEndpoints.Unknown);
        }

        var input = GenerationInput.Read(id, await ApiBody.ReadAsync(context.Request, isOptional: false, context.RequestAborted), isObject);
        var execution = await StartAsync(context, generator.Plan(input.Request));
        using var leash = new Leash(context, execution, executions);
        var result = await execution.Completion.WaitAsync(context.RequestAborted);
        return execution.State.Status switch
        {
            ExecutionStatus.Completed => ApiEnvelope.Success<object>(Answer(execution, result, input)),
            ExecutionStatus.Canceled => ApiEnvelope.Error(
                StatusCodes.Status409Conflict, execution.State.CancelReason ?? "Operation cancelled by user"),
            _ => ApiEnvelope.Error(StatusCodes.Status500InternalServerError, execution.State.Error ?? "The generation failed"),
        };
    }

    /// <summary>Generates, and shows what comes. A client that leaves cancels it, unless it has said that it comes back.</summary>
    public async Task<IResult> StreamAsync(string id, HttpContext context, bool isObject)
    {
        if (catalog.Find(id) is null)
        {
            return ApiEnvelope.Error(StatusCodes.Status404NotFound, AgentEndpoints.Unknown);
        }

        var input = GenerationInput.Read(id, await ApiBody.ReadAsync(context.Request, isOptional: false, context.RequestAborted), isObject);
        var execution = await StartAsync(context, generator.Plan(input.Request));
        using var leash = input.IsResumable ? null : new Leash(context, execution, executions);
        var command = new SubscribeCommand(execution.Id, From: 1, Tail: null, Epoch: null, Events: true);
        try
        {
            await streams.RunAsync(context, execution, command, new GenerationText(execution, input.IsResumable));
        }
        catch (CommandException)
        {
            // Refused before the first byte: nobody is going to read what is generated.
            executions.TryCancel(execution);
            throw;
        }

        return Results.Empty;
    }

    private async Task<Execution> StartAsync(HttpContext context, ExecutionPlan plan)
    {
        try
        {
            var execution = await executions.StartAsync(plan, context.RequestAborted);
            context.Response.Headers[AgentEndpoints.ExecutionHeader] = execution.Id;
            context.Response.Headers.AccessControlExposeHeaders = AgentEndpoints.ExecutionHeader;
            return execution;
        }
        catch (ExecutionInputException e)
        {
            // Not the request is to blame, but how full the server is.
            throw new CommandException(e.Message, "overloaded");
        }
    }

    private static JsonObject Answer(Execution execution, ExecutionResult result, GenerationInput input)
    {
        var answer = JsonNode.Parse(result.Details.Span, documentOptions: JsonDepth.Kept)!.AsObject();
        answer.Remove("input");
        answer["executionId"] = execution.Id;
        if (input.Request.Settings.Context is { ValueKind: JsonValueKind.Object } context)
        {
            answer["userContext"] = JsonObject.Create(context);
        }

        return answer;
    }

    /// <summary>Cancels an execution when the client that asked for it leaves.</summary>
    private sealed class Leash : IDisposable
    {
        private readonly HttpContext _context;
        private readonly Execution _execution;
        private readonly ExecutionRegistry _executions;
        private readonly CancellationTokenRegistration _registration;

        public Leash(HttpContext context, Execution execution, ExecutionRegistry executions)
        {
            (_context, _execution, _executions) = (context, execution, executions);
            _registration = context.RequestAborted.UnsafeRegister(static leash => ((Leash)leash!).Pull(), this);
        }

        public void Dispose()
        {
            // What waited on the same token may have been told first, and be here before the registration was called.
            _registration.Dispose();
            if (_context.RequestAborted.IsCancellationRequested)
            {
                Pull();
            }
        }

        private void Pull() => _executions.TryCancel(_execution);
    }
}
