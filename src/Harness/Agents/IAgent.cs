using System.Text.Json;

namespace Harness.Agents;

/// <summary>Something that can be talked to and tested. Thread-safe: many conversations run over one agent.</summary>
public interface IAgent
{
    /// <summary>The connector's short name: <c>voiceflow</c>, <c>demo</c>, <c>scripted</c>, <c>webhook</c>, <c>openai</c>.</summary>
    string Name { get; }

    /// <summary>Who answers, in plain words for logs and banners; never a secret.</summary>
    string Description { get; }

    /// <summary>Begins, or comes back to, the conversation of one user.</summary>
    /// <param name="userId">Whose conversation; the same id comes back to the same state where the agent keeps one.</param>
    IConversation Open(string userId);
}

/// <summary>One user's conversation with an agent. One turn at a time.</summary>
public interface IConversation
{
    /// <summary>Says something to the agent and waits for all of its answer.</summary>
    /// <exception cref="AgentException">The agent could not be reached or did not answer as agreed; the message says what to do.</exception>
    Task<AgentReply> SendAsync(AgentTurn turn, CancellationToken cancellationToken);

    /// <summary>The conversation's variables as one JSON object; empty where the agent keeps none.</summary>
    /// <exception cref="AgentException">The agent could not be reached or did not answer as agreed.</exception>
    Task<JsonElement> GetVariablesAsync(CancellationToken cancellationToken);
}

/// <summary>One turn of the user.</summary>
/// <param name="Type"><c>launch</c>, <c>text</c>, <c>event</c>, <c>intent</c>, or the type of a button's request.</param>
/// <param name="Payload">What goes with the type: a JSON string for <c>text</c>, an object for most others; null for none.</param>
public sealed record AgentTurn(string Type, JsonElement? Payload = null)
{
    /// <summary>Variables to set with this turn; null for none. Order is kept.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Variables { get; init; }

    /// <summary>A turn of plain text.</summary>
    public static AgentTurn Text(string text) => new("text", JsonSerializer.SerializeToElement(text));

    /// <summary>The turn that begins a conversation.</summary>
    public static AgentTurn Launch { get; } = new("launch");
}

/// <summary>All of an agent's answer to one turn, in order.</summary>
public sealed record AgentReply(IReadOnlyList<AgentTrace> Traces);

/// <summary>One thing an agent did in its answer.</summary>
/// <param name="Type"><c>text</c>, <c>speak</c>, <c>choice</c>, <c>end</c>, or a type of the agent's own.</param>
/// <param name="Payload">As the agent sent it; <see cref="JsonValueKind.Undefined"/> for none.</param>
public sealed record AgentTrace(string Type, JsonElement Payload = default)
{
    /// <summary>What a person would read of it; null when it says nothing.</summary>
    public string? Message { get; init; }

    /// <summary>What can be pressed; empty for most traces.</summary>
    public IReadOnlyList<AgentButton> Buttons { get; init; } = [];
}

/// <summary>Something that can be pressed.</summary>
/// <param name="Label">What is written on it (the request's label where it has one, else its name).</param>
/// <param name="Name">Its own name where it differs from the label; else null.</param>
/// <param name="Request">The turn that pressing it sends.</param>
public sealed record AgentButton(string Label, string? Name, AgentTurn Request);

/// <summary>An agent or a language model failed in a way its users can act on. The message holds no secret.</summary>
public sealed class AgentException : Exception
{
    /// <summary>The message says what happened and what to do.</summary>
    public AgentException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
