namespace Harness.Executions;

/// <summary>Which executions are meant; what is null or empty does not matter.</summary>
public sealed record ExecutionFilter
{
    /// <summary>Their status.</summary>
    public ExecutionStatus? Status { get; init; }

    /// <summary>Their kind.</summary>
    public string? Kind { get; init; }

    /// <summary>Labels they all have, with these values.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// True when nobody will ask what they found for details of its result, which the store then does not read: they can be megabytes. Default: false.
    /// </summary>
    public bool WithoutDetails { get; init; }

    /// <summary>True when it is one of those.</summary>
    public bool Matches(Execution execution) =>
        (Status is null || execution.State.Status == Status)
        && (Kind is null || execution.Request.Kind == Kind)
        && Labels.All(label => execution.Request.Labels.TryGetValue(label.Key, out var value) && value == label.Value);
}

/// <summary>A page of a list.</summary>
/// <param name="Items">The executions, the newest first.</param>
/// <param name="Next">What to ask the next page with; null: this was the last.</param>
public sealed record ExecutionPage(IReadOnlyList<Execution> Items, string? Next);
