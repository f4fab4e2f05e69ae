using System.Text.Json;
using System.Text.Json.Nodes;

namespace Harness.Agents;

/// <summary>Reads the traces of a reply, from the short forms of scripts into the payloads that agents send.</summary>
internal static class ScriptTraceReader
{
    /// <summary>A bare text, or a mapping with one of text, speak, choice, card, carousel, end, type.</summary>
    /// <exception cref="AgentException">It is something else; says where and what to change.</exception>
    public static ScriptTrace Read(ScriptNode node)
    {
        if (node.Value.ValueKind is not JsonValueKind.Object)
        {
            return Trace("text", new JsonObject { ["message"] = node.Text() });
        }

        node.Object("text", "speak", "choice", "card", "carousel", "end", "type", "payload");
        if (node.Find("type") is { } type)
        {
            return new ScriptTrace(type.Text(), node.Find("payload")?.Value ?? default);
        }

        var (form, value) = node.Properties().ToArray() is [var only]
            ? only
            : throw node.Error("a trace is one of text, speak, choice, card, carousel, end, or type with payload");
        return form switch
        {
            "text" => Trace("text", new JsonObject { ["message"] = value.Text() }),
            "speak" => Trace("speak", new JsonObject { ["message"] = value.Text(), ["type"] = "message" }),
            "choice" => Trace("choice", new JsonObject { ["buttons"] = Buttons(value) }),
            "card" => Trace("cardV2", Card(value)),
            "carousel" => Trace("carousel", new JsonObject { ["layout"] = "Carousel", ["cards"] = new JsonArray([.. value.Items().Select(Card)]) }),
            "end" => value.Value.ValueKind is JsonValueKind.True or JsonValueKind.Null
                ? new ScriptTrace("end", default)
                : Trace("end", new JsonObject { ["reason"] = value.Text() }),
            _ => throw node.Error("'payload' needs a 'type' beside it"),
        };
    }

    private static ScriptTrace Trace(string type, JsonObject payload) => new(type, JsonSerializer.SerializeToElement(payload));

    private static JsonObject Card(ScriptNode node)
    {
        node.Object("title", "description", "image_url", "buttons");
        var card = new JsonObject { ["title"] = node.Find("title")?.Text() ?? "" };
        if (node.Find("description") is { } description)
        {
            card["description"] = description.Text();
        }

        if (node.Find("image_url") is { } image)
        {
            card["imageUrl"] = image.Text();
        }

        if (node.Find("buttons") is { } buttons)
        {
            card["buttons"] = Buttons(buttons);
        }

        return card;
    }

    private static JsonArray Buttons(ScriptNode node) => new([.. node.Items().Select(Button)]);

    private static JsonObject Button(ScriptNode node)
    {
        if (node.Value.ValueKind is not JsonValueKind.Object)
        {
            return Path(node.Text());
        }

        node.Object("label", "text", "intent", "entities");
        var label = (node.Find("label") ?? throw node.Error("a button needs a 'label'")).Text();
        if (node.Find("intent") is { } intent)
        {
            var entities = node.Find("entities")?.Properties()
                .Select(entity => new JsonObject { ["name"] = entity.Name, ["value"] = entity.Value.Text() });
            return Named(label, "intent", new JsonObject
            {
                ["label"] = label,
                ["query"] = node.Find("text")?.Text() ?? label,
                ["intent"] = new JsonObject { ["name"] = intent.Text() },
                ["entities"] = new JsonArray([.. entities ?? []]),
            });
        }

        return node.Find("text") is { } text ? Named(label, "text", JsonValue.Create(text.Text())) : Path(label);
    }

    private static JsonObject Path(string label) =>
        Named(label, $"path-{label.ToLowerInvariant().Replace(' ', '-')}", new JsonObject { ["label"] = label });

    private static JsonObject Named(string label, string type, JsonNode payload) =>
        new() { ["name"] = label, ["request"] = new JsonObject { ["type"] = type, ["payload"] = payload } };
}
