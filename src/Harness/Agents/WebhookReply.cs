using System.Text.Json;
using System.Text.Json.Nodes;
using Harness.Executions;

namespace Harness.Agents;

/// <summary>
/// Reads what a webhook answers: <c>{"messages": […], "buttons": […], "variables": {…}, "end": true}</c>, or
/// <c>{"traces": […], "variables": {…}}</c>, or a bare text, or a bare array of texts and traces, or nothing at all.
/// </summary>
internal static class WebhookReply
{
    private const string Expected = "{\"messages\": [\"…\"]}, {\"traces\": […]}, a JSON text or a JSON array";

    /// <summary>The traces, and the variables that the answer sets (undefined for none).</summary>
    /// <exception cref="FormatException">It has another shape; the message is what was expected.</exception>
    /// <exception cref="JsonException">It is not JSON.</exception>
    /// <exception cref="InvalidOperationException">It holds text that is not Unicode.</exception>
    public static (AgentReply Reply, JsonElement Variables) Read(byte[] body)
    {
        if (body.All(letter => char.IsWhiteSpace((char)letter)))
        {
            return (new AgentReply([]), default);
        }

        var answer = JsonElement.Parse(JsonRepair.Apply(body).Span);
        return answer.ValueKind switch
        {
            JsonValueKind.String => (new AgentReply([TraceReader.OfText(answer.GetString()!)]), default),
            JsonValueKind.Array => (new AgentReply([.. answer.EnumerateArray().Select(Item)]), default),
            JsonValueKind.Object => (new AgentReply([.. Traces(answer)]), Variables(answer)),
            _ => throw new FormatException(Expected),
        };
    }

    private static IEnumerable<AgentTrace> Traces(JsonElement answer)
    {
        if (Find(answer, "traces", JsonValueKind.Array) is { } traces)
        {
            return traces.EnumerateArray().Select(Item);
        }

        var messages = Find(answer, "messages", JsonValueKind.Array);
        var buttons = Find(answer, "buttons", JsonValueKind.Array);
        var says = answer.TryGetProperty("end", out var end);

        // All may be left out, but an object with nothing but other names is an answer of something else.
        if (messages is null && buttons is null && !says && !answer.TryGetProperty("variables", out _) && answer.EnumerateObject().Any())
        {
            throw new FormatException(Expected);
        }

        return Messages(messages, buttons, says && end.ValueKind == JsonValueKind.True);
    }

    private static IEnumerable<AgentTrace> Messages(JsonElement? messages, JsonElement? buttons, bool end)
    {
        foreach (var message in Items(messages))
        {
            yield return message.ValueKind == JsonValueKind.String
                ? TraceReader.OfText(message.GetString()!)
                : throw new FormatException("a list of texts in messages");
        }

        if (buttons is not null)
        {
            var payload = new JsonObject { ["buttons"] = new JsonArray([.. Items(buttons).Select(Button)]) };
            yield return TraceReader.Read("choice", JsonSerializer.SerializeToElement(payload));
        }

        if (end)
        {
            yield return new AgentTrace("end");
        }
    }

    // A bare string where a trace could be is what the agent says.
    private static AgentTrace Item(JsonElement item) =>
        item.ValueKind == JsonValueKind.String ? TraceReader.OfText(item.GetString()!) : TraceReader.Read(item);

    private static JsonObject Button(JsonElement button)
    {
        var label = button.ValueKind switch
        {
            JsonValueKind.String => button,
            JsonValueKind.Object when button.TryGetProperty("label", out var text) && text.ValueKind == JsonValueKind.String => text,
            _ => throw new FormatException("a label for each button"),
        };
        var form = new JsonObject { ["name"] = JsonValue.Create(label) };
        if (button.ValueKind == JsonValueKind.Object && Find(button, "request", JsonValueKind.Object) is { } request)
        {
            form["request"] = JsonObject.Create(request);
        }

        return form;
    }

    private static JsonElement[] Items(JsonElement? list) => list is { } items ? [.. items.EnumerateArray()] : [];

    private static JsonElement Variables(JsonElement answer) => Find(answer, "variables", JsonValueKind.Object) ?? default;

    private static JsonElement? Find(JsonElement answer, string name, JsonValueKind kind)
    {
        if (!answer.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == kind ? value : throw new FormatException($"{(kind == JsonValueKind.Array ? "a list" : "an object")} in {name}");
    }
}
