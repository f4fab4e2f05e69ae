using System.Text.Json;
using Harness.Schemas;

namespace Harness.Generations;

/// <summary>Something an agent can do while it answers. Immutable.</summary>
public sealed class AgentTool
{
    private static readonly JsonElement NoParameters = JsonElement.Parse("""{"type":"object","properties":{}}""");

    /// <summary>A tool.</summary>
    /// <param name="name">What models call it: 1 to 64 letters, digits, dashes and underscores.</param>
    /// <param name="description">What it does, for the model.</param>
    /// <param name="execute">
    /// Does it and gives back anything that JSON can be made of. Its arguments fit the parameters. What it throws is told to the model,
    /// which may go on without it; the token is that of the execution. Called by many generations at once.
    /// </param>
    /// <param name="parameters">The JSON schema of its arguments, an object; undefined: it takes none.</param>
    /// <exception cref="ArgumentException">The name or the schema cannot be used.</exception>
    public AgentTool(
        string name, string description, Func<JsonElement, CancellationToken, Task<object?>> execute, JsonElement parameters = default)
    {
        if (name.Length is 0 or > 64 || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_'))
        {
            throw new ArgumentException($"A tool's name has 1 to 64 letters, digits, dashes and underscores; '{name}' does not", nameof(name));
        }

        Name = name;
        Description = description;
        Execute = execute;
        try
        {
            Parameters = JsonSchema.Parse(parameters.ValueKind == JsonValueKind.Undefined ? NoParameters : parameters);
        }
        catch (JsonSchemaException e)
        {
            throw new ArgumentException($"The parameters of the tool {name} are no JSON schema: {e.Message}", nameof(parameters), e);
        }
    }

    /// <summary>What models call it.</summary>
    public string Name { get; }

    /// <summary>What it does.</summary>
    public string Description { get; }

    /// <summary>The form of its arguments.</summary>
    public JsonSchema Parameters { get; }

    /// <summary>Does it.</summary>
    public Func<JsonElement, CancellationToken, Task<object?>> Execute { get; }
}
