using System.Text.Json;
using System.Text.RegularExpressions;

namespace Harness.Agents;

/// <summary>When a rule answers: all that is set must hold; of a list, one.</summary>
internal sealed record ScriptCondition
{
    /// <summary>Holds for every turn.</summary>
    public static readonly ScriptCondition Any = new();

    /// <summary>The word that stands for every name.</summary>
    public const string AnyName = "any";

    /// <summary>The turn begins the conversation.</summary>
    public bool Launch { get; init; }

    /// <summary>The whole text.</summary>
    public IReadOnlyList<string>? Text { get; init; }

    /// <summary>A part of the text.</summary>
    public IReadOnlyList<string>? Contains { get; init; }

    /// <summary>A pattern in the text; its named groups become placeholders.</summary>
    public Regex? Pattern { get; init; }

    /// <summary>An event's name.</summary>
    public IReadOnlyList<string>? Event { get; init; }

    /// <summary>An intent's name.</summary>
    public IReadOnlyList<string>? Intent { get; init; }

    /// <summary>A pressed button's label.</summary>
    public IReadOnlyList<string>? Button { get; init; }

    /// <summary>Values that variables have.</summary>
    public IReadOnlyList<KeyValuePair<string, JsonElement>> Variables { get; init; } = [];

    /// <summary>Whether it holds; the groups of the pattern are then in the turn's <see cref="ScriptTurn.Captures"/>.</summary>
    /// <exception cref="RegexMatchTimeoutException">The pattern takes too long for the text.</exception>
    public bool Holds(ScriptTurn turn, IReadOnlyDictionary<string, JsonElement> variables) =>
        (!Launch || turn.IsLaunch)
        && (Text is null || (turn.Text is { } whole && Text.Any(text => Same(text, whole.Trim()))))
        && (Contains is null || (turn.Text is { } said && Contains.Any(part => said.Contains(part, StringComparison.OrdinalIgnoreCase))))
        && Named(Event, turn.Event)
        && Named(Intent, turn.Intent)
        && Named(Button, turn.Button)
        && Variables.All(expected => variables.TryGetValue(expected.Key, out var value) && JsonElement.DeepEquals(value, expected.Value))
        && (Pattern is null || (turn.Text is { } matched && turn.Capture(Pattern.Match(matched))));

    private static bool Named(IReadOnlyList<string>? names, string? name) =>
        names is null || (name is not null && names.Any(expected => expected == AnyName || Same(expected, name)));

    private static bool Same(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);
}
