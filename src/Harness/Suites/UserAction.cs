using System.Text.Json;
using System.Text.Json.Nodes;
using Harness.Agents;

namespace Harness.Suites;

/// <summary>What a written user turn says in the log, and what it sends (compat/voiceflow.md 2.2).</summary>
internal static class UserAction
{
    /// <summary>The line that follows the turn's type; null for types that have none.</summary>
    public static string? Describe(UserTurn user) => user.Type switch
    {
        "launch" => "Interaction Request Launch",
        "text" => "Interaction Request Payload: " + user.Text,
        "event" => "Interaction Request Event: " + user.Event,
        "intent" => "Interaction Request Intent: " + Dump(user.Intent),
        "button" => "Interaction Request Button: " + user.Value,
        _ => null,
    };

    /// <returns>Null with an error where the turn cannot be sent.</returns>
    public static AgentTurn? TryCreate(UserTurn user, Buttons buttons, out string? error)
    {
        error = null;
        switch (user.Type)
        {
            case "launch":
                return AgentTurn.Launch;
            case "text":
                return AgentTurn.Text(user.Text);
            case "event":
                return new AgentTurn("event", ToJson(new JsonObject { ["event"] = new JsonObject { ["name"] = user.Event } }));
            case "intent" when user.Intent is null:
                error = "intent request requires intent data";
                return null;
            case "intent":
                return new AgentTurn("intent", ToJson(Intent(user.Intent)));
            case "button":
                return buttons.TryPress(user.Value, out error);
            default:
                return new AgentTurn("");
        }
    }

    private static JsonObject Intent(IntentTurn intent)
    {
        var payload = new JsonObject { ["intent"] = new JsonObject { ["name"] = intent.Name } };
        if (intent.Entities.Count > 0)
        {
            var entities = intent.Entities.Select(entity => new JsonObject { ["name"] = entity.Name, ["value"] = entity.Value });
            payload["entities"] = new JsonArray([.. entities]);
        }

        return payload;
    }

    private static string Dump(IntentTurn? intent) =>
        intent is null
            ? "<nil>"
            : $"&{{{intent.Name} {GoText.List(intent.Entities.Select(entity => $"{{{entity.Name} {entity.Value}}}"))}}}";

    private static JsonElement ToJson(JsonObject payload) => JsonSerializer.SerializeToElement(payload);
}

/// <summary>
/// The buttons that can be pressed: those of the last answer that had any. Within one answer the newest trace is looked at first, and
/// labels before names.
/// </summary>
internal sealed class Buttons
{
    private List<AgentButton> _buttons = [];
    private bool _isAnswerOpen;

    /// <summary>A new answer begins: its first buttons will replace those of earlier ones.</summary>
    public void BeginAnswer() => _isAnswerOpen = false;

    public void Add(IReadOnlyList<AgentButton> buttons)
    {
        _buttons = _isAnswerOpen ? [.. buttons, .. _buttons] : [.. buttons];
        _isAnswerOpen = true;
    }

    public AgentTurn? TryPress(string label, out string? error)
    {
        var button = _buttons.Find(button => button.Label == label) ?? _buttons.Find(button => button.Name == label);
        error = (button, _buttons.Count) switch
        {
            (not null, _) => null,
            (_, 0) => "no buttons available from previous interaction",
            _ => $"button with label '{label}' not found in available buttons",
        };
        return button?.Request;
    }
}
