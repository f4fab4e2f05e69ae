using System.Text.Json;
using Harness.Schemas;

namespace Harness.Generations;

/// <summary>What an agent is asked to generate.</summary>
/// <param name="Agent">The agent's id.</param>
/// <param name="Input">The messages of this request, oldest first; what was said before comes from the conversation's memory.</param>
public sealed record GenerationRequest(string Agent, IReadOnlyList<ChatMessage> Input)
{
    /// <summary>The form of the object to generate; null: text.</summary>
    public JsonSchema? Schema { get; init; }

    /// <summary>Whose conversation it is; null: nobody's in particular.</summary>
    public string? UserId { get; init; }

    /// <summary>The conversation that is remembered and gone on with; null: none.</summary>
    public string? ConversationId { get; init; }

    /// <summary>Messages of the conversation that the model is shown, the newest. Default: 10.</summary>
    public int ContextLimit { get; init; } = 10;

    /// <summary>Calls to models at most, those of sub-agents included; null: as the agent says.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>How the model is to answer.</summary>
    public GenerationSettings Settings { get; init; } = new();
}

/// <summary>How a model is to answer. What is null is left to the model.</summary>
public sealed record GenerationSettings
{
    /// <summary>0 to 1: how much chance plays a part.</summary>
    public double? Temperature { get; init; }

    /// <summary>Tokens of one answer at most.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>0 to 1: the share of likely tokens that is chosen from.</summary>
    public double? TopP { get; init; }

    /// <summary>0 to 2: how much words said often are avoided.</summary>
    public double? FrequencyPenalty { get; init; }

    /// <summary>0 to 2: how much words said once are avoided.</summary>
    public double? PresencePenalty { get; init; }

    /// <summary>With the same number the answer is the same, where the model can.</summary>
    public int? Seed { get; init; }

    /// <summary>Texts that end the answer where they would come.</summary>
    public IReadOnlyList<string> StopSequences { get; init; } = [];

    /// <summary>Members of the request to the provider as the provider knows them; an object or undefined.</summary>
    public JsonElement ProviderOptions { get; init; }

    /// <summary>What the agent should know of who asks (role, language, …); an object or undefined.</summary>
    public JsonElement Context { get; init; }
}

/// <summary>Where a generation failed.</summary>
public enum GenerationStage
{
    /// <summary>Before the first call to a model: a key, a model or a tool is missing.</summary>
    Setup,

    /// <summary>The model refused, could not be reached, or answered what does not fit the schema.</summary>
    Stream,

    /// <summary>What the model sent could not be read or worked on.</summary>
    Iteration,
}
