using Harness.Executions;

namespace Harness.Server.Transports;

/// <content>Standing still and going on.</content>
internal sealed partial class ExecutionCommands
{
    /// <summary>Suspends an execution, and waits until it is.</summary>
    /// <returns>The execution; its state is <see cref="ExecutionStatus.Suspended"/>, unless somebody has resumed it already.</returns>
    /// <exception cref="CommandException">There is none, it does not run, or it cannot be suspended.</exception>
    public async ValueTask<Execution> SuspendAsync(SuspendCommand command, CancellationToken cancellationToken)
    {
        var execution = await FindAsync(command.Id, "suspend", cancellationToken);
        return await _executions.SuspendAsync(execution, command.Reason, cancellationToken) is not null
            ? execution
            : throw new CommandException(
                execution.DecidedStatus == ExecutionStatus.Running
                    ? $"Cannot suspend: executions of the kind {execution.Request.Kind} run to their end"
                    : $"Cannot suspend: execution is not running (current status: {execution.DecidedStatus.ToWire()})",
                "not_running",
                execution.Id);
    }

    /// <summary>Lets a suspended execution go on, and waits until that is stored.</summary>
    /// <exception cref="CommandException">There is none, it is not suspended, or it cannot go on with that.</exception>
    public async ValueTask<Execution> ResumeAsync(ResumeCommand command, CancellationToken cancellationToken)
    {
        var execution = await FindAsync(command.Id, "resume", cancellationToken);
        try
        {
            return await _executions.ResumeAsync(execution, command.Request, cancellationToken)
                ? execution
                : throw new CommandException($"Cannot resume: {WhyNot(execution, command.Request)}", "not_suspended", execution.Id);
        }
        catch (ExecutionInputException e)
        {
            throw new CommandException($"Cannot resume: {e.Message}", e.IsForNow ? "overloaded" : "invalid_payload", execution.Id);
        }
    }

    private static string WhyNot(Execution execution, ResumeRequest request) =>
        request.SuspendedAt is not null && execution.DecidedStatus == ExecutionStatus.Suspended
            ? "execution has been resumed, and is suspended for something else now; its status says for what"
            : $"execution is not suspended (current status: {execution.DecidedStatus.ToWire()})";
}
