using System.Text.Json;

namespace Harness.Suites;

/// <summary>One turn of a written conversation and what its answer must satisfy.</summary>
public sealed record Interaction
{
    /// <summary>Names the interaction in logs and results; may be empty.</summary>
    public string Id { get; init; } = "";

    /// <summary>What the user does.</summary>
    public UserTurn User { get; init; } = new();

    /// <summary>All of them must pass; none: any answer will do.</summary>
    public IReadOnlyList<Validation> Validations { get; init; } = [];

    /// <summary>Variables set with this turn, in the order written; null for none.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Variables { get; init; }
}

/// <summary>What the user does in one turn. Which members count depends on <see cref="Type"/>.</summary>
public sealed record UserTurn
{
    /// <summary><c>launch</c>, <c>text</c>, <c>event</c>, <c>intent</c> or <c>button</c>.</summary>
    public string Type { get; init; } = "";

    /// <summary>What a <c>text</c> turn says.</summary>
    public string Text { get; init; } = "";

    /// <summary>The label (or else the name) of the button that a <c>button</c> turn presses.</summary>
    public string Value { get; init; } = "";

    /// <summary>The name of an <c>event</c> turn's event.</summary>
    public string Event { get; init; } = "";

    /// <summary>What an <c>intent</c> turn means; null where it is missing.</summary>
    public IntentTurn? Intent { get; init; }
}

/// <summary>An intent and its entities, in the order written.</summary>
public sealed record IntentTurn(string Name, IReadOnlyList<IntentEntity> Entities);

/// <summary>A value that belongs to an intent.</summary>
public sealed record IntentEntity(string Name, string Value);

/// <summary>One condition on an answer. Which members count depends on <see cref="Type"/>.</summary>
public sealed record Validation
{
    /// <summary>Names the validation in failures and results; the reader makes a version 4 UUID where there is none.</summary>
    public string Id { get; init; } = "";

    /// <summary>
    /// <c>equals</c>, <c>exact_match</c>, <c>contains</c>, <c>regexp</c>, <c>traceType</c>, <c>similarity</c> or <c>variable</c>. Any other
    /// never passes.
    /// </summary>
    public string Type { get; init; } = "";

    /// <summary>What is expected.</summary>
    public string Value { get; init; } = "";

    /// <summary>What a <c>similarity</c> compares with.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>How a <c>similarity</c> is judged; null: by the suite's model.</summary>
    public SimilaritySettings? Similarity { get; init; }

    /// <summary>What a <c>variable</c> looks at; without it the validation cannot pass.</summary>
    public VariableSettings? Variable { get; init; }
}

/// <summary>How similarity is judged. What is missing has the value 0 or empty, as in the reference implementation.</summary>
public sealed record SimilaritySettings
{
    /// <summary>Only <c>openai</c> is known; empty means it.</summary>
    public string Provider { get; init; } = "";

    /// <summary>The model; empty: the suite's, else gpt-4o.</summary>
    public string Model { get; init; } = "";

    /// <summary>0 to 2; null: the suite's, else the endpoint's default.</summary>
    public double? Temperature { get; init; }

    /// <summary>The least average score that passes, 0 to 1.</summary>
    public double Threshold { get; init; }

    /// <summary>Read and shown, but no endpoint asks for it.</summary>
    public int TopK { get; init; }

    /// <summary>0 to 1; null: the endpoint's default.</summary>
    public double? TopP { get; init; }
}

/// <summary>Which variable is compared.</summary>
/// <param name="Name">The variable's name in the conversation.</param>
/// <param name="JsonPath">A path inside its value, with or without the leading <c>$</c>; empty for the whole value.</param>
public sealed record VariableSettings(string Name, string JsonPath);
