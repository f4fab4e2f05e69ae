using System.Text.Json;
using Harness.Executions;
using Harness.Schemas;

namespace Harness.Workflows;

/// <summary>
/// The kind <c>workflow</c>: <c>{"workflow":ID,"input":…,"userId":…,"conversationId":…,"userContext":…}</c>. Its executions are event-sourced:
/// a suspended one goes on in the next process. One that ran when its process was killed goes on too, unless a step had begun and not ended
/// that may not run twice.
/// </summary>
public sealed class WorkflowKind : IRestorableKind
{
    /// <summary>The member of every status that says which workflow it is (<see cref="ExecutionRequest.Facts"/>).</summary>
    public const string Fact = "workflow";

    private readonly WorkflowCatalog _catalog;

    /// <summary>Runs what is in the catalog.</summary>
    public WorkflowKind(WorkflowCatalog catalog) => _catalog = catalog;

    /// <inheritdoc/>
    public string Name => "workflow";

    /// <inheritdoc/>
    public ExecutionPlan Plan(JsonElement data)
    {
        var id = data.FindText("workflow") ?? throw new ExecutionInputException("data.workflow must be the id of a workflow");
        return _catalog.TryFind(id, out var workflow)
            ? Plan(workflow, new WorkflowInput
            {
                Input = data.Member("input"),
                UserId = data.FindText("userId"),
                ConversationId = data.FindText("conversationId"),
                UserContext = data.Member("userContext"),
            })
            : throw new ExecutionInputException($"Workflow not found: {id}");
    }

    /// <summary>As the other, of a workflow that was found already.</summary>
    /// <exception cref="ExecutionInputException">The input is not what the workflow takes.</exception>
    public ExecutionPlan Plan(Workflow workflow, WorkflowInput input)
    {
        if (workflow.InputSchema?.Validate(input.Input, "input") is { Count: > 0 } issues)
        {
            throw new ExecutionInputException($"Invalid input: {SchemaIssue.Join(issues)}");
        }

        if ((WorkflowJson.Refuse(input.Input) ?? WorkflowJson.Refuse(input.UserContext)) is { } problem)
        {
            throw new ExecutionInputException($"Invalid input: what is sent {problem}");
        }

        if (WorkflowEvents.Start(workflow, input).Length > LogEvent.MaxDataBytes)
        {
            throw new ExecutionInputException("Invalid input: input and context are too large together");
        }

        var request = new ExecutionRequest
        {
            Kind = Name,
            Name = workflow.Name,
            Facts = new Dictionary<string, string> { [Fact] = workflow.Id },
        };
        var run = new WorkflowRun(workflow, input, new WorkflowProgress(), _catalog.Services);
        return new ExecutionPlan(request, run.RunAsync) { Announce = run.AnnounceAsync };
    }

    /// <inheritdoc/>
    public async ValueTask<Restoration> RestoreAsync(Execution execution, CancellationToken cancellationToken)
    {
        const string Stopped = "The server stopped while this workflow was running, and it cannot go on: ";
        var id = execution.Request.Facts.GetValueOrDefault(Fact) ?? "";
        if (!_catalog.TryFind(id, out var workflow))
        {
            return Restoration.Impossible($"{Stopped}there is no workflow '{id}' any more");
        }

        var progress = await WorkflowProgress.ReadAsync(execution.Log, cancellationToken);
        if (!progress.HasStarted)
        {
            return Restoration.Impossible($"{Stopped}it had not begun, and its input is not known");
        }

        if (progress.Steps.Any(step => workflow.IndexOf(step.Id) != step.Index))
        {
            return Restoration.Impossible($"{Stopped}the workflow '{id}' has other steps now");
        }

        var run = new WorkflowRun(workflow, new WorkflowInput { Input = progress.Input }, progress, _catalog.Services);
        if (progress.Suspension is { } suspension)
        {
            return Restoration.Suspended(run.RunAsync, run.Describe(suspension)) with { Announce = run.AnnounceAsync };
        }

        return progress.RunningSteps(workflow).FirstOrDefault(step => !workflow.FindStep(step)!.IsRepeatable) is { } step
            ? Restoration.Impossible($"{Stopped}step '{step}' had begun and may not run twice")
            : Restoration.Running(run.RunAsync) with { Announce = run.AnnounceAsync };
    }
}
