using System.Text.Json;
using Harness.Executions;

namespace Harness.Cli.Hub;

/// <summary>One event of an execution, as every transport has it: <c>{"type":"log",…}</c>.</summary>
/// <param name="Type"><c>log</c>, <c>status</c>, <c>result</c>, <c>truncated</c>, <c>error</c>, or one we do not know.</param>
/// <param name="Json">The whole document.</param>
internal readonly record struct HubEvent(string Type, JsonElement Json)
{
    /// <summary>The type of <see cref="Notice"/>; no server sends it.</summary>
    public const string NoticeType = "notice";

    public string? Id => Json.Text("id");

    public string Message => Json.Text("message") ?? "";

    public JsonElement Data => Json.TryGetProperty("data", out var data) ? data : default;

    /// <summary>When it was said; null when the server does not tell.</summary>
    public DateTimeOffset? Time => Json.Time("ts");

    /// <summary>Its number in the execution's log; null for what is not of the log, and from servers that do not number.</summary>
    public long? Sequence => Json.Whole("seq");

    /// <summary>Whether it says that the execution waits to be resumed.</summary>
    public bool IsSuspension => Type == "status" && Data.Text("status") == "suspended";

    /// <summary>What the client itself has to say, in its place among the events.</summary>
    public static HubEvent Notice(string message) => new(NoticeType, JsonSerializer.SerializeToElement(new { type = NoticeType, message }));

    /// <exception cref="JsonException">It is not one JSON object with a <c>type</c>.</exception>
    public static HubEvent Parse(ReadOnlySpan<byte> utf8)
    {
        var json = JsonElement.Parse(utf8, JsonDepth.Kept);
        return json.ValueKind == JsonValueKind.Object && json.Text("type") is { } type
            ? new HubEvent(type, json)
            : throw new JsonException("An event without a type");
    }
}
