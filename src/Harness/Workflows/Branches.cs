using System.Text.Json;

namespace Harness.Workflows;

/// <summary>Branches of a step that run at once.</summary>
internal static class Branches
{
    /// <summary>Waits for all, and gives what they gave as a list. When some wait to be resumed, the first of them says what for.</summary>
    public static async Task<StepOutcome> AllAsync(
        StepContext context, IReadOnlyList<IReadOnlyList<WorkflowStep>> branches, CancellationToken stop)
    {
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var running = branches.Select(branch => RunAsync(branch)).ToList();
        try
        {
            await Task.WhenAll(running);
        }
        catch (Exception) when (First(running) is { } failure)
        {
            await failure;
        }

        var outcomes = await Task.WhenAll(running);
        return outcomes.FirstOrDefault(outcome => outcome.Suspension is not null)
            ?? StepOutcome.Completed(JsonSerializer.SerializeToElement(outcomes.Select(outcome => outcome.Output), WorkflowJson.Options));

        async Task<StepOutcome> RunAsync(IReadOnlyList<WorkflowStep> branch)
        {
            try
            {
                return await context.RunBranchAsync(branch, context.Data, failed.Token);
            }
            catch
            {
                await failed.CancelAsync();
                throw;
            }
        }
    }

    /// <summary>Gives what the first gave that ended. Those that wait to be resumed have lost, unless all do; so have those that fail.</summary>
    public static async Task<StepOutcome> RaceAsync(
        StepContext context, IReadOnlyList<IReadOnlyList<WorkflowStep>> branches, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var running = branches.Select(branch => context.RunBranchAsync(branch, context.Data, over.Token)).ToList();
        StepOutcome? winner = null;
        await foreach (var ended in Task.WhenEach(running).WithCancellation(CancellationToken.None))
        {
            if (winner is null && ended.IsCompletedSuccessfully && await ended is { Suspension: null } outcome)
            {
                winner = outcome;
                await over.CancelAsync();
            }
        }

        if (winner is not null)
        {
            return winner;
        }

        stop.ThrowIfCancellationRequested();
        return running.Find(task => task.IsCompletedSuccessfully) is { } suspended ? await suspended : await running[0];
    }

    // The one that broke it off, and not those that were broken off by it.
    private static Task<StepOutcome>? First(List<Task<StepOutcome>> running) => running.Find(task => task.IsFaulted);
}

/// <summary>A step that asks an agent.</summary>
internal static class AgentStep
{
    public static async Task<StepOutcome> RunAsync(
        StepContext context, string agent, string prompt, Schemas.JsonSchema? schema, CancellationToken stop)
    {
        var answerer = context.Services.Agent
            ?? throw new WorkflowException($"There is no agent '{agent}': this server has no agents for workflows");
        var question = new WorkflowQuestion(agent, prompt)
        {
            Schema = schema,
            UserId = context.UserId,
            ConversationId = context.ConversationId,
            UserContext = context.UserContext,
        };
        return StepOutcome.Completed(await answerer.AskAsync(question, stop));
    }
}

/// <summary>A step that waits for a time.</summary>
internal static class SleepStep
{
    // A timer waits 49 days at most.
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(7);

    public static async Task<StepOutcome> RunAsync(StepContext context, TimeSpan time, CancellationToken stop)
    {
        // From when it began first: a restart does not make it longer.
        for (var left = context.StartedAt + time - context.Time.GetUtcNow(); left > TimeSpan.Zero; left -= LongestDelay)
        {
            await Task.Delay(left < LongestDelay ? left : LongestDelay, context.Time, stop);
        }

        return StepOutcome.Completed(context.Data);
    }
}
