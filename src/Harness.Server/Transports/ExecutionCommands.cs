using Harness.Executions;

namespace Harness.Server.Transports;

/// <summary>
/// What clients can ask of executions, the same on every transport: a transport reads a command, calls one of these, and words the answer or
/// the <see cref="CommandException"/>. Thread-safe, one for all.
/// </summary>
internal sealed partial class ExecutionCommands
{
    private const string DefaultKind = "suite";

    private readonly ExecutionRegistry _executions;
    private readonly Dictionary<string, IExecutionKind> _kinds;

    public ExecutionCommands(ExecutionRegistry executions, IEnumerable<IExecutionKind> kinds)
    {
        _executions = executions;
        _kinds = kinds.ToDictionary(kind => kind.Name, StringComparer.Ordinal);
    }

    /// <summary>
    /// Starts an execution and returns at once. With a key that a retained execution has, that one is given back, whatever else the command
    /// says.
    /// </summary>
    /// <param name="command">What to start.</param>
    /// <param name="cancellationToken">Ends the wait for the store, which is asked for keys that memory does not know.</param>
    /// <returns>The execution, and whether it is new: false when an earlier one is given back.</returns>
    /// <exception cref="CommandException">The kind is unknown, the data cannot be executed, or the server takes nothing new.</exception>
    public async ValueTask<(Execution Execution, bool IsNew)> StartAsync(ExecuteCommand command, CancellationToken cancellationToken)
    {
        if (!_kinds.TryGetValue(command.Kind.Length == 0 ? DefaultKind : command.Kind, out var kind))
        {
            throw new CommandException(
                $"Unknown kind: {command.Kind}. Supported kinds: {string.Join(", ", _kinds.Keys.Order(StringComparer.Ordinal))}", "unknown_kind");
        }

        if (command.IdempotencyKey is { } key && await _executions.FindByKeyAsync(key, cancellationToken) is { } earlier)
        {
            return (earlier, false);
        }

        var plan = Plan(kind, command);
        try
        {
            var execution = _executions.Start(plan);
            return (execution, ReferenceEquals(execution.Request, plan.Request));
        }
        catch (ExecutionInputException e)
        {
            throw new CommandException(e.Message, "overloaded");
        }
    }

    /// <summary>The execution with this id.</summary>
    /// <param name="id">The id; empty is an error of its own.</param>
    /// <param name="action">What was asked, for that error.</param>
    /// <param name="cancellationToken">Ends the wait for the store, which is asked for what is not in memory.</param>
    /// <exception cref="CommandException">None is named, or there is none.</exception>
    public async ValueTask<Execution> FindAsync(string id, string action, CancellationToken cancellationToken)
    {
        if (id.Length == 0)
        {
            throw new CommandException($"Missing execution id for {action} action", "missing_id");
        }

        return await _executions.FindAsync(id, cancellationToken) ?? throw NotFound(id);
    }

    /// <summary>Cancels one execution.</summary>
    /// <param name="command">Which, and why.</param>
    /// <param name="cancellationToken">As in <see cref="FindAsync"/>.</param>
    /// <param name="claimed">Called when it is cancelled, before its body hears of it: an answer given here comes before what that causes.</param>
    /// <returns>The execution; its state is <see cref="ExecutionStatus.Canceled"/>.</returns>
    /// <exception cref="CommandException">There is none, or it had ended.</exception>
    public async ValueTask<Execution> CancelAsync(
        CancelCommand command, CancellationToken cancellationToken, Action<Execution>? claimed = null)
    {
        var execution = await FindAsync(command.Id, "cancel", cancellationToken);
        return _executions.TryCancel(execution, () => claimed?.Invoke(execution), command.Reason) ? execution : throw NotRunning(execution);
    }

    /// <summary>Cancels those named and all that match, and says of those named that could not be cancelled why.</summary>
    /// <param name="command">Which, and why.</param>
    /// <param name="cancellationToken">As in <see cref="FindAsync"/>.</param>
    /// <param name="claimed">As in <see cref="CancelAsync"/>; always called, once.</param>
    public async ValueTask<CancelOutcome> CancelManyAsync(
        CancelCommand command, CancellationToken cancellationToken, Action<CancelOutcome>? claimed = null)
    {
        var (found, refusals) = (new List<Execution>(), new List<CommandException>());
        foreach (var id in command.Ids ?? [])
        {
            if (await _executions.FindAsync(id, cancellationToken) is { } execution)
            {
                found.Add(execution);
            }
            else
            {
                refusals.Add(NotFound(id));
            }
        }

        var matching = command.Filter is { } filter ? _executions.List().Where(filter.Matches) : [];
        CancelOutcome? outcome = null;
        _executions.Cancel([.. found.Union(matching)], Tell, command.Reason);
        if (outcome is null)
        {
            Tell([]);
        }

        return outcome!;

        void Tell(IReadOnlyList<Execution> cancelled)
        {
            outcome = new CancelOutcome(cancelled, [.. refusals, .. found.Except(cancelled).Select(NotRunning)]);
            claimed?.Invoke(outcome);
        }
    }

    /// <summary>Cancels those of these executions that have not ended.</summary>
    public void CancelAll(IReadOnlyList<Execution> executions, string reason)
    {
        if (executions.Count > 0)
        {
            _executions.Cancel(executions, reason: reason);
        }
    }

    /// <summary>A page of the executions there are.</summary>
    /// <exception cref="CommandException">The cursor is none of this server's.</exception>
    public async ValueTask<ExecutionPage> ListAsync(ListCommand command, CancellationToken cancellationToken)
    {
        try
        {
            return await _executions.ListAsync(command.Filter with { WithoutDetails = true }, command.Cursor, command.Limit, cancellationToken);
        }
        catch (ExecutionInputException e)
        {
            throw new CommandException(e.Message, "invalid_cursor");
        }
    }

    /// <summary>Forgets an execution that has ended.</summary>
    /// <exception cref="CommandException">There is none, or it has not ended.</exception>
    public async Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        var execution = await FindAsync(id, "delete", cancellationToken);
        if (execution.Log.IsSealed)
        {
            // Its result can be read a moment before the registry has closed the book on it.
            await execution.Completion.WaitAsync(cancellationToken);
        }

        if (!await _executions.RemoveAsync(execution, cancellationToken))
        {
            throw execution.Completion.IsCompleted
                ? NotFound(id)
                : new CommandException($"Cannot delete: execution has not ended (current status: {execution.State.Status.ToWire()})", "running", id);
        }
    }

    /// <summary>Deletes what need not be kept.</summary>
    /// <exception cref="CommandException">There is no store: memory goes by its own limits.</exception>
    public Task<SweepOutcome> SweepAsync(RetentionRule rule, CancellationToken cancellationToken) => _executions.IsPersistent
        ? _executions.SweepAsync(rule, cancellationToken)
        : throw new CommandException("This server keeps executions in memory only, by its own limits: there is nothing to sweep", "no_store");

    private static ExecutionPlan Plan(IExecutionKind kind, ExecuteCommand command)
    {
        try
        {
            var plan = kind.Plan(command.Data);
            var limit = command.TimeLimit is { } wish && !(plan.Request.TimeLimit < wish) ? wish : plan.Request.TimeLimit;
            return plan with
            {
                Request = plan.Request with
                {
                    IdempotencyKey = command.IdempotencyKey,
                    // What the kind labels its executions with is how they are found again: a client cannot take it away.
                    Labels = command.Labels.Concat(plan.Request.Labels).GroupBy(label => label.Key)
                        .ToDictionary(label => label.Key, label => label.Last().Value),
                    TimeLimit = limit,
                },
            };
        }
        catch (ExecutionInputException e)
        {
            throw new CommandException($"Invalid execute payload: {e.Message}", "invalid_payload");
        }
    }

    private static CommandException NotFound(string id) => new($"Test execution not found: {id}", "not_found", id);

    private static CommandException NotRunning(Execution execution) => new(
        $"Cannot cancel: execution is not running (current status: {execution.DecidedStatus.ToWire()})", "not_running", execution.Id);
}

/// <summary>What became of a cancel of many.</summary>
/// <param name="Cancelled">Those that had not ended and are cancelled now.</param>
/// <param name="Refused">Those named that do not exist or had ended.</param>
internal sealed record CancelOutcome(IReadOnlyList<Execution> Cancelled, IReadOnlyList<CommandException> Refused);
