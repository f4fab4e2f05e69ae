using System.Text.Json;

namespace Harness.Agents;

/// <summary>
/// The rules of a scripted agent, from YAML or from the JSON of a request. For every turn the first rule whose <c>when</c> holds
/// answers, else <c>fallback</c>, else nobody (a reply without traces). docs/agents.md shows each form.
/// <code>
/// name: Shop                        # optional, for logs
/// description: Sells pizza          # optional
/// variables: { count: 0 }           # optional: what every conversation begins with
/// rules:
///   - when: launch                  # or: any, or a mapping whose conditions must all hold (a list holds when one of it does):
///   - when: { text: [hi, hello] }   #   the whole text, whatever its case
///   - when: { contains: pizza }     #   a part of the text, whatever its case
///   - when: { words: [pizza, one] } #   whole words of the text, whatever their case
///   - when: { regex: 'I am (?&lt;age&gt;\d+)' }   # a part of the text; without lookaround and back-references
///   - when: { event: reset }        #   also: intent, button (its label); any: whichever there is
///   - when: { contains: size, variables: { premium: true } }
///     forget: true                  # all variables are as in the beginning
///     set: { size: '{text}' }       # sets variables to any value
///     add: { count: 1 }             # adds to a number; a variable that is no number counts as 0
///     delay: 250ms                  # waits before the reply: ms or s, at most 60 s
///     reply:                        # a list of traces; a bare string is a text
///       - text: You said {text}
///       - speak: Hello
///       - choice: [Small, { label: Large, text: large please }, { label: Any, intent: order, entities: { size: any } }]
///       - card: { title: Pizza, description: With cheese, image_url: …, buttons: [Order] }
///       - carousel: [{ title: One }, { title: Two, buttons: [Order] }]
///       - type: my_action           # a trace of any type
///         payload: { any: value }
///       - end: goodbye              # with a reason; true: without
/// fallback: { reply: ['You said {text}'] }
/// </code>
/// In texts <c>{name}</c> stands for a named group of the regex, an intent's entity, <c>text</c> (what the user said, pressed or
/// triggered) or a variable, in this order; other braces stay. The turn's own variables are set before the conditions are looked at.
/// </summary>
internal sealed record Script(
    string Name,
    string? Description,
    IReadOnlyList<KeyValuePair<string, JsonElement>> Variables,
    IReadOnlyList<ScriptRule> Rules,
    ScriptRule? Fallback)
{
    /// <summary>Rules of one script at most.</summary>
    public const int MaxRules = 1_000;

    /// <summary>Longest <c>delay</c>.</summary>
    public static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(60);
}

/// <summary>What happens when its condition holds: forget, set, add, wait, reply; in this order.</summary>
internal sealed record ScriptRule(ScriptCondition When, IReadOnlyList<ScriptTrace> Reply)
{
    /// <summary>Variables to set; strings in the values may hold placeholders.</summary>
    public IReadOnlyList<KeyValuePair<string, JsonElement>> Set { get; init; } = [];

    /// <summary>Variables to add a number to.</summary>
    public IReadOnlyList<KeyValuePair<string, decimal>> Add { get; init; } = [];

    /// <summary>Whether all variables first become what they were in the beginning.</summary>
    public bool Forget { get; init; }

    /// <summary>How long the reply takes.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Forgets, sets and adds.</summary>
    /// <param name="variables">What is changed.</param>
    /// <param name="beginning">What they become when the rule forgets.</param>
    /// <param name="text">Fills what is set, from the same variables.</param>
    /// <exception cref="AgentException">What is set is too long.</exception>
    public void Change(IDictionary<string, JsonElement> variables, IEnumerable<KeyValuePair<string, JsonElement>> beginning, ScriptText text)
    {
        if (Forget)
        {
            variables.Clear();
            foreach (var (name, value) in beginning)
            {
                variables[name] = value;
            }
        }

        foreach (var (name, value) in Set)
        {
            variables[name] = text.Fill(value);
        }

        foreach (var (name, amount) in Add)
        {
            variables[name] = JsonSerializer.SerializeToElement((variables.TryGetValue(name, out var value) ? Number(value) : 0) + amount);
        }
    }

    // A number too large to be counted with counts as none.
    private static decimal Number(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) && Math.Abs(number) < 1e15m ? number : 0;
}

/// <summary>A trace to reply with; strings in the payload may hold placeholders.</summary>
internal sealed record ScriptTrace(string Type, JsonElement Payload);
