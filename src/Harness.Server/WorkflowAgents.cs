using System.Text.Json;
using Harness.Executions;
using Harness.Generations;
using Harness.Workflows;

namespace Harness.Server;

/// <summary>
/// Lets agent steps of workflows ask the agents that are called by name. What an agent answers is an execution of its own, which anyone can
/// watch; it runs on the workflow's place.
/// </summary>
internal sealed class WorkflowAgents(Generator generator, ExecutionRegistry executions) : IWorkflowAgent
{
    public async Task<JsonElement> AskAsync(WorkflowQuestion question, CancellationToken cancellationToken)
    {
        var execution = Start(question);
        ExecutionResult result;
        await using (cancellationToken.Register(() => executions.TryCancel(execution, reason: "The workflow that asked goes no further")))
        {
            result = await execution.Completion;
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (result.Status != ExecutionStatus.Completed)
        {
            throw new WorkflowException(
                result.Error ?? $"Agent '{question.Agent}' gave no answer: its execution {execution.Id} was {result.Status.ToWire()}");
        }

        var details = JsonElement.Parse(result.Details.Span, JsonDepth.Kept);
        return details.GetProperty(question.Schema is null ? "text" : "object");
    }

    private Execution Start(WorkflowQuestion question)
    {
        try
        {
            return executions.StartInside(generator.Plan(new GenerationRequest(question.Agent, [new ChatMessage("user", question.Prompt)])
            {
                Schema = question.Schema,
                UserId = question.UserId,
                ConversationId = question.ConversationId,
                Settings = new GenerationSettings { Context = question.UserContext },
            }));
        }
        catch (ExecutionInputException e)
        {
            throw new WorkflowException(e.Message, e);
        }
    }
}
