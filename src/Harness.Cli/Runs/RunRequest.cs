using Harness.Cli.Hub;

namespace Harness.Cli.Runs;

/// <summary>What the command line asks for.</summary>
internal sealed record RunRequest
{
    /// <summary>A suite folder or file; of a workflow see <see cref="Workflow"/>.</summary>
    public required string Path { get; init; }

    /// <summary>A workflow to run here; null: the path is a suite.</summary>
    public LocalWorkflow? Workflow { get; init; }

    /// <summary>Reports to write.</summary>
    public required IReadOnlyList<RunOutput> Outputs { get; init; }

    /// <summary>Where to run it; null for here.</summary>
    public HubClient? Server { get; init; }

    /// <summary>Beats the suite's own word; null leaves it.</summary>
    public bool? FailFast { get; init; }

    /// <summary>Tests at once; beats the suite's own word; null leaves it.</summary>
    public int? Parallel { get; init; }

    /// <summary>Show times and the execution's id.</summary>
    public bool Verbose { get; init; }

    /// <summary>The agent flags as configuration.</summary>
    public required IReadOnlyDictionary<string, string?> AgentFlags { get; init; }
}
