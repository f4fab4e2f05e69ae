using System.Text.Json;
using Harness.Agents;

namespace Harness.Suites;

/// <summary>An agent as the other side of an agent-to-agent test hears it: one text per turn.</summary>
/// <param name="conversation">With the agent.</param>
/// <param name="lines">The execution's log.</param>
/// <param name="variables">Set with the first turn, whichever that is; null for none.</param>
internal sealed class AgentParty(IConversation conversation, SuiteLines lines, IReadOnlyDictionary<string, JsonElement>? variables)
{
    private IReadOnlyDictionary<string, JsonElement>? _variables = variables;

    public async Task<PartyReply> SayAsync(AgentTurn turn, CancellationToken stop)
    {
        if (_variables is { } variables)
        {
            await lines.WriteAsync($"Including {variables.Count} variables in interaction request");
            (turn, _variables) = (turn with { Variables = variables }, null);
        }

        var reply = await conversation.SendAsync(turn, stop);
        if (reply.Traces.Count == 0)
        {
            await lines.WriteAsync("No response received from Voiceflow");
        }

        var messages = reply.Traces.Select(trace => trace.Message).Where(message => !string.IsNullOrEmpty(message));
        return new PartyReply(string.Join(' ', messages), reply.Traces.FirstOrDefault(trace => trace.Type == "end"));
    }
}

/// <summary>All of an agent's answer to one turn.</summary>
/// <param name="Text">Its messages, joined by a space; empty when it said nothing.</param>
/// <param name="End">The trace that ended the session; null while it goes on.</param>
internal sealed record PartyReply(string Text, AgentTrace? End)
{
    /// <summary>Why the session ended, in the agent's words.</summary>
    public string EndReason =>
        End?.Payload.ValueKind == JsonValueKind.Object
        && End.Payload.TryGetProperty("reason", out var reason)
        && reason.ValueKind == JsonValueKind.String
            ? reason.GetString()!
            : "unknown";
}
