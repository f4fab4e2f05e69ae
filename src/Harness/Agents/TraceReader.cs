using System.Text.Json;

namespace Harness.Agents;

/// <summary>
/// Reads traces in the form of Voiceflow's runtime, <c>{"type","payload"}</c>, which webhooks and scripts use too. Nothing a trace
/// holds makes it throw: what it does not understand has no message and no buttons.
/// </summary>
internal static class TraceReader
{
    /// <summary>One trace; anything but an object becomes a trace without type and message.</summary>
    public static AgentTrace Read(JsonElement trace)
    {
        if (trace.ValueKind != JsonValueKind.Object)
        {
            return new AgentTrace("", trace);
        }

        try
        {
            return Read(Text(trace, "type") ?? "", Property(trace, "payload"));
        }
        catch (InvalidOperationException)
        {
            // A string with half a surrogate pair cannot be read as text.
            return new AgentTrace("", trace);
        }
    }

    /// <summary>The trace of a type and a payload, with the message and the buttons that are in the payload.</summary>
    /// <exception cref="InvalidOperationException">The payload holds text that is not Unicode.</exception>
    public static AgentTrace Read(string type, JsonElement payload) =>
        new(type, payload) { Message = Message(type, payload), Buttons = Buttons(type, payload) };

    /// <summary>A <c>text</c> trace.</summary>
    public static AgentTrace OfText(string message)
    {
        var payload = JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["message"] = message });
        return new AgentTrace("text", payload) { Message = message };
    }

    private static string? Message(string type, JsonElement payload)
    {
        if (payload.ValueKind == JsonValueKind.String)
        {
            return payload.GetString();
        }

        return Text(payload, "message") ?? type switch
        {
            "card" or "cardV2" => CardText(payload),
            "carousel" => Join(Items(payload, "cards").Select(CardText)),
            _ => null,
        };
    }

    private static string? CardText(JsonElement card)
    {
        var description = Property(card, "description");
        // Cards made with the rich text editor have {"slate", "text"} where older ones have a string.
        return Join([Text(card, "title"), Text(description) ?? Text(description, "text"), Text(card, "text")]);
    }

    private static string? Join(IEnumerable<string?> lines)
    {
        var text = string.Join('\n', lines.Where(line => !string.IsNullOrEmpty(line)));
        return text.Length == 0 ? null : text;
    }

    private static IReadOnlyList<AgentButton> Buttons(string type, JsonElement payload) => type switch
    {
        "choice" or "card" or "cardV2" => [.. Items(payload, "buttons").Select(Button).OfType<AgentButton>()],
        "carousel" =>
        [
            .. Items(payload, "cards").SelectMany(card => Items(card, "buttons")).Select(Button).OfType<AgentButton>(),
        ],
        _ => [],
    };

    // Three forms are known: a path or an intent with payload.label, and a step of type text where only the name is a label.
    private static AgentButton? Button(JsonElement button)
    {
        var name = Text(button, "name");
        var request = Property(button, "request");
        var payload = Property(request, "payload");
        var label = Text(payload, "label") ?? name ?? Text(payload);
        if (label is null)
        {
            return null;
        }

        var turn = Text(request, "type") is { } type
            ? new AgentTurn(type, payload.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? null : payload)
            : AgentTurn.Text(label);
        return new AgentButton(label, name == label ? null : name, turn);
    }

    private static JsonElement Property(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var property) ? property : default;

    private static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? Text(JsonElement value, string name) => Text(Property(value, name));

    private static JsonElement[] Items(JsonElement value, string name)
    {
        var items = Property(value, name);
        return items.ValueKind == JsonValueKind.Array ? [.. items.EnumerateArray()] : [];
    }
}
