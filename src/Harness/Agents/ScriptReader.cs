using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Harness.Agents;

/// <summary>Reads scripts. What is misspelt is an error, not a rule that never answers.</summary>
internal static class ScriptReader
{
    private const string Built = "Harness.Agents.demo.yaml";

    private const RegexOptions PatternOptions =
        RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;

    private static readonly TimeSpan PatternTimeLimit = TimeSpan.FromSeconds(1);

    /// <summary>The rules of the built-in demo agent.</summary>
    public static Script ReadDemo() => ReadResource(Built);

    /// <summary>Rules inside this assembly.</summary>
    public static Script ReadResource(string name)
    {
        using var resource = typeof(ScriptReader).Assembly.GetManifestResourceStream(name)!;
        using var text = new StreamReader(resource);
        return ReadYaml("demo.yaml", text);
    }

    /// <summary>Reads a file of the server.</summary>
    /// <exception cref="AgentException">It cannot be read; names file, line, and what to change.</exception>
    public static Script ReadFile(string path)
    {
        try
        {
            using var text = File.OpenText(path);
            return ReadYaml(path, text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new AgentException($"The agent's script {path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Reads YAML text.</summary>
    /// <exception cref="AgentException">It is no script; names document, line, and what to change.</exception>
    public static Script ReadYaml(string name, TextReader text) =>
        Read(ScriptSource.ReadYaml(name, text).Object("name", "description", "variables", "rules", "fallback"));

    /// <summary>Reads the <c>agent</c> object of a request; what else is in it is the request's business.</summary>
    /// <exception cref="AgentException">It is no script; says where and what to change.</exception>
    public static Script ReadRequest(JsonElement agent) => Read(ScriptSource.Of("agent", agent.Clone()));

    /// <summary>Reads the rules of a document; what else is in it is the caller's business.</summary>
    /// <exception cref="AgentException">They are no rules; says where and what to change.</exception>
    public static Script Read(ScriptNode root)
    {
        var rules = (root.Find("rules") ?? throw root.Error("'rules' is missing: a list of when and reply")).Items().ToArray();
        if (rules.Length > Script.MaxRules)
        {
            throw root.Error($"{rules.Length} rules are too many; at most {Script.MaxRules}");
        }

        return new Script(
            root.Find("name")?.Text() ?? "script",
            root.Find("description")?.Text(),
            [.. Pairs(root.Find("variables"), value => value.Value)],
            [.. rules.Select(rule => ReadRule(rule.Object("when", "forget", "set", "add", "delay", "reply"), When(rule)))],
            root.Find("fallback") is { } fallback
                ? ReadRule(fallback.Object("forget", "set", "add", "delay", "reply"), ScriptCondition.Any)
                : null);
    }

    private static ScriptCondition When(ScriptNode rule) =>
        ReadCondition(rule.Find("when") ?? throw rule.Error("'when' is missing: launch, any, or a mapping of conditions"));

    private static ScriptRule ReadRule(ScriptNode rule, ScriptCondition when)
    {
        IReadOnlyList<ScriptTrace> reply = rule.Find("reply") is { } traces ? [.. traces.Items().Select(ScriptTraceReader.Read)] : [];
        return new ScriptRule(when, reply)
        {
            Set = [.. Pairs(rule.Find("set"), value => value.Value)],
            Add = [.. Pairs(rule.Find("add"), Number)],
            Forget = rule.Find("forget") is { } forget && Truth(forget),
            Delay = rule.Find("delay") is { } delay ? Delay(delay) : TimeSpan.Zero,
        };
    }

    private static ScriptCondition ReadCondition(ScriptNode when)
    {
        if (when.Value.ValueKind == JsonValueKind.String)
        {
            return when.Text() switch
            {
                "launch" => new ScriptCondition { Launch = true },
                "any" => ScriptCondition.Any,
                var other => throw when.Error($"'{Excerpt.Of(other, [])}' is no condition; write launch, any, or {{ text: … }}"),
            };
        }

        when.Object("text", "contains", "words", "regex", "event", "intent", "button", "variables");
        return new ScriptCondition
        {
            Text = when.Find("text")?.Texts(),
            Contains = when.Find("contains")?.Texts(),
            Words = when.Find("words") is { } words ? Words(words) : null,
            Pattern = when.Find("regex") is { } pattern ? Pattern(pattern) : null,
            Event = when.Find("event")?.Texts(),
            Intent = when.Find("intent")?.Texts(),
            Button = when.Find("button")?.Texts(),
            Variables = [.. Pairs(when.Find("variables"), value => value.Value)],
        };
    }

    private static IEnumerable<KeyValuePair<string, T>> Pairs<T>(ScriptNode? mapping, Func<ScriptNode, T> read) =>
        mapping?.Properties().Select(item => KeyValuePair.Create(item.Name, read(item.Value))) ?? [];

    private static IReadOnlyList<string> Words(ScriptNode node)
    {
        var words = node.Texts();
        return words.All(word => word.Length > 0) ? words : throw node.Error("a word has at least one letter");
    }

    private static Regex Pattern(ScriptNode node)
    {
        try
        {
            return new Regex(node.Text(), PatternOptions, PatternTimeLimit);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw node.Error($"this regular expression cannot be used: {exception.Message}");
        }
    }

    private static bool Truth(ScriptNode node) => node.Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw node.Error("true or false is expected here"),
    };

    private static decimal Number(ScriptNode node) =>
        node.Value.ValueKind == JsonValueKind.Number && node.Value.TryGetDecimal(out var number) && Math.Abs(number) < 1e12m
            ? number
            : throw node.Error("a number is expected here");

    /// <summary>A time such as <c>250ms</c>, at most <see cref="Script.MaxDelay"/>.</summary>
    /// <exception cref="AgentException">It is none.</exception>
    public static TimeSpan Delay(ScriptNode node)
    {
        var text = node.Text().Trim();
        var (number, unit) = text.EndsWith("ms", StringComparison.Ordinal) ? (text[..^2], 1.0)
            : text.EndsWith('s') ? (text[..^1], 1000.0)
            : ("", 0);
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
            && amount * unit <= Script.MaxDelay.TotalMilliseconds
            ? TimeSpan.FromMilliseconds(amount * unit)
            : throw node.Error("a delay is written such as 250ms or 1.5s, and is at most 60s");
    }
}
