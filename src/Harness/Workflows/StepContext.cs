using System.Text.Json;
using System.Text.Json.Nodes;
using Harness.Executions;

namespace Harness.Workflows;

/// <summary>What a step can see and do while it runs. Thread-safe, except for <see cref="State"/>.</summary>
public sealed class StepContext
{
    private readonly WorkflowRun _run;
    private readonly WorkflowStep _step;

    internal StepContext(WorkflowRun run, WorkflowStep step, JsonElement data, JsonElement? resume) =>
        (_run, _step, Data, ResumeData) = (run, step, data, resume ?? default);

    /// <summary>What the step before gave; the input for the first one.</summary>
    public JsonElement Data { get; }

    /// <summary>What the workflow was started with.</summary>
    public JsonElement Input => _run.Progress.Input;

    /// <summary>What it was resumed with; undefined: it was not, or with nothing.</summary>
    public JsonElement ResumeData { get; }

    /// <summary>Whether this step was suspended and is running again.</summary>
    public bool IsResumed => _run.Progress.IsResuming(_step.Id);

    /// <summary>As <see cref="IsResumed"/>, and what it asked for has been answered: it had asked, or the answer came unasked.</summary>
    internal bool IsAnswered => _run.Progress.IsAnswering(_step.Id);

    /// <summary>Values that all steps share; kept when a step ends or suspends, and not when it is broken off. Steps that run at once must not change it.</summary>
    public JsonObject State => _run.Progress.State;

    /// <summary>For whom the workflow runs; null: nobody was named.</summary>
    public string? UserId => _run.Progress.UserId;

    /// <summary>In which conversation; null: none was named.</summary>
    public string? ConversationId => _run.Progress.ConversationId;

    /// <summary>What was sent along for agents; undefined: nothing.</summary>
    public JsonElement UserContext => _run.Progress.UserContext;

    /// <summary>When this step began for the first time: before a restart, or before it was suspended.</summary>
    public DateTimeOffset StartedAt => _run.Progress.StartedAt(_step.Id) ?? Time.GetUtcNow();

    /// <summary>The workflow's clock.</summary>
    public TimeProvider Time => _run.Services.Time;

    internal WorkflowServices Services => _run.Services;

    internal string StepId => _step.Id;

    /// <summary>What an earlier step gave; undefined: it has not ended.</summary>
    public JsonElement OutputOf(string stepId) => _run.Progress.OutputOf(stepId);

    /// <summary>What it was resumed with, as a value of the program; the default when there is none.</summary>
    public T? ResumedWith<T>() => ResumeData.ValueKind == JsonValueKind.Undefined ? default : ResumeData.Deserialize<T>(WorkflowJson.Options);

    /// <summary>Says that the step has to wait: <c>return context.Suspend("why")</c>. When it is resumed it runs again from its beginning.</summary>
    /// <param name="reason">Why, for people.</param>
    /// <param name="data">What whoever resumes it should know; null: nothing.</param>
    public StepSuspension Suspend(string? reason = null, object? data = null) =>
        new(_step.Id, reason, data is null ? default : JsonSerializer.SerializeToElement(data, WorkflowJson.Options));

    /// <summary>Writes a line into the execution's log.</summary>
    public ValueTask WriteAsync(string line, CancellationToken cancellationToken = default) => _run.Log.WriteAsync(line, cancellationToken);

    /// <summary>Tells whoever watches of something, as a typed event.</summary>
    /// <param name="name">As <see cref="ExecutionLog.EmitAsync"/> has it, and none that workflows have themselves.</param>
    /// <param name="metadata">What is told; null: nothing but the name.</param>
    /// <param name="cancellationToken">Ends the wait; the event is then not written.</param>
    /// <exception cref="ArgumentException">The name or the size is not allowed.</exception>
    public ValueTask EmitAsync(string name, object? metadata = null, CancellationToken cancellationToken = default) =>
        _run.EmitCustomAsync(_step, name, metadata is null ? default : JsonSerializer.SerializeToElement(metadata, WorkflowJson.Options), cancellationToken);

    /// <summary>Runs the steps of a branch one after another; those that have ended before are not run again.</summary>
    internal Task<StepOutcome> RunBranchAsync(IReadOnlyList<WorkflowStep> branch, JsonElement data, CancellationToken stop) =>
        _run.RunBranchAsync(_step, branch, data, stop);
}

/// <summary>What steps need of the host.</summary>
/// <param name="Time">The clock.</param>
/// <param name="Http">For <c>http</c> steps.</param>
/// <param name="Agent">For agent steps; null: there is none.</param>
internal sealed record WorkflowServices(TimeProvider Time, HttpClient Http, IWorkflowAgent? Agent);
