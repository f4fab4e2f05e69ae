using System.Text.Json;
using Harness.Agents;
using Microsoft.Extensions.Options;

namespace Harness.Tests.Agents;

/// <summary>Short ways to say what many tests of agents need.</summary>
internal static class Given
{
    public static AgentFactory Factory(AgentOptions? options = null, TimeProvider? time = null) =>
        new(Options.Create(options ?? new AgentOptions()), time);

    public static JsonElement Json(string text) => JsonElement.Parse(text);

    public static AgentTurn Turn(string type, string payload) => new(type, Json(payload));

    public static IReadOnlyDictionary<string, JsonElement> Variables(string json) =>
        new OrderedDictionary<string, JsonElement>(Json(json).EnumerateObject().Select(item => KeyValuePair.Create(item.Name, item.Value)));

    public static async Task<string[]> SayAsync(this IConversation conversation, string text, CancellationToken cancellationToken)
    {
        var reply = await conversation.SendAsync(AgentTurn.Text(text), cancellationToken);
        return reply.Messages();
    }

    public static string[] Messages(this AgentReply reply) => [.. reply.Traces.Select(trace => trace.Message).OfType<string>()];
}
