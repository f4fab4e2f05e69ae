using System.Text.Json;
using Harness.Generations;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>Reads the <c>input</c> of a body: a text, or messages whose content is a text or a list of texts, images and files.</summary>
internal static class MessageReader
{
    private static readonly string[] Roles = ["system", "user", "assistant", "tool"];

    /// <summary>The messages; what is wrong with them is added to the problems.</summary>
    public static IReadOnlyList<ChatMessage> Read(JsonElement body, List<string> problems)
    {
        var input = OptionReader.Find(body, "input");
        if (input.ValueKind == JsonValueKind.String)
        {
            return [new ChatMessage("user", input.GetString()!)];
        }

        if (input.ValueKind != JsonValueKind.Array || input.GetArrayLength() == 0)
        {
            problems.Add("input must be a text, or a list of messages {role, content}");
            return [];
        }

        return [.. input.EnumerateArray().Index().Select(message => ReadMessage(message.Item, $"input[{message.Index}]", problems))];
    }

    private static ChatMessage ReadMessage(JsonElement message, string path, List<string> problems)
    {
        var role = OptionReader.Find(message, "role");
        if (role.ValueKind != JsonValueKind.String || !Roles.Contains(role.GetString()))
        {
            problems.Add($"{path}.role must be {string.Join(", ", Roles[..^1])} or {Roles[^1]}");
            return new ChatMessage("user", "");
        }

        var content = OptionReader.Find(message, "content");
        if (content.ValueKind == JsonValueKind.String)
        {
            return new ChatMessage(role.GetString()!, content.GetString()!);
        }

        if (content.ValueKind != JsonValueKind.Array)
        {
            problems.Add($"{path}.content must be a text, or a list of parts {{type, …}}");
            return new ChatMessage("user", "");
        }

        var (texts, attachments) = (new List<string>(), new List<ChatAttachment>());
        foreach (var (index, part) in content.EnumerateArray().Index())
        {
            ReadPart(part, $"{path}.content[{index}]", texts, attachments, problems);
        }

        return new ChatMessage(role.GetString()!, string.Join('\n', texts)) { Attachments = attachments };
    }

    private static void ReadPart(
        JsonElement part, string path, List<string> texts, List<ChatAttachment> attachments, List<string> problems)
    {
        switch (Text(part, "type"))
        {
            case "text" when Text(part, "text") is { } text:
                texts.Add(text);
                break;
            case "image" when Text(part, "image") is { } image:
                attachments.Add(new ChatAttachment(image, Text(part, "mimeType") ?? Text(part, "mediaType"), FileName: null));
                break;
            case "file" when (Text(part, "data") ?? Text(part, "url")) is { } data:
                attachments.Add(new ChatAttachment(data, Text(part, "mimeType") ?? Text(part, "mediaType"), Text(part, "filename") ?? "file"));
                break;
            default:
                problems.Add($"{path} must be {{type:\"text\",text}}, {{type:\"image\",image}} or {{type:\"file\",data,filename,mimeType}}");
                break;
        }
    }

    private static string? Text(JsonElement part, string name) =>
        OptionReader.Find(part, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
}
