using Harness.Schemas;

namespace Harness.Workflows;

/// <summary>
/// A named row of steps, each given what the one before gave. It can stop at any step and go on later, also in another process: what its
/// steps gave is in the execution's log. Immutable; built by <see cref="Begin{TInput}"/> or read from a file.
/// </summary>
public sealed record Workflow
{
    /// <summary>Longest id of a workflow or a step, in characters.</summary>
    public const int MaxIdLength = 64;

    /// <summary>Its name in addresses: letters, digits, dots, dashes and underscores.</summary>
    public required string Id { get; init; }

    /// <summary>Its name for people.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for; null: nothing is said.</summary>
    public string? Purpose { get; init; }

    /// <summary>The steps in order; at least one. Ids are unique, also among those inside of others.</summary>
    public required IReadOnlyList<WorkflowStep> Steps { get; init; }

    /// <summary>What the input is held to; null: anything.</summary>
    public JsonSchema? InputSchema { get; init; }

    /// <summary>What a step hands out when it suspends is held to, unless the step has its own; null: anything.</summary>
    public JsonSchema? SuspendSchema { get; init; }

    /// <summary>What a resume brings is held to, unless the step has its own; null: anything.</summary>
    public JsonSchema? ResumeSchema { get; init; }

    /// <summary>What the last step gives is held to; null: anything.</summary>
    public JsonSchema? ResultSchema { get; init; }

    /// <summary>Begins a workflow in code. Its input is held to the schema of the type.</summary>
    /// <param name="id"><see cref="Id"/>.</param>
    /// <param name="name"><see cref="Name"/>; null: the id.</param>
    /// <param name="purpose"><see cref="Purpose"/>.</param>
    /// <typeparam name="TInput">The input, as JSON has it with camelCase names.</typeparam>
    public static WorkflowBuilder<TInput> Begin<TInput>(string id, string? name = null, string? purpose = null) => new(
        new Workflow
        {
            Id = id,
            Name = name ?? id,
            Purpose = purpose,
            Steps = [],
            InputSchema = JsonSchema.Of(typeof(TInput), WorkflowJson.Options),
        },
        []);

    /// <summary>The step with this id, wherever it is; null: there is none.</summary>
    public WorkflowStep? FindStep(string id) => Flatten(Steps).FirstOrDefault(step => step.Id == id);

    /// <summary>The place in <see cref="Steps"/> of the step with this id, or of the one it is inside of; -1: there is none.</summary>
    public int IndexOf(string id) => Steps.Index().Where(step => Flatten([step.Item]).Any(inner => inner.Id == id)).Select(step => step.Index).FirstOrDefault(-1);

    /// <exception cref="ArgumentException">It cannot be run; says why.</exception>
    internal Workflow Checked()
    {
        if (!IsId(Id))
        {
            throw new ArgumentException($"A workflow's id has 1 to {MaxIdLength} letters, digits, dots, dashes and underscores, not '{Id}'");
        }

        if (Steps.Count == 0)
        {
            throw new ArgumentException($"Workflow '{Id}' has no steps");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var step in Flatten(Steps))
        {
            if (!IsId(step.Id))
            {
                throw new ArgumentException($"A step's id has 1 to {MaxIdLength} letters, digits, dots, dashes and underscores, not '{step.Id}'");
            }

            if (!seen.Add(step.Id))
            {
                throw new ArgumentException($"Workflow '{Id}' has two steps '{step.Id}'");
            }

            if (step.Type == StepType.Race && step.Branches.Count == 0)
            {
                throw new ArgumentException($"Step '{step.Id}' of workflow '{Id}' is a race without branches");
            }
        }

        return this;
    }

    internal static IEnumerable<WorkflowStep> Flatten(IEnumerable<WorkflowStep> steps) =>
        steps.SelectMany(step => Flatten(step.Branches.SelectMany(branch => branch)).Prepend(step));

    internal static bool IsId(string id) =>
        id.Length is > 0 and <= MaxIdLength && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_');
}
