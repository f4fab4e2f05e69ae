using Harness.Executions;
using Harness.Workflows;

namespace Harness.Server.Dialects.VoltAgent.Workflows;

/// <summary>Starts what a request asks for.</summary>
internal sealed class WorkflowStarter(WorkflowCatalog workflows, WorkflowKind kind, ExecutionRegistry executions)
{
    /// <summary>Starts a workflow, once the store has it.</summary>
    /// <exception cref="ApiException">There is no such workflow, or an execution with the wanted id already.</exception>
    /// <exception cref="ExecutionInputException">The input is not what the workflow takes, or the server takes nothing new.</exception>
    public async Task<Execution> StartAsync(string id, HttpRequest request, CancellationToken cancellationToken)
    {
        if (!workflows.TryFind(id, out var workflow))
        {
            throw ApiException.WorkflowNotFound();
        }

        var (input, executionId) = await WorkflowBody.ReadInputAsync(request, cancellationToken);
        var plan = kind.Plan(workflow, input);
        if (executionId is not null)
        {
            // In memory a second one is refused by the start itself; what has left memory only the store knows.
            plan = await executions.FindAsync(executionId, cancellationToken) is null
                ? plan with { Request = plan.Request with { Id = executionId } }
                : throw AlreadyExists(executionId);
        }

        try
        {
            var execution = await executions.StartAsync(plan, cancellationToken);
            await execution.Stored.WaitAsync(cancellationToken);
            return execution;
        }
        catch (ExecutionInputException e) when (!e.IsForNow && executionId is not null)
        {
            // Another start with this id came in between.
            throw AlreadyExists(executionId);
        }
    }

    private static ApiException AlreadyExists(string executionId) =>
        new(StatusCodes.Status409Conflict, $"Workflow execution {executionId} already exists");
}
