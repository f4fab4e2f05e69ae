namespace Harness.Agents;

/// <summary>A language model that testers and judges ask. Thread-safe.</summary>
public interface ILanguageModel
{
    /// <summary>The model's whole answer to a list of messages.</summary>
    /// <exception cref="AgentException">The model could not be reached, refused, or answered nothing.</exception>
    Task<string> CompleteAsync(ModelPrompt prompt, CancellationToken cancellationToken);
}

/// <summary>What a model is asked.</summary>
/// <param name="Model">The model's name at its endpoint, such as <c>gpt-4o</c>.</param>
/// <param name="Messages">Oldest first.</param>
public sealed record ModelPrompt(string Model, IReadOnlyList<ModelMessage> Messages)
{
    /// <summary>0 to 2; null: the endpoint's default.</summary>
    public double? Temperature { get; init; }

    /// <summary>0 to 1; null: the endpoint's default.</summary>
    public double? TopP { get; init; }
}

/// <summary>One message to a model.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">The text.</param>
public sealed record ModelMessage(string Role, string Content);
