using System.Text.Json;
using Harness.Schemas;

namespace Harness.Workflows;

/// <summary>
/// Builds a <see cref="Workflow"/> in code, step by step; immutable, so that a beginning can be shared. A step that runs code is not
/// repeatable unless it says so (<see cref="Repeatable"/>).
/// </summary>
/// <typeparam name="TData">What the last step so far gives.</typeparam>
public sealed class WorkflowBuilder<TData>
{
    private readonly Workflow _workflow;
    private readonly IReadOnlyList<WorkflowStep> _steps;

    internal WorkflowBuilder(Workflow workflow, IReadOnlyList<WorkflowStep> steps) => (_workflow, _steps) = (workflow, steps);

    internal IReadOnlyList<WorkflowStep> Steps => _steps;

    /// <summary>Then runs a function.</summary>
    public WorkflowBuilder<TNext> AndThen<TNext>(string id, Func<TData, StepContext, CancellationToken, Task<TNext>> run) =>
        Add<TNext>(id, StepType.Function, async (context, stop) => Completed(await run(Read(context.Data), context, stop)));

    /// <summary>Then runs a function that can suspend: <c>return context.Suspend("why")</c>.</summary>
    public WorkflowBuilder<TNext> AndThen<TNext>(string id, Func<TData, StepContext, CancellationToken, Task<StepOutcome<TNext>>> run) =>
        Add<TNext>(id, StepType.Function, async (context, stop) => (await run(Read(context.Data), context, stop)).ToOutcome());

    /// <summary>Then runs a branch, if the condition holds; else the step is skipped and the data stay as they are.</summary>
    public WorkflowBuilder<TData> AndWhen(string id, Func<TData, bool> condition, Func<WorkflowBuilder<TData>, WorkflowBuilder<TData>> branch)
    {
        var steps = branch(Inside<TData>()).Steps;
        return Add<TData>(
            id,
            StepType.When,
            (context, stop) => condition(Read(context.Data))
                ? context.RunBranchAsync(steps, context.Data, stop)
                : Task.FromResult(StepOutcome.Skipped(context.Data)),
            [steps]);
    }

    /// <summary>Then runs branches at once and waits for all; gives what they gave, in their order.</summary>
    public WorkflowBuilder<IReadOnlyList<TNext>> AndAll<TNext>(string id, params Func<WorkflowBuilder<TData>, WorkflowBuilder<TNext>>[] branches)
    {
        IReadOnlyList<IReadOnlyList<WorkflowStep>> steps = [.. branches.Select(branch => branch(Inside<TData>()).Steps)];
        return Add<IReadOnlyList<TNext>>(id, StepType.All, (context, stop) => Branches.AllAsync(context, steps, stop), steps);
    }

    /// <summary>Then runs branches at once and gives what the first gave that ended; the others are cancelled.</summary>
    public WorkflowBuilder<TNext> AndRace<TNext>(string id, params Func<WorkflowBuilder<TData>, WorkflowBuilder<TNext>>[] branches)
    {
        IReadOnlyList<IReadOnlyList<WorkflowStep>> steps = [.. branches.Select(branch => branch(Inside<TData>()).Steps)];
        return Add<TNext>(id, StepType.Race, (context, stop) => Branches.RaceAsync(context, steps, stop), steps);
    }

    /// <summary>Then asks an agent; its answer is a text.</summary>
    /// <param name="id">The step's id.</param>
    /// <param name="agent">The agent's id.</param>
    /// <param name="prompt">What it is told.</param>
    public WorkflowBuilder<string> AndAgent(string id, string agent, Func<TData, string> prompt) =>
        Add<string>(id, StepType.Agent, (context, stop) => AgentStep.RunAsync(context, agent, prompt(Read(context.Data)), null, stop));

    /// <summary>Then asks an agent; its answer is a value of this type, and is held to its schema.</summary>
    /// <inheritdoc cref="AndAgent" path="/param"/>
    public WorkflowBuilder<TAnswer> AndAgent<TAnswer>(string id, string agent, Func<TData, string> prompt)
    {
        var schema = JsonSchema.Of(typeof(TAnswer), WorkflowJson.Options);
        return Add<TAnswer>(id, StepType.Agent, (context, stop) => AgentStep.RunAsync(context, agent, prompt(Read(context.Data)), schema, stop));
    }

    /// <summary>Then waits for a time, which goes on while the server is stopped; the data stay as they are.</summary>
    public WorkflowBuilder<TData> AndSleep(string id, TimeSpan time) =>
        Add<TData>(id, StepType.Sleep, (context, stop) => SleepStep.RunAsync(context, time, stop)).Repeatable();

    /// <summary>Says that the last step may run a second time without harm: it begins again when its process was killed meanwhile.</summary>
    public WorkflowBuilder<TData> Repeatable() => ChangeLast(step => step with { IsRepeatable = true });

    /// <summary>Gives the last step a name and a purpose for people.</summary>
    public WorkflowBuilder<TData> Named(string name, string? purpose = null) => ChangeLast(step => step with { Name = name, Purpose = purpose });

    /// <summary>Holds what the last step is resumed with to the schema of a type.</summary>
    public WorkflowBuilder<TData> ResumedWith<TResume>() =>
        ChangeLast(step => step with { ResumeSchema = JsonSchema.Of(typeof(TResume), WorkflowJson.Options) });

    /// <summary>Holds what the last step hands out when it suspends to the schema of a type.</summary>
    public WorkflowBuilder<TData> SuspendedWith<TSuspend>() =>
        ChangeLast(step => step with { SuspendSchema = JsonSchema.Of(typeof(TSuspend), WorkflowJson.Options) });

    /// <summary>The workflow. Its result is held to the schema of what the last step gives.</summary>
    /// <exception cref="ArgumentException">It has no steps, or two with the same id, or an id that cannot be one.</exception>
    public Workflow End() => (_workflow with { Steps = _steps, ResultSchema = JsonSchema.Of(typeof(TData), WorkflowJson.Options) }).Checked();

    private static TData Read(JsonElement data) => data.Deserialize<TData>(WorkflowJson.Options)!;

    private static StepOutcome Completed<T>(T output) => StepOutcome.Completed(JsonSerializer.SerializeToElement(output, WorkflowJson.Options));

    private WorkflowBuilder<T> Inside<T>() => new(_workflow, []);

    private WorkflowBuilder<TNext> Add<TNext>(string id, string type, StepBody run, IReadOnlyList<IReadOnlyList<WorkflowStep>>? branches = null) =>
        new(_workflow, [.. _steps, new WorkflowStep { Id = id, Type = type, Run = run, Branches = branches ?? [] }]);

    private WorkflowBuilder<TData> ChangeLast(Func<WorkflowStep, WorkflowStep> change) => _steps.Count == 0
        ? throw new InvalidOperationException("There is no step yet that this could be said of")
        : new(_workflow, [.. _steps.SkipLast(1), change(_steps[^1])]);
}
