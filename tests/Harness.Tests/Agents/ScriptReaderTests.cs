using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class ScriptReaderTests
{
    [Theory]
    [InlineData("a: ]", "s.yaml, line 1: this is not YAML: ")]
    [InlineData("rules: []\nrules: []", "s.yaml, line 2: this is not YAML: ")]
    [InlineData("", "s.yaml: one YAML document is expected, not 0")]
    [InlineData("- a", "s.yaml, line 1: a mapping is expected here, with name, description, variables, rules, fallback")]
    [InlineData("name: x", "s.yaml, line 1: 'rules' is missing: a list of when and reply")]
    [InlineData("rules: {}", "s.yaml, line 1, rules: a list is expected here")]
    [InlineData("rule: []", "s.yaml, line 1, rule: 'rule' is not known here; known are name, description, variables, rules, fallback")]
    [InlineData("rules:\n- reply: [a]", "s.yaml, line 2, rules[0]: 'when' is missing: launch, any, or a mapping of conditions")]
    [InlineData("rules:\n- when: start", "s.yaml, line 2, rules[0].when: 'start' is no condition; write launch, any, or { text: … }")]
    [InlineData("rules:\n- when: { txt: a }", "s.yaml, line 2, rules[0].when.txt: 'txt' is not known here; known are text, contains, words, regex")]
    [InlineData("rules:\n- when: { text: [] }", "s.yaml, line 2, rules[0].when.text: a text or a list of texts is expected here; the list is empty")]
    [InlineData("rules:\n- when: { text: { a: b } }", "s.yaml, line 2, rules[0].when.text: a text is expected here")]
    [InlineData("rules:\n- when: { words: '' }", "s.yaml, line 2, rules[0].when.words: a word has at least one letter")]
    [InlineData("rules:\n- when:\n    regex: '('", "s.yaml, line 3, rules[0].when.regex: this regular expression cannot be used: ")]
    [InlineData("rules:\n- when:\n    regex: '(?=a)'", "s.yaml, line 3, rules[0].when.regex: this regular expression cannot be used: ")]
    [InlineData("rules:\n- when:\n    regex: '(a{1000}){1000}'", "s.yaml, line 3, rules[0].when.regex: this regular expression cannot be used: ")]
    [InlineData("rules:\n- when: any\n  reply: a", "s.yaml, line 3, rules[0].reply: a list is expected here")]
    [InlineData("rules:\n- when: any\n  reply:\n  - text: a\n    speak: b", "s.yaml, line 4, rules[0].reply[0]: a trace is one of text, speak")]
    [InlineData("rules:\n- when: any\n  reply:\n  - payload: a", "s.yaml, line 4, rules[0].reply[0]: 'payload' needs a 'type' beside it")]
    [InlineData("rules:\n- when: any\n  reply:\n  - choice:\n    - text: a", "s.yaml, line 5, rules[0].reply[0].choice[0]: a button needs a 'label'")]
    [InlineData("rules:\n- when: any\n  delay: 5", "s.yaml, line 3, rules[0].delay: a delay is written such as 250ms or 1.5s, and is at most 60s")]
    [InlineData("rules:\n- when: any\n  delay: 61s", "s.yaml, line 3, rules[0].delay: a delay is written such as 250ms or 1.5s, and is at most 60s")]
    [InlineData("rules:\n- when: any\n  delay: -1s", "s.yaml, line 3, rules[0].delay: a delay is written such as 250ms or 1.5s, and is at most 60s")]
    [InlineData("rules:\n- when: any\n  add: { a: b }", "s.yaml, line 3, rules[0].add.a: a number is expected here")]
    [InlineData("rules:\n- when: any\n  set: [a]", "s.yaml, line 3, rules[0].set: a mapping of names to values is expected here")]
    [InlineData("rules:\n- when: any\n  forget: 1", "s.yaml, line 3, rules[0].forget: true or false is expected here")]
    [InlineData("rules: []\nfallback: { when: any }", "s.yaml, line 2, fallback.when: 'when' is not known here")]
    [InlineData("rules: &r\n- *r", "s.yaml, line 2: the alias *r names no anchor that ends before it")]
    public void AMistakeIsNamedWithItsLineAndWhatToChange(string yaml, string message)
    {
        using var text = new StringReader(yaml);

        var failure = Assert.Throws<AgentException>(() => ScriptReader.ReadYaml("s.yaml", text));

        Assert.StartsWith(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAliasOfAliasesEndsAtALimit()
    {
        using var text = new StringReader(
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range('b', 8).Select(
                letter => $"{(char)letter}: &{(char)letter} [{string.Join(',', Enumerable.Repeat($"*{(char)(letter - 1)}", 10))}]\n")));

        var failure = Assert.Throws<AgentException>(() => ScriptReader.ReadYaml("s.yaml", text));

        Assert.Contains("more than 100000 values here", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMistakeInARequestIsNamedByItsPath()
    {
        var agent = Given.Json("""{"type":"scripted","rules":[{"when":"any","reply":["a"]},{"when":{"text":null},"replies":[]}]}""");

        var failure = Assert.Throws<AgentException>(() => ScriptReader.ReadRequest(agent));

        Assert.StartsWith("agent, rules[1].replies: 'replies' is not known here", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100_000)]
    [InlineData(130)]
    public void FileThatIsNestedTooDeepIsRefusedAndEndsNoProcess(int depth)
    {
        using var text = new StringReader($"rules: {new string('[', depth)}{new string(']', depth)}");

        var failure = Assert.Throws<AgentException>(() => ScriptReader.ReadYaml("s.yaml", text));

        Assert.StartsWith("s.yaml, line 1: nested deeper than 128 levels", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TooManyRulesAreRefused()
    {
        var agent = Given.Json($$"""{"rules":[{{string.Join(',', Enumerable.Repeat("1", Script.MaxRules + 1))}}]}""");

        Assert.Equal("agent: 1001 rules are too many; at most 1000", Assert.Throws<AgentException>(() => ScriptReader.ReadRequest(agent)).Message);
    }

    [Fact]
    public void AFileThatIsNotThereIsNamed()
    {
        var failure = Assert.Throws<AgentException>(() => ScriptReader.ReadFile("no-such-script.yaml"));

        Assert.StartsWith("The agent's script no-such-script.yaml cannot be read: ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EverySampleCanBeRead()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Harness.sln")))
        {
            root = root.Parent!;
        }

        var samples = Directory.GetFiles(Path.Combine(root.FullName, "samples", "agents"), "*.yaml");

        Assert.NotEmpty(samples);
        Assert.All(samples, sample => Assert.NotEmpty(ScriptReader.ReadFile(sample).Rules));
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("-1.50", "-1.50")]
    [InlineData("'1'", "\"1\"")]
    [InlineData("01", "\"01\"")]
    [InlineData("1.2.3", "\"1.2.3\"")]
    [InlineData("true", "true")]
    [InlineData("\"true\"", "\"true\"")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("~", "null")]
    [InlineData("[a, {b: 1}]", """["a",{"b":1}]""")]
    public void PlainValuesHaveTheirTypes(string yaml, string json)
    {
        using var text = new StringReader($"rules: []\nvariables: {{ v: {yaml} }}");

        Assert.Equal(json, ScriptReader.ReadYaml("s.yaml", text).Variables[0].Value.GetRawText());
    }
}
