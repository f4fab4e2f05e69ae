using System.Text.Json;

namespace Harness.Agents;

/// <summary>Puts a turn into words for agents that only read.</summary>
internal static class TurnWords
{
    /// <summary>The text of a text turn and the label of a button as they are; everything else as a remark in brackets.</summary>
    /// <exception cref="AgentException">It holds text that is not Unicode.</exception>
    public static string Of(AgentTurn turn)
    {
        var said = ScriptTurn.Read(turn);
        return said switch
        {
            { IsLaunch: true } => "[The conversation begins. Greet the user with your opening message.]",
            { Text: { } text } => text,
            { Button: { } label } => label,
            { Intent: { } intent } => $"[The user's intent: {intent}{Entities(said)}]",
            { Event: { } name } => $"[An event happened: {name}]",
            _ => $"[{turn.Type}{(turn.Payload is { ValueKind: not JsonValueKind.Null } payload ? $": {payload.GetRawText()}" : "")}]",
        };
    }

    private static string Entities(ScriptTurn turn) =>
        string.Concat(turn.Captures.Select((entity, index) => $"{(index == 0 ? " with " : ", ")}{entity.Key} = {entity.Value}"));
}
