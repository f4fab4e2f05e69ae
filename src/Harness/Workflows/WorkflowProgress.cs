using System.Text.Json;
using System.Text.Json.Nodes;
using Harness.Executions;

namespace Harness.Workflows;

/// <summary>
/// How far a workflow has come: the sum of its events, the same whether they are read back from the log or happen now. Thread-safe, except
/// for <see cref="State"/>.
/// </summary>
public sealed class WorkflowProgress
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, JsonElement> _outputs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _errors = new(StringComparer.Ordinal);
    private readonly List<WorkflowStepRecord> _steps = [];
    private (string StepId, JsonElement Data, bool IsAnswer)? _resume;
    private string _knownState = "{}";
    private int _beforeJump;

    /// <summary>True when it has begun.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>What it was started with.</summary>
    public JsonElement Input { get; private set; }

    /// <summary>For whom; null: nobody was named.</summary>
    public string? UserId { get; private set; }

    /// <summary>In which conversation; null: none was named.</summary>
    public string? ConversationId { get; private set; }

    /// <summary>What was sent along for agents; undefined: nothing.</summary>
    public JsonElement UserContext { get; private set; }

    /// <summary>Values that all steps share.</summary>
    public JsonObject State { get; private set; } = [];

    /// <summary>Steps that have ended, without those inside of others: the place of the next one.</summary>
    public int Position { get; private set; }

    /// <summary>What it waits for, or has waited for last; null: it has not been suspended since it ran.</summary>
    public WorkflowSuspension? Suspension { get; private set; }

    /// <summary>When it was suspended last, to the millisecond; the least time there is: never.</summary>
    internal DateTimeOffset LastSuspendedAt { get; private set; }

    /// <summary>Everything that was begun, in the order it was begun; a step that ran twice is there twice.</summary>
    public IReadOnlyList<WorkflowStepRecord> Steps
    {
        get
        {
            lock (_gate)
            {
                return [.. _steps];
            }
        }
    }

    /// <summary>Adds up what the log of an execution has so far.</summary>
    /// <exception cref="StoreException">The store cannot be read now.</exception>
    /// <exception cref="ExecutionInputException">Its first events are no longer kept.</exception>
    public static async ValueTask<WorkflowProgress> ReadAsync(ExecutionLog log, CancellationToken cancellationToken)
    {
        var progress = new WorkflowProgress();
        await foreach (var json in log.ReadPresentAsync(1, cancellationToken))
        {
            if (LogEvent.Is(json.Span))
            {
                var frame = JsonElement.Parse(json.Span, JsonDepth.Kept);
                progress.Apply(frame.GetProperty("name").GetString()!, frame.GetProperty("data"), frame.GetProperty("ts").GetDateTimeOffset());
            }
            else if (json.Span.StartsWith("{\"type\":\"truncated\""u8))
            {
                throw new ExecutionInputException("its first events are no longer kept");
            }
        }

        return progress;
    }

    /// <summary>What a step gave; undefined: it has not ended.</summary>
    public JsonElement OutputOf(string stepId)
    {
        lock (_gate)
        {
            return _outputs.GetValueOrDefault(stepId);
        }
    }

    /// <summary>How a step failed that others go on without; null: it has not.</summary>
    internal string? ErrorOf(string stepId)
    {
        lock (_gate)
        {
            return _errors.GetValueOrDefault(stepId);
        }
    }

    /// <summary>Whether this step is to run with what the workflow was resumed with.</summary>
    internal bool IsResuming(string stepId)
    {
        lock (_gate)
        {
            return _resume?.StepId == stepId;
        }
    }

    /// <summary>Whether this step is to run with an answer: it was resumed with data, or with nothing after it had asked itself.</summary>
    internal bool IsAnswering(string stepId)
    {
        lock (_gate)
        {
            return _resume is { IsAnswer: true } resume && resume.StepId == stepId;
        }
    }

    /// <summary>What the step was resumed with; null: it was not resumed.</summary>
    internal JsonElement? ResumeDataFor(string stepId)
    {
        lock (_gate)
        {
            return _resume is var (id, data, _) && id == stepId ? data : null;
        }
    }

    /// <summary>What the next step is given.</summary>
    internal JsonElement DataFor(Workflow workflow)
    {
        lock (_gate)
        {
            // Steps that were jumped over have given nothing.
            var last = workflow.Steps.Take(Position).LastOrDefault(step => _outputs.ContainsKey(step.Id));
            return last is null ? Input : _outputs[last.Id];
        }
    }

    /// <summary>When a step that has not ended began first, since the workflow last went on at another step than where it stood.</summary>
    internal DateTimeOffset? StartedAt(string stepId)
    {
        lock (_gate)
        {
            var ended = _steps.FindLastIndex(step =>
                step.Id == stepId && step.Status is WorkflowStepStatus.Success or WorkflowStepStatus.Skipped or WorkflowStepStatus.Canceled);
            return _steps.Skip(Math.Max(ended + 1, _beforeJump)).FirstOrDefault(step => step.Id == stepId)?.StartedAt;
        }
    }

    /// <summary>Steps that have begun and not ended, without those that others are inside of.</summary>
    internal IReadOnlyList<string> RunningSteps(Workflow workflow)
    {
        lock (_gate)
        {
            return [.. _steps.Where(step => step.Status == WorkflowStepStatus.Running && workflow.FindStep(step.Id) is { Branches.Count: 0 })
                .Select(step => step.Id).Distinct()];
        }
    }

    /// <summary>The state as JSON if it has changed since the last event that had it; null: it has not.</summary>
    internal JsonElement? ChangedState()
    {
        var state = State.ToJsonString();
        return state == _knownState ? null : JsonElement.Parse(state, JsonDepth.Kept);
    }

    /// <summary>Adds one event. Names that are none of a workflow's own do not matter.</summary>
    internal void Apply(string name, JsonElement data, DateTimeOffset at)
    {
        lock (_gate)
        {
            switch (name)
            {
                case WorkflowEvents.Started:
                    Start(data);
                    break;
                case WorkflowEvents.StepStarted:
                    Begin(WorkflowStepRecord.Begin(data, at));
                    break;
                case WorkflowEvents.StepCompleted:
                    Complete(data, at);
                    break;
                case WorkflowEvents.StepFailed:
                    Fail(data.FindText("stepId")!, data.FindText("error")!, at);
                    break;
                case WorkflowEvents.Suspended:
                    Suspend(data);
                    break;
                case WorkflowEvents.Resumed:
                    Resume(data);
                    break;
                default:
                    break;
            }
        }
    }

    private void Start(JsonElement data)
    {
        var metadata = data.Member("metadata");
        (HasStarted, Input) = (true, data.Member("input"));
        (UserId, ConversationId, UserContext) = (metadata.FindText("userId"), metadata.FindText("conversationId"), metadata.Member("context"));
    }

    private void Begin(WorkflowStepRecord begun)
    {
        // One that runs anew was broken off before.
        End(begun.Id, step => step.Status == WorkflowStepStatus.Running ? step with { Status = WorkflowStepStatus.Suspended } : step);
        _steps.Add(begun);
    }

    private void Complete(JsonElement data, DateTimeOffset at)
    {
        var (id, output) = (data.FindText("stepId")!, data.Member("output"));
        _outputs[id] = output;
        var status = data.FindText("status") == "skipped" ? WorkflowStepStatus.Skipped : WorkflowStepStatus.Success;
        End(id, step => step with { Status = status, Output = output, EndedAt = at });
        BreakOffInside(id, at);
        if (data.TryGetProperty("workflowState", out var state))
        {
            SetState(state.GetRawText());
        }

        if (_resume?.StepId == id)
        {
            _resume = null;
        }

        if (data.FindText("parentStepId") is null)
        {
            Position = data.GetProperty("stepIndex").GetInt32() + 1;
        }
    }

    private void Fail(string id, string error, DateTimeOffset at)
    {
        _errors[id] = error;
        End(id, step => step with { Status = WorkflowStepStatus.Error, Error = error, EndedAt = at });
    }

    // The others of a race are over with it, wherever they stood.
    private void BreakOffInside(string id, DateTimeOffset at)
    {
        for (var i = 0; i < _steps.Count; i++)
        {
            if (_steps[i].ParentId == id && _steps[i].Status == WorkflowStepStatus.Running)
            {
                _steps[i] = _steps[i] with { Status = WorkflowStepStatus.Canceled, EndedAt = at };
                BreakOffInside(_steps[i].Id, at);
            }
        }
    }

    private void SetState(string json)
    {
        State = JsonNode.Parse(json, documentOptions: JsonDepth.Kept)!.AsObject();
        _knownState = State.ToJsonString();
    }

    private void Suspend(JsonElement data)
    {
        var (id, metadata) = (data.FindText("stepId")!, data.Member("metadata"));
        LastSuspendedAt = metadata.GetProperty("suspension").GetProperty("suspendedAt").GetDateTimeOffset();
        Suspension = new WorkflowSuspension(
            id, data.GetProperty("stepIndex").GetInt32(), metadata.FindText("reason"), metadata.Member("suspendData"), LastSuspendedAt, metadata.GetProperty("byStep").GetBoolean());
        if (Suspension.IsByStep)
        {
            _resume = null;
        }

        // What a step that was broken off has changed does not count: the next process would not know it either.
        SetState(data.TryGetProperty("workflowState", out var state) ? state.GetRawText() : _knownState);

        for (var i = 0; i < _steps.Count; i++)
        {
            if (_steps[i].Status == WorkflowStepStatus.Running)
            {
                _steps[i] = _steps[i] with { Status = WorkflowStepStatus.Suspended };
            }
        }
    }

    private void Resume(JsonElement data)
    {
        var index = data.GetProperty("stepIndex").GetInt32();
        var (id, input) = (data.FindText("stepId")!, data.Member("input"));
        var hasData = input.ValueKind != JsonValueKind.Undefined;
        if (hasData || _resume?.StepId != id)
        {
            // Else it was suspended from outside while it worked on what it had been resumed with, and still has that.
            _resume = (id, input, hasData || (Suspension is { IsByStep: true } asked && asked.StepId == id));
        }

        Suspension = null;

        if (index != Position)
        {
            // What comes from there on runs anew.
            foreach (var later in _steps.Where(step => step.Index >= index))
            {
                _outputs.Remove(later.Id);
                _errors.Remove(later.Id);
            }

            (Position, _beforeJump) = (index, _steps.Count);
        }
    }

    private void End(string id, Func<WorkflowStepRecord, WorkflowStepRecord> end)
    {
        if (_steps.FindLastIndex(step => step.Id == id) is var i and >= 0)
        {
            _steps[i] = end(_steps[i]);
        }
    }
}

/// <summary>What a workflow waits for.</summary>
/// <param name="StepId">The step that runs again when it is resumed.</param>
/// <param name="StepIndex">Its place, or that of the one it is inside of.</param>
/// <param name="Reason">Why, for people; null: nothing was said.</param>
/// <param name="Data">What whoever resumes it should know; undefined: nothing.</param>
/// <param name="At">Since when.</param>
/// <param name="IsByStep">True when the step wanted it; false: somebody did, from outside.</param>
public sealed record WorkflowSuspension(string StepId, int StepIndex, string? Reason, JsonElement Data, DateTimeOffset At, bool IsByStep);
