using System.Text.Json;

namespace Harness.Generations;

/// <summary>A language model that answers piece by piece. Thread-safe.</summary>
public interface IChatModel
{
    /// <summary>One answer: texts and tool calls as they come, a <see cref="ModelFinish"/> last.</summary>
    /// <exception cref="Harness.Agents.AgentException">The model could not be reached or refused; the message says what to do.</exception>
    /// <exception cref="InvalidDataException">What it sent cannot be read.</exception>
    IAsyncEnumerable<ModelPart> StreamAsync(ChatPrompt prompt, CancellationToken cancellationToken);
}

/// <summary>What a model is asked. What is null or empty is left to the model.</summary>
/// <param name="Model">The model's name at its provider, such as <c>gpt-4o-mini</c>.</param>
/// <param name="Messages">Oldest first; a system message, if there is one, is the first.</param>
public sealed record ChatPrompt(string Model, IReadOnlyList<ChatMessage> Messages)
{
    /// <summary>Tools it may ask for.</summary>
    public IReadOnlyList<AgentTool> Tools { get; init; } = [];

    /// <summary>The JSON schema that its answer has to fit; undefined: the answer is text.</summary>
    public JsonElement Schema { get; init; }

    /// <summary>How it is to answer.</summary>
    public GenerationSettings Settings { get; init; } = new();
}

/// <summary>One message of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Text">What it says; empty when it only has attachments or calls.</param>
public sealed record ChatMessage(string Role, string Text)
{
    /// <summary>Images and files beside the text.</summary>
    public IReadOnlyList<ChatAttachment> Attachments { get; init; } = [];

    /// <summary>Tools that an <c>assistant</c> message asks for.</summary>
    public IReadOnlyList<ModelToolCall> ToolCalls { get; init; } = [];

    /// <summary>The call that a <c>tool</c> message answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>About as many bytes as it takes in memory.</summary>
    internal int Size => 128 + 2 * (Text.Length + Attachments.Sum(
        attachment => attachment.Data.Length + (attachment.MediaType?.Length ?? 0) + (attachment.FileName?.Length ?? 0)));
}

/// <summary>An image or a file in a message.</summary>
/// <param name="Data">A URL, a data URL, or the content in base 64.</param>
/// <param name="MediaType">Such as <c>image/png</c>; null: not said.</param>
/// <param name="FileName">The name of a file; null: it is an image.</param>
public sealed record ChatAttachment(string Data, string? MediaType, string? FileName);

/// <summary>A piece of a model's answer.</summary>
public abstract record ModelPart;

/// <summary>The next piece of the text, usually a token.</summary>
public sealed record ModelText(string Text) : ModelPart;

/// <summary>The next piece of what the model thinks to itself, where it tells.</summary>
public sealed record ModelReasoning(string Text) : ModelPart;

/// <summary>A tool the model asks for.</summary>
/// <param name="Id">Unique within the answer.</param>
/// <param name="Name">The tool.</param>
/// <param name="Arguments">A JSON object, which may not fit what the tool takes.</param>
public sealed record ModelToolCall(string Id, string Name, JsonElement Arguments) : ModelPart;

/// <summary>The end of an answer.</summary>
/// <param name="Reason"><c>stop</c>, <c>length</c>, <c>tool-calls</c>, <c>content-filter</c> or <c>unknown</c>.</param>
/// <param name="Usage">What it took.</param>
public sealed record ModelFinish(string Reason, TokenUsage Usage) : ModelPart;

/// <summary>Tokens of a prompt and of its answer, as the model counts them.</summary>
public readonly record struct TokenUsage(long Prompt, long Completion)
{
    /// <summary>The sum of two answers.</summary>
    public static TokenUsage operator +(TokenUsage left, TokenUsage right) =>
        new(left.Prompt + right.Prompt, left.Completion + right.Completion);

    /// <summary>The sum of two answers.</summary>
    public static TokenUsage Add(TokenUsage left, TokenUsage right) => left + right;
}
