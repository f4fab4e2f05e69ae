using Harness.Executions;

namespace Harness.Server.Tests;

/// <summary>Executions for tests that need one, whatever it does.</summary>
internal static class Plans
{
    /// <summary>Runs until it is cancelled and, after it has told so, until it is released.</summary>
    public static ExecutionPlan Until(TaskCompletionSource canceled, Task release) => Of(async (_, stop) =>
    {
        await using (stop.Register(canceled.SetResult))
        {
            await canceled.Task;
            await release;
        }

        return new ExecutionResult(ExecutionStatus.Canceled);
    });

    /// <summary>Ends at once.</summary>
    public static ExecutionPlan Ended(ExecutionStatus status, string? error = null) => Of(async (log, _) =>
    {
        await log.WriteAsync("a line");
        return new ExecutionResult(status, error);
    });

    private static ExecutionPlan Of(ExecutionBody body) =>
        new(new ExecutionRequest { Kind = "test", Name = "a test", Greeting = "Test execution started" }, body);
}
