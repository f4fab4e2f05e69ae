using System.Text.Json;
using Harness.Executions;
using Harness.Schemas;

namespace Harness.Workflows;

/// <summary>One execution of a workflow in this process: its body, called once for each stint.</summary>
internal sealed class WorkflowRun(Workflow workflow, WorkflowInput input, WorkflowProgress progress, WorkflowServices services)
{
    // What a step throws may be a whole document, and the event that has it must fit the log.
    private const int MaxErrorLength = 8 * 1024;

    private ExecutionLog? _log;
    private bool _isAnnounced;

    public WorkflowProgress Progress => progress;

    public WorkflowServices Services => services;

    public ExecutionLog Log => _log!;

    /// <summary>The workflow's body.</summary>
    public async Task<ExecutionResult> RunAsync(ExecutionLog log, ExecutionStint stint, CancellationToken stop)
    {
        _log = log;
        await BeginAsync(stint, stop);
        while (progress.Position < workflow.Steps.Count)
        {
            var step = workflow.Steps[progress.Position];
            if (stint.Suspending.IsCancellationRequested)
            {
                return await SuspendAsync(step.Id, stint.SuspendReason, default, isByStep: false, stop);
            }

            var (outcome, error) = await TryRunStepAsync(step, stint, stop);
            if (outcome is null)
            {
                return error is null
                    ? await SuspendAsync(InnermostOf(step), stint.SuspendReason, default, isByStep: false, stop)
                    : new ExecutionResult(ExecutionStatus.Failed, error);
            }

            if (outcome.Suspension is { } suspension)
            {
                return await SuspendAsync(suspension.StepId, suspension.Reason, suspension.Data, isByStep: true, stop);
            }
        }

        return End(progress.DataFor(workflow));
    }

    /// <summary>Says that it begins, or goes on, and with what, unless that is in the log.</summary>
    public async ValueTask AnnounceAsync(ExecutionLog log, ExecutionStint stint, CancellationToken stop)
    {
        _log = log;
        if (!progress.HasStarted)
        {
            _isAnnounced = true;
            await Log.WriteAsync($"Workflow {workflow.Name} has {workflow.Steps.Count} steps", stop);
            await EmitAsync(WorkflowEvents.Started, WorkflowEvents.Start(workflow, input), stop);
        }
        else if (stint.Resume is { } resume && progress.Suspension is { } suspension)
        {
            _isAnnounced = true;
            var step = workflow.FindStep(resume.At ?? suspension.StepId)!;
            await Log.WriteAsync($"Resumed at step {step.Id}", stop);
            await EmitAsync(
                WorkflowEvents.Resumed,
                WorkflowEvents.Step(step, workflow.IndexOf(step.Id), parent: null, "running", json => json.WriteValue("input", resume.Data)),
                stop);
        }
    }

    /// <summary>What the execution waits for, while it does.</summary>
    public ExecutionSuspension Describe(WorkflowSuspension suspension) => new()
    {
        At = suspension.At,
        Reason = suspension.Reason,
        Details = WorkflowJson.Write(json =>
        {
            json.WriteString("step", suspension.StepId);
            json.WriteNumber("step_index", suspension.StepIndex);
            json.WriteValue("data", suspension.Data);
        }),
        Check = resume => CheckResume(suspension, resume),
    };

    public async Task<StepOutcome> RunBranchAsync(
        WorkflowStep parent, IReadOnlyList<WorkflowStep> branch, JsonElement data, CancellationToken stop)
    {
        foreach (var step in branch)
        {
            var earlier = progress.OutputOf(step.Id);
            if (earlier.ValueKind == JsonValueKind.Undefined)
            {
                var outcome = await RunStepAsync(step, parent, data, stop);
                if (outcome.Suspension is not null)
                {
                    return outcome;
                }

                earlier = outcome.Output;
            }

            data = earlier;
        }

        return StepOutcome.Completed(data);
    }

    public async ValueTask EmitCustomAsync(WorkflowStep step, string name, JsonElement metadata, CancellationToken cancellationToken)
    {
        if (WorkflowEvents.IsOwn(name))
        {
            throw new ArgumentException($"'{name}' is an event of workflows themselves; choose another name", nameof(name));
        }

        var data = WorkflowEvents.Step(step, workflow.IndexOf(step.Id), parent: null, "running", json => json.WriteValue("metadata", metadata));
        await Log.EmitAsync(name, data, cancellationToken);
    }

    private async Task BeginAsync(ExecutionStint stint, CancellationToken stop)
    {
        await AnnounceAsync(Log, stint, stop);
        if (!_isAnnounced && progress.Position < workflow.Steps.Count)
        {
            await Log.WriteAsync($"The server was restarted; going on with step {workflow.Steps[progress.Position].Id}", stop);
        }
    }

    // No outcome and no error: somebody wants it suspended, and the step has stopped for that.
    private async Task<(StepOutcome? Outcome, string? Error)> TryRunStepAsync(WorkflowStep step, ExecutionStint stint, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, stint.Suspending);
        try
        {
            return (await RunStepAsync(step, parent: null, progress.DataFor(workflow), either.Token), null);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            stop.ThrowIfCancellationRequested();
            return (null, null);
        }
        catch (StepFailure failure)
        {
            return (null, failure.Message);
        }
    }

    private async Task<StepOutcome> RunStepAsync(WorkflowStep step, WorkflowStep? parent, JsonElement data, CancellationToken stop)
    {
        if (progress.ErrorOf(step.Id) is { } error)
        {
            // In the process before this one, which came no further.
            throw new StepFailure(step.Id, error);
        }

        // The step before it may not have looked at the token, and what this one does could not be taken back.
        stop.ThrowIfCancellationRequested();
        var index = workflow.IndexOf(step.Id);
        await Log.WriteAsync($"Step {step.Id}", stop);
        await EmitAsync(WorkflowEvents.StepStarted, WorkflowEvents.Step(step, index, parent, "running", json => json.WriteValue("input", data)), stop);
        StepOutcome outcome;
        try
        {
            outcome = await step.Run(new StepContext(this, step, data, progress.ResumeDataFor(step.Id)), stop);
            Check(step, outcome);
        }
        catch (Exception e) when (e is StepFailure || (e is OperationCanceledException && stop.IsCancellationRequested))
        {
            throw;
        }
        catch (Exception e)
        {
            throw await FailAsync(step, index, parent, e);
        }

        if (outcome.Suspension is null)
        {
            await CompleteAsync(step, index, parent, outcome);
        }

        return outcome;
    }

    // What a step did is kept although somebody wants the workflow suspended or cancelled meanwhile: it need not be done again.
    private async Task CompleteAsync(WorkflowStep step, int index, WorkflowStep? parent, StepOutcome outcome)
    {
        var state = progress.ChangedState();
        var data = WorkflowEvents.Step(step, index, parent, outcome.IsSkipped ? "skipped" : "success", json =>
        {
            json.WriteValue("output", outcome.Output);
            json.WriteValue("workflowState", state ?? default);
        });
        if (Refuse("What it gives", data, state) is { } problem)
        {
            throw await FailAsync(step, index, parent, new WorkflowException(problem));
        }

        await EmitAsync(WorkflowEvents.StepCompleted, data, CancellationToken.None);
        if (outcome.IsSkipped)
        {
            await Log.WriteAsync($"Step {step.Id} was skipped", CancellationToken.None);
        }
    }

    private async Task<StepFailure> FailAsync(WorkflowStep step, int index, WorkflowStep? parent, Exception cause)
    {
        var error = cause.Message.Length > MaxErrorLength ? $"{cause.Message.AsSpan(0, MaxErrorLength)}… [cut]" : cause.Message;
        await Log.WriteAsync($"Step {step.Id} failed: {error}", CancellationToken.None);
        await EmitAsync(
            WorkflowEvents.StepFailed,
            WorkflowEvents.Step(step, index, parent, "error", json => json.WriteString("error", error)),
            CancellationToken.None);
        return new StepFailure(step.Id, error, cause);
    }

    private void Check(WorkflowStep step, StepOutcome outcome)
    {
        var (value, schema, what) = outcome.Suspension is { } suspension
            ? (suspension.Data, suspension.Data.ValueKind == JsonValueKind.Undefined ? null : step.SuspendSchema ?? workflow.SuspendSchema, "suspendData")
            : (outcome.Output, null, "output");
        if (WorkflowJson.Refuse(value) is { } problem)
        {
            throw new WorkflowException($"Its {what} {problem}");
        }

        if (schema?.Validate(value, what) is { Count: > 0 } issues)
        {
            throw new WorkflowException(SchemaIssue.Join(issues));
        }
    }

    private void CheckResume(WorkflowSuspension suspension, ResumeRequest resume)
    {
        var step = workflow.FindStep(resume.At ?? suspension.StepId);
        var isTop = step is not null && workflow.Steps.Contains(step);
        if (step is null || (resume.At is not null && resume.At != suspension.StepId && !isTop))
        {
            throw new ExecutionInputException($"Step '{resume.At}' not found in workflow '{workflow.Id}'");
        }

        // One that was suspended from outside asks for nothing.
        var asks = suspension.IsByStep && step.Id == suspension.StepId;
        var schema = step.ResumeSchema ?? workflow.ResumeSchema;
        if (schema is not null && (asks || resume.Data.ValueKind != JsonValueKind.Undefined)
            && schema.Validate(resume.Data, "resumeData") is { Count: > 0 } issues)
        {
            throw new ExecutionInputException($"Invalid resume data: {SchemaIssue.Join(issues)}");
        }

        if (WorkflowJson.Refuse(resume.Data) is { } problem)
        {
            throw new ExecutionInputException($"Invalid resume data: resumeData {problem}");
        }
    }

    private async Task<ExecutionResult> SuspendAsync(string stepId, string? reason, JsonElement data, bool isByStep, CancellationToken stop)
    {
        var step = workflow.FindStep(stepId)!;

        // Each suspension has a millisecond of its own: a resume may name it by that.
        var (now, next) = (services.Time.GetUtcNow(), progress.LastSuspendedAt.AddMilliseconds(1));
        var at = now > next ? now : next;
        var state = isByStep ? progress.ChangedState() : null;
        var suspended = WorkflowEvents.Suspend(step, workflow.IndexOf(stepId), isByStep, reason, data, state, at);
        if (Refuse("What it hands out", suspended, state) is { } problem)
        {
            var failure = await FailAsync(step, workflow.IndexOf(stepId), parent: null, new WorkflowException(problem));
            return new ExecutionResult(ExecutionStatus.Failed, failure.Message);
        }

        await Log.WriteAsync($"Suspended at step {stepId}{(reason is null ? "" : $": {reason}")}", stop);
        await EmitAsync(WorkflowEvents.Suspended, suspended, stop);
        return new ExecutionResult(ExecutionStatus.Suspended) { Suspension = Describe(progress.Suspension!) };
    }

    // The value itself has been checked.
    private static string? Refuse(string value, ReadOnlyMemory<byte> data, JsonElement? state) =>
        state is { } changed && JsonDepth.Refuse(changed) is { } problem ? $"The workflow's state {problem}"
        : data.Length > LogEvent.MaxDataBytes ? $"{value} and the workflow's state have {data.Length} bytes together; {LogEvent.MaxDataBytes} are allowed"
        : null;

    // A step inside of others that was waiting for something goes on with what it was resumed with; else the outermost one begins again.
    private string InnermostOf(WorkflowStep step) =>
        Workflow.Flatten([step]).FirstOrDefault(inner => progress.IsResuming(inner.Id))?.Id ?? step.Id;

    private ExecutionResult End(JsonElement output)
    {
        if (workflow.ResultSchema?.Validate(output, "result") is { Count: > 0 } issues)
        {
            return new ExecutionResult(ExecutionStatus.Failed, $"The result is not what the workflow promises: {SchemaIssue.Join(issues)}");
        }

        return new ExecutionResult(ExecutionStatus.Completed) { Details = WorkflowJson.Write(json => json.WriteValue("output", output.OrNull())) };
    }

    private async ValueTask EmitAsync(string name, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        await Log.EmitAsync(name, data, cancellationToken);
        progress.Apply(name, JsonElement.Parse(data.Span, JsonDepth.Kept), services.Time.GetUtcNow());
    }

    /// <summary>A step has failed, and its event is in the log: steps it is inside of fail without a word of their own.</summary>
    private sealed class StepFailure(string step, string error, Exception? cause = null) : Exception($"Step '{step}' failed: {error}", cause);
}
