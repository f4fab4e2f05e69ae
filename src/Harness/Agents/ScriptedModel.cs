using System.Text.Json;

namespace Harness.Agents;

/// <summary>
/// A language model whose answers are written down, for tests and for work without a network. As YAML:
/// <code>
/// answers:
///   - { contains: goal, answer: 'YES' }   # whenever a message of the prompt contains this, whatever its case; the first one wins
///   - Hello, I would like a pizza.        # else these, each once, in order
/// </code>
/// </summary>
public sealed class ScriptedModel : ILanguageModel
{
    private readonly Func<ModelPrompt, string?> _answer;

    /// <summary>Answers what the function gives; null is an error for who asked. It must be thread-safe.</summary>
    public ScriptedModel(Func<ModelPrompt, string?> answer) => _answer = answer;

    /// <summary>Gives each answer once, in order.</summary>
    public ScriptedModel(params IEnumerable<string> answers)
    {
        var left = new System.Collections.Concurrent.ConcurrentQueue<string>(answers);
        _answer = _ => left.TryDequeue(out var answer) ? answer : null;
    }

    /// <summary>Reads answers from YAML.</summary>
    /// <param name="name">What the text is called in errors, such as its file name.</param>
    /// <param name="yaml">The text.</param>
    /// <exception cref="AgentException">It has another form; names the line and what to change.</exception>
    public static ScriptedModel ReadYaml(string name, TextReader yaml)
    {
        var root = ScriptSource.ReadYaml(name, yaml).Object("answers");
        var items = (root.Find("answers") ?? throw root.Error("'answers' is missing: a list of texts")).Items().ToArray();
        var always = items.Where(IsConditional).Select(Conditional).ToArray();
        var once = new ScriptedModel(items.Where(item => !IsConditional(item)).Select(item => item.Text()));
        return new ScriptedModel(prompt => Find(always, prompt) ?? once._answer(prompt));
    }

    /// <inheritdoc/>
    public Task<string> CompleteAsync(ModelPrompt prompt, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_answer(prompt) ?? throw new AgentException("The scripted language model has no answer left; add one to its list"));
    }

    private static bool IsConditional(ScriptNode item) => item.Value.ValueKind == JsonValueKind.Object;

    private static (string Part, string Answer) Conditional(ScriptNode item)
    {
        item.Object("contains", "answer");
        var part = item.Find("contains") ?? throw item.Error("'contains' is missing; an answer without a condition is a plain text");
        return (part.Text(), (item.Find("answer") ?? throw item.Error("'answer' is missing")).Text());
    }

    private static string? Find((string Part, string Answer)[] always, ModelPrompt prompt) => always
        .Where(item => prompt.Messages.Any(message => message.Content.Contains(item.Part, StringComparison.OrdinalIgnoreCase)))
        .Select(item => item.Answer)
        .FirstOrDefault();
}
