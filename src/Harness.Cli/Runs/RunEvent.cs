using System.Text.Json;

namespace Harness.Cli.Runs;

/// <summary>One event of a run, as every transport has it: <c>{"type":"log",…}</c>.</summary>
/// <param name="Type"><c>log</c>, <c>status</c>, <c>result</c>, <c>truncated</c>, <c>error</c>, or one we do not know.</param>
/// <param name="Json">The whole document.</param>
internal readonly record struct RunEvent(string Type, JsonElement Json)
{
    public string? Id => Json.Text("id");

    public string Message => Json.Text("message") ?? "";

    public JsonElement Data => Json.TryGetProperty("data", out var data) ? data : default;

    /// <summary>When it was said; null when the server does not tell.</summary>
    public DateTimeOffset? Time => Json.Time("ts");

    /// <exception cref="JsonException">It is not one JSON object with a <c>type</c>.</exception>
    public static RunEvent Parse(ReadOnlySpan<byte> utf8)
    {
        var json = JsonElement.Parse(utf8);
        return json.ValueKind == JsonValueKind.Object && json.Text("type") is { } type
            ? new RunEvent(type, json)
            : throw new JsonException("An event without a type");
    }
}
