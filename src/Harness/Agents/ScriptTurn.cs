using System.Text.Json;
using System.Text.RegularExpressions;

namespace Harness.Agents;

/// <summary>A turn as rules see it: at most one of text, event, intent and button is there.</summary>
internal sealed class ScriptTurn
{
    private ScriptTurn()
    {
    }

    /// <summary>Whether it begins the conversation.</summary>
    public bool IsLaunch { get; private init; }

    /// <summary>The text of a text turn.</summary>
    public string? Text { get; private init; }

    /// <summary>The event's name.</summary>
    public string? Event { get; private init; }

    /// <summary>The intent's name.</summary>
    public string? Intent { get; private init; }

    /// <summary>The label of the button; an intent with a label is both.</summary>
    public string? Button { get; private init; }

    /// <summary>What a person would say it was; for the placeholder <c>text</c>.</summary>
    public string Said => Text ?? Button ?? Intent ?? Event ?? "";

    /// <summary>The intent's entities, then the named groups of the pattern that matched.</summary>
    public Dictionary<string, string> Captures { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads a turn; what is not as expected is simply not there.</summary>
    /// <exception cref="AgentException">It holds text that is not Unicode.</exception>
    public static ScriptTurn Read(AgentTurn turn)
    {
        try
        {
            var payload = turn.Payload ?? default;
            var read = new ScriptTurn
            {
                IsLaunch = turn.Type == "launch",
                Text = turn.Type == "text" ? Name(payload) : null,
                Event = turn.Type == "event" ? Name(Property(Property(payload, "event"), "name")) : null,
                Intent = turn.Type == "intent" ? Name(Property(Property(payload, "intent"), "name")) : null,
                Button = Name(Property(payload, "label")),
            };
            read.ReadEntities(Property(payload, "entities"));
            return read;
        }
        catch (InvalidOperationException exception)
        {
            throw new AgentException($"The {turn.Type} turn holds text that is not Unicode (half a surrogate pair)", exception);
        }
    }

    /// <summary>Keeps the named groups of a match.</summary>
    /// <returns>Whether it is one.</returns>
    public bool Capture(Match match)
    {
        foreach (var group in match.Groups.Values.Where(group => group.Success && !char.IsAsciiDigit(group.Name[0])))
        {
            Captures[group.Name] = group.Value.Trim();
        }

        return match.Success;
    }

    private void ReadEntities(JsonElement entities)
    {
        if (entities.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        foreach (var entity in entities.EnumerateArray())
        {
            if (Name(Property(entity, "name")) is { } name && Property(entity, "value") is { ValueKind: not JsonValueKind.Undefined } value)
            {
                Captures[name] = value.ToString();
            }
        }
    }

    private static string? Name(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement Property(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var property) ? property : default;
}
