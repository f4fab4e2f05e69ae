using System.Text;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>
/// A kind whose body says <c>begin</c>, suspends, and when it is resumed says what it was resumed with and ends. Restored, it goes on as its
/// log says.
/// </summary>
internal sealed class PausingKind(TimeProvider time) : IRestorableKind
{
    public string Name => "pausing";

    /// <summary>What executions are told that have said nothing of a suspension yet; null: they run on.</summary>
    public string? Refusal { get; init; }

    /// <summary>What restoring throws; null: nothing.</summary>
    public Exception? Fault { get; init; }

    /// <summary>Ends when a body runs that was restored without a suspension.</summary>
    public TaskCompletionSource RanOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Holds bodies of <c>wait</c> before their suspension, until they are asked to suspend.</summary>
    public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ExecutionPlan Plan(JsonElement data)
    {
        var waits = data.ValueKind == JsonValueKind.String;
        return new ExecutionPlan(new ExecutionRequest { Kind = Name, Name = "pausing" }, (log, stint, stop) => RunAsync(log, stint, waits, stop));
    }

    public async ValueTask<Restoration> RestoreAsync(Execution execution, CancellationToken cancellationToken)
    {
        if (Fault is { } fault)
        {
            throw fault;
        }

        var suspended = false;
        await foreach (var json in execution.Log.ReadPresentAsync(1, cancellationToken))
        {
            suspended |= Encoding.UTF8.GetString(json.Span).Contains("\"name\":\"paused\"", StringComparison.Ordinal);
        }

        return suspended ? Restoration.Suspended((log, stint, stop) => RunAsync(log, stint, false, stop), Suspension("restored"))
            : Refusal is { } refusal ? Restoration.Impossible(refusal)
            : Restoration.Running((_, _, _) =>
            {
                RanOn.TrySetResult();
                return Task.FromResult(new ExecutionResult(ExecutionStatus.Completed));
            });
    }

    private async Task<ExecutionResult> RunAsync(ExecutionLog log, ExecutionStint stint, bool waits, CancellationToken stop)
    {
        if (stint.Resume is { } resume)
        {
            await log.WriteAsync($"resumed with {resume.Data} at {resume.At ?? "-"}", stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        }

        await log.WriteAsync("begin", stop);
        var reason = "asked for";
        if (waits)
        {
            Waiting.TrySetResult();
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, stint.Suspending);
            await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.ThrowIfCancellationRequested();
            reason = stint.SuspendReason;
        }

        await log.EmitAsync("paused", "{}"u8.ToArray(), stop);
        return new ExecutionResult(ExecutionStatus.Suspended) { Suspension = Suspension(reason) };
    }

    private ExecutionSuspension Suspension(string? reason) => new()
    {
        At = time.GetUtcNow(),
        Reason = reason,
        Details = "{\"step\":\"one\"}"u8.ToArray(),
        Check = resume =>
        {
            if (resume.Data.ValueKind == JsonValueKind.False)
            {
                throw new ExecutionInputException("false will not do");
            }
        },
    };
}
