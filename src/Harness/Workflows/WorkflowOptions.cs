namespace Harness.Workflows;

/// <summary>Where workflows come from beside code, bound from the configuration section <c>Harness:Workflows</c>.</summary>
public sealed class WorkflowOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Harness:Workflows";

    /// <summary>A folder of workflows, one in each <c>.yaml</c> or <c>.yml</c> file; null: none. Read once, at the start.</summary>
    public string? Folder { get; set; }
}
