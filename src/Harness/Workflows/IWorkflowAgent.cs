using System.Text.Json;
using Harness.Schemas;

namespace Harness.Workflows;

/// <summary>What agent steps ask. The host registers one; without it agent steps fail with a word on it.</summary>
public interface IWorkflowAgent
{
    /// <summary>Asks an agent and waits for all of its answer.</summary>
    /// <returns>A JSON string; with a schema a value that fits it.</returns>
    /// <exception cref="WorkflowException">There is no such agent, or it did not answer as it should.</exception>
    Task<JsonElement> AskAsync(WorkflowQuestion question, CancellationToken cancellationToken);
}

/// <summary>What a workflow asks an agent.</summary>
/// <param name="Agent">The agent's id.</param>
/// <param name="Prompt">What it is told.</param>
public sealed record WorkflowQuestion(string Agent, string Prompt)
{
    /// <summary>What the answer has to fit; null: it is a text.</summary>
    public JsonSchema? Schema { get; init; }

    /// <summary>For whom; null: nobody was named.</summary>
    public string? UserId { get; init; }

    /// <summary>In which conversation; null: none was named.</summary>
    public string? ConversationId { get; init; }

    /// <summary>What was sent along for agents; undefined: nothing.</summary>
    public JsonElement UserContext { get; init; }
}

/// <summary>A workflow cannot go on, for a reason its users can act on. The message holds no secret.</summary>
public sealed class WorkflowException : Exception
{
    /// <inheritdoc cref="WorkflowException"/>
    public WorkflowException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
