namespace Harness.Executions;

/// <content>What the registry keeps of one that can stand still.</content>
public sealed partial class Execution
{
    /// <summary>What runs; null when it has ended, and of those that were read back from the store.</summary>
    internal ExecutionPlan? Plan { get; set; }

    /// <summary>The stint that runs, or ran last. Changed under <see cref="Claim"/>.</summary>
    internal ExecutionStint? Stint { get; set; }

    /// <summary>Set while it can be resumed; who takes it out, under <see cref="Claim"/>, decides how it goes on.</summary>
    internal TaskCompletionSource? Wake { get; set; }

    /// <summary>Whether its body has a place among the concurrent ones.</summary>
    internal bool HasPlace { get; set; }

    /// <summary>Whether its body runs on the place of an execution that waits for it, and needs none until it is suspended.</summary>
    internal bool IsInside { get; set; }

    /// <summary>How long its body has run so far, in all stints together.</summary>
    internal TimeSpan Ran { get; set; }

    /// <summary>Whether it is being left to the next process: it neither goes on nor ends in this one. Used under <see cref="Claim"/>.</summary>
    internal bool IsLeft { get; set; }

    /// <summary>Ends when this process is through with it: it has its result, or it was left to the next process.</summary>
    internal Task Gone => _gone.Task;

    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal void Leave() => _gone.TrySetResult();
}
