using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Tests.Agents;
using Harness.Workflows;

namespace Harness.Tests.Workflows;

/// <summary>Workflows in YAML: what each sort of step does, and what is said of a file that is wrong.</summary>
public sealed class WorkflowReaderTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WorkflowOfAFileRunsWithWaitConditionAndParallel()
    {
        const string Yaml = """
            id: order-approval
            name: Order approval
            purpose: Process and approve customer orders
            input:
              type: object
              required: [orderId, amount]
              properties: { amount: { type: number } }
            steps:
              - id: note
                name: Take note
                set: { text: "Order {{input.orderId}} of {{ input.amount }}", total: "{{data.amount}}" }
              - id: large
                condition:
                  if: { value: "{{data.total}}", above: 1000 }
                  then:
                    - id: manager
                      wait-for-resume:
                        reason: "Waiting for {{steps.note.text}}"
                        data: { total: "{{data.total}}" }
                        resume: { type: object, required: [approved] }
                  else:
                    - id: auto
                      set: { approved: true }
              - id: tell
                parallel:
                  branches:
                    - - id: left
                        set: { side: left }
                    - - id: right
                        sleep: 0s
              - id: end
                set: { approved: "{{data[0].approved}}", side: "{{steps.left.side}}", missing: "{{steps.auto.approved}}" }
            """;
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml(Yaml));
        var execution = stage.Start("""{"orderId":"o7","amount":5000}""");
        var suspension = await WorkflowStage.SuspendedAsync(execution);

        Assert.Equal("Waiting for Order o7 of 5000", suspension.Reason);
        Assert.Contains("\"data\":{\"total\":5000}", Encoding.UTF8.GetString(suspension.Details.Span));
        Assert.True(stage.Resume(execution, """{"approved":true}"""));
        var result = await execution.Completion.WaitAsync(Stop);
        Assert.Equal("""{"output":{"approved":true,"side":"left","missing":null}}""", Encoding.UTF8.GetString(result.Details.Span));
        Assert.Contains("\"approved\":true", (await stage.RunAsync("""{"orderId":"o8","amount":1}""")).GetProperty("output").GetRawText());
    }

    [Theory]
    [InlineData("""{ value: "{{input}}", equals: 5 }""", "5", true)]
    [InlineData("""{ value: "{{input}}", differs-from: 5 }""", "5", false)]
    [InlineData("""{ value: "{{input}}", at-least: 5, at-most: 6 }""", "7", false)]
    [InlineData("""{ value: "{{input.a}}", contains: x }""", """{"a":["x"]}""", true)]
    [InlineData("""{ value: "{{input}}", one-of: [a, b] }""", "\"b\"", true)]
    [InlineData("""{ value: "{{input.a}}", exists: false }""", "{}", true)]
    [InlineData("""{ value: b, one-of: "{{input}}" }""", """["a","b"]""", true)]
    [InlineData("""{ value: b, one-of: "{{input}}" }""", "\"abc\"", false)]
    [InlineData("""{ value: 1, exists: "{{input}}" }""", "true", true)]
    [InlineData("""{ value: "{{input}}", above: 5 }""", "\"text\"", false)]
    [InlineData("""{ any: [{ value: 1, equals: 2 }, { not: { value: "{{input}}", below: 0 } }] }""", "1", true)]
    [InlineData("""{ all: [{ value: 1, equals: 1 }, { value: "{{input}}", below: 0 }] }""", "1", false)]
    public async Task ConditionsAreWhatTheySay(string condition, string input, bool holds)
    {
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml($$"""
            steps:
              - id: choose
                condition:
                  if: {{condition}}
                  then: [{ id: yes, set: { holds: true } }]
                  else: [{ id: no, set: { holds: false } }]
            """));

        Assert.Equal(holds, (await stage.RunAsync(input)).GetProperty("output").GetProperty("holds").GetBoolean());
    }

    [Fact]
    public async Task HttpStepCallsAndGivesTheAnswer()
    {
        await using var server = new FakeHttp(request => new FakeAnswer(
            request.Path == "/bad" ? 500 : 200, $$"""{"token":"{{request.Headers["Authorization"]}}","sent":{{request.Body}}}"""));
        Environment.SetEnvironmentVariable("HARNESS_TEST_TOKEN", "t0k3n");
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml($$$"""
            steps:
              - id: call
                http:
                  method: POST
                  url: "{{{server.Url}}}/{{input.path}}"
                  headers: { Authorization: "Bearer {{env.HARNESS_TEST_TOKEN}}" }
                  body: { name: "{{input.path}}" }
            """));

        var good = await stage.RunAsync("""{"path":"good"}""");
        var bad = await stage.RunAsync("""{"path":"bad"}""");

        Assert.Equal("""{"status":200,"body":{"token":"Bearer t0k3n","sent":{"name":"good"}}}""", good.GetProperty("output").GetRawText());
        Assert.Equal($"Step 'call' failed: {new Uri(server.Url).Authority} answered with status 500", bad.GetProperty("error").GetString());
    }

    [Fact]
    public async Task OfAMemberThatIsThereTwiceSetKeepsTheLast()
    {
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml("""
            steps:
              - id: a
                set: { c: "{{data.b}}" }
            """));

        var ended = await stage.RunAsync("""{"b":1,"a":{"x":1,"x":2},"b":2}""");

        Assert.Equal("""{"b":2,"a":{"x":1,"x":2},"c":2}""", ended.GetProperty("output").GetRawText());
    }

    [Theory]
    [InlineData("/find?q={{input.q}}&n={{input.n}}#{{input.q}}", """{"q":"a b&c#d","n":7}""", "/find?q=a%20b%26c%23d&n=7")]
    [InlineData("/users/{{input.id}}/orders", """{"id":"../admin?x"}""", "/users/..%2Fadmin%3Fx/orders")]
    [InlineData("/users/{{input.id}}", """{"id":"Zoë/\\"}""", "/users/Zo%C3%AB%2F%5C")]
    [InlineData("?q={{input.q}}", """{"q":".."}""", "/?q=..")]
    [InlineData("/{{env.HARNESS_TEST_PATH}}{{input.q}}", """{"q":"="}""", "/v1/find?q=%3D")]
    public async Task ValuesInTheUrlOfAnHttpStepAreEncodedBehindItsHost(string url, string input, string path)
    {
        await using var server = new FakeHttp(_ => "{}");
        Environment.SetEnvironmentVariable("HARNESS_TEST_PATH", "v1/find?q=");
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml($$"""
            steps:
              - id: call
                http: { url: "{{server.Url}}{{url}}" }
            """));

        await stage.RunAsync(input);

        Assert.Equal(path, Assert.Single(server.Requests).Path);
    }

    [Theory]
    [InlineData("{{input.url}}")]
    [InlineData("{{input.base}}/users/{{input.id}}?q=1")]
    [InlineData("http://{{input.host}}/users/{{input.id}}?q=1")]
    public async Task ValuesInTheUrlOfAnHttpStepUpToItsHostAreTakenAsTheyAre(string url)
    {
        await using var server = new FakeHttp(_ => "{}");
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml($$"""
            steps:
              - id: call
                http: { url: "{{url}}" }
            """));

        await stage.RunAsync($$"""{"url":"{{server.Url}}/users/7?q=1","base":"{{server.Url}}","host":"{{new Uri(server.Url).Authority}}","id":7}""");

        Assert.Equal("/users/7?q=1", Assert.Single(server.Requests).Path);
    }

    [Theory]
    [InlineData("http://{{input.x}}.example.com/", "127.0.0.1/", "A value in the host of the url must not have any of / ? # @ \\")]
    [InlineData("http://{{input.x}}.example.com/", "127.0.0.1?", "A value in the host of the url must not have any of / ? # @ \\")]
    [InlineData("http://api{{input.x}}", "@127.0.0.1", "A value in the host of the url must not have any of / ? # @ \\")]
    [InlineData("http://127.0.0.1:1/users/{{input.x}}/orders", "..", "A value in the path of the url must not be . or ..")]
    public async Task ValueThatLeadsTheUrlOfAnHttpStepElsewhereIsRefused(string url, string value, string problem)
    {
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml($$"""
            steps:
              - id: call
                http: { url: "{{url}}" }
            """));

        var ended = await stage.RunAsync($$"""{"x":"{{value}}"}""");

        Assert.Equal($"Step 'call' failed: {problem}", ended.GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("x\\r\\nX-Admin: 1")]
    [InlineData("Zoë")]
    public async Task HeaderOfAnHttpStepIsOneLineOfAsciiWhateverTheInputSays(string name)
    {
        await using var server = new FakeHttp(_ => "{}");
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml($$$"""
            steps:
              - id: call
                http: { url: "{{{server.Url}}}/", headers: { X-Name: "{{input.name}}" } }
            """));

        var ended = await stage.RunAsync($$"""{"name":"{{name}}"}""");

        Assert.Equal(
            "Step 'call' failed: The header 'X-Name' cannot be sent: its value holds a line break, or a character outside ASCII",
            ended.GetProperty("error").GetString());
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task StepThatWaitsAsksAlsoWhenItIsJumpedToWithNothing()
    {
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml("""
            steps:
              - id: approve
                wait-for-resume: { resume: { type: object, required: [approved] } }
              - id: confirm
                wait-for-resume: {}
            """));
        var execution = stage.Start();
        await WorkflowStage.SuspendedAsync(execution);
        Assert.True(stage.Resume(execution, """{"approved":false}"""));
        await WorkflowStage.SuspendedAsync(execution, times: 2);

        Assert.True(stage.Resume(execution, at: "approve"));
        await WorkflowStage.SuspendedAsync(execution, times: 3);

        Assert.Equal(
            ["workflow-resumed approve", "step-start approve", "workflow-suspended approve"], (await WorkflowStage.EventsOfAsync(execution))[^3..]);
        Assert.Equal(
            "Invalid resume data: resumeData is missing", Assert.Throws<ExecutionInputException>(() => stage.Resume(execution)).Message);
    }

    [Fact]
    public async Task StepThatWaitsAsksAlsoWhenItWasSuspendedFromOutsideBeforeItBegan()
    {
        var (began, mayEnd) = (new TaskCompletionSource(), new TaskCompletionSource());
        var stubborn = new WorkflowStep
        {
            Id = "stubborn",
            Type = StepType.Function,
            Run = async (context, _) =>
            {
                began.SetResult();
                await mayEnd.Task;
                return StepOutcome.Completed(context.Data);
            },
        };
        var approval = WorkflowStage.ReadYaml("""
            steps:
              - id: approve
                wait-for-resume: { resume: { type: object, required: [approved] } }
            """);
        using var stage = await WorkflowStage.OpenAsync(approval with { Steps = [stubborn, .. approval.Steps] });
        var execution = stage.Start();
        await began.Task.WaitAsync(Stop);
        var suspending = stage.Registry.SuspendAsync(execution, "Maintenance", Stop);
        mayEnd.SetResult();
        Assert.Equal("Maintenance", (await suspending)?.Reason);

        Assert.True(stage.Resume(execution));
        await WorkflowStage.SuspendedAsync(execution, times: 2);

        Assert.True(stage.Resume(execution, """{"approved":true}"""));
        var result = await execution.Completion.WaitAsync(Stop);
        Assert.Equal("""{"output":{"approved":true}}""", Encoding.UTF8.GetString(result.Details.Span));
    }

    [Fact]
    public async Task AnswerOfAnHttpStepThatBeginsWithAByteOrderMarkIsAValueToo()
    {
        await using var server = new FakeHttp(_ => "\uFEFF{\"total\":3}");
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml($$"""
            steps:
              - id: call
                http: { url: "{{server.Url}}/" }
            """));

        Assert.Equal("""{"status":200,"body":{"total":3}}""", (await stage.RunAsync()).GetProperty("output").GetRawText());
    }

    [Theory]
    [InlineData("""{"text":"cut \ud83d"}""", """{"status":200,"body":{"text":"cut \uFFFD"}}""")]
    [InlineData("""cut \ud83d""", """{"status":200,"body":"cut \\ud83d"}""")]
    public async Task AnswerOfAnHttpStepThatWasCutWithinAnEmojiIsTaken(string answer, string output)
    {
        await using var server = new FakeHttp(_ => answer);
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml($$"""
            steps:
              - id: call
                http: { url: "{{server.Url}}/" }
            """));

        var ended = await stage.RunAsync();

        Assert.Equal(JsonElement.Parse(output), ended.GetProperty("output"), JsonElement.DeepEquals);
    }

    [Fact]
    public async Task AnswerOfAnHttpStepThatIsNotCompressedAsItSaysIsNamed()
    {
        await using var server = new FakeHttp(_ => new FakeAnswer(200, "no gzip") { Headers = ["Content-Encoding: gzip"] });
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml($$"""
            steps:
              - id: call
                http: { url: "{{server.Url}}/" }
            """));

        Assert.Equal(
            $"Step 'call' failed: The answer of {new Uri(server.Url).Authority} is not compressed as it says",
            (await stage.RunAsync()).GetProperty("error").GetString());
    }

    [Fact]
    public async Task AnswerOfAnHttpStepThatIsTooLongIsRefusedAndNotCut()
    {
        await using var server = new FakeHttp(_ => new string('x', WorkflowJson.MaxValueBytes + 1));
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml($$"""
            steps:
              - id: call
                http: { url: "{{server.Url}}/" }
            """));

        Assert.Equal(
            $"Step 'call' failed: The answer of {new Uri(server.Url).Authority} has more than {WorkflowJson.MaxValueBytes} bytes",
            (await stage.RunAsync()).GetProperty("error").GetString());
    }

    [Fact]
    public async Task StepWhoseIdHasDotsCanBeLookedAt()
    {
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml("""
            steps:
              - id: v1.check
                set: { total: { net: 3 } }
              - id: v1
                set: { total: 4 }
              - id: both
                set: { old: "{{steps.v1.check.total.net}}", new: "{{steps.v1.total}}", whole: "{{steps.v1.check}}" }
            """));

        Assert.Equal(
            """{"total":4,"old":3,"new":4,"whole":{"total":{"net":3}}}""", (await stage.RunAsync()).GetProperty("output").GetRawText());
    }

    [Fact]
    public async Task PlainValuesAreWhatYamlSaysTheyAre()
    {
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml("""
            steps:
              - id: a
                repeatable: True
                set: { a: True, b: FALSE, c: Null, d: +1.5, e: 2026-01-02, f: "True", g: .5 }
            """));

        Assert.Equal(
            """{"a":true,"b":false,"c":null,"d":1.5,"e":"2026-01-02","f":"True","g":0.5}""", (await stage.RunAsync()).GetProperty("output").GetRawText());
    }

    [Theory]
    [InlineData("steps: []", "test.yaml, line 1, steps: at least one step is expected here")]
    [InlineData("name: x", "test.yaml, line 1: 'steps' is missing")]
    [InlineData("stepz: []", "test.yaml, line 1, stepz: unknown field 'stepz'; known here: id, name, purpose, input, result, suspend, resume, steps")]
    [InlineData("steps:\n  - id: a\n    sleep: 99999999999999d", "test.yaml, line 3, steps[0].sleep: a time is expected here, such as 500ms, 5s, 10m, 2h or 1d (up to a year), not '99999999999999d'")]
    [InlineData("steps:\n  - id: a\n    condition: { if: { all: [], value: 1, equals: 1 }, then: [] }", "test.yaml, line 3, steps[0].condition.if: 'all' stands alone, without value, equals")]
    [InlineData("steps:\n  - id: a\n    sleep: soon", "test.yaml, line 3, steps[0].sleep: a time is expected here, such as 500ms, 5s, 10m, 2h or 1d (up to a year), not 'soon'")]
    [InlineData("steps:\n  - id: a", "test.yaml, line 2, steps[0]: what the step does is missing: one of agent, http, condition, parallel, sleep, wait-for-resume, set")]
    [InlineData("steps:\n  - id: a\n    sleep: 1s\n    set: {}", "test.yaml, line 2, steps[0]: a step does one thing, not sleep and set")]
    [InlineData("steps:\n  - sleep: 1s", "test.yaml, line 2, steps[0]: 'id' is missing")]
    [InlineData("steps:\n  - { id: a, sleep: 1s }\n  - { id: a, sleep: 1s }", "test.yaml, line 3, steps[1].id: there are two steps 'a'")]
    [InlineData("steps:\n  - id: a\n    set: { x: \"{{steps.b.x}}\" }", "test.yaml, line 3, steps[0].set.x: {{steps.b.x}} looks at a step that is not there")]
    [InlineData("steps:\n  - id: a\n    set: { x: \"{{output.x}}\" }", "test.yaml, line 3, steps[0].set.x: {{output.x}} looks at nothing: begin with one of input, data, steps, state, resume, user, env, then names between dots")]
    [InlineData("steps:\n  - id: a\n    set: { x: \"{{env.KEY}}\" }", "test.yaml, line 3, steps[0].set.x: {{env.NAME}} may only be used in the url, the headers and the body of an http step: anywhere else it would be shown")]
    [InlineData("steps:\n  - id: a\n    set: { x: \"{{input\" }", "test.yaml, line 3, steps[0].set.x: '{{' has no '}}'")]
    [InlineData("input: { type: text }\nsteps:\n  - { id: a, sleep: 1s }", "test.yaml, line 1, input: schema.type must be one of string, number, integer, boolean, object, array and null, or a list of them")]
    [InlineData("steps:\n  - id: a\n    http: { method: FETCH, url: x }", "test.yaml, line 3, steps[0].http.method: the method is one of GET, POST, PUT, PATCH, DELETE, HEAD, not 'FETCH'")]
    [InlineData("steps:\n  - id: a\n    condition: { if: { value: 1 }, then: [] }", "test.yaml, line 3, steps[0].condition.if: a test of the value is missing: one of equals, differs-from, above, below, at-least, at-most, contains, one-of, exists")]
    [InlineData("steps:\n  - id: a\n    condition: { if: { value: 1, exists: yes }, then: [] }", "test.yaml, line 3, steps[0].condition.if.exists: true or false is expected here")]
    [InlineData("steps:\n  - id: a\n    condition: { if: { value: 1, one-of: DE }, then: [] }", "test.yaml, line 3, steps[0].condition.if.one-of: a list is expected here")]
    [InlineData("steps:\n  - id: a b\n    sleep: 1s", "test.yaml, line 2, steps[0].id: an id has 1 to 64 letters, digits, dots, dashes and underscores, not 'a b'")]
    [InlineData("- a", "test.yaml, line 1: an object is expected here")]
    public void FileThatIsWrongIsRefusedWithLineAndField(string yaml, string message) =>
        Assert.Equal(message, Assert.Throws<WorkflowFormatException>(() => WorkflowStage.ReadYaml(yaml)).Message);

    [Theory]
    [InlineData("steps: [{ id: s, set: { a: &x [*x] } }]", 1)]
    [InlineData("steps:\n  - id: s\n    condition: { if: &c { not: *c }, then: [{ id: t, sleep: 1s }] }", 3)]
    [InlineData("steps: &x\n  - id: s\n    parallel: { branches: [*x] }", 3)]
    [InlineData("steps:\n- id: s\n  set:\n    b: &x 1\n    a: &x [*x]", 5)]
    [InlineData("steps: [{ id: s, set: { b: *x, a: &x 1 } }]", 1)]
    public void AliasOfWhatHasNotEndedIsRefusedWithItsLine(string yaml, int line)
    {
        var refused = Assert.Throws<WorkflowFormatException>(() => WorkflowStage.ReadYaml(yaml)).Message;

        Assert.Matches($@"^test\.yaml, line {line}: the alias \*[xc] names no anchor that ends before it$", refused);
    }

    [Fact]
    public async Task AliasesAreTheValuesTheyStandFor()
    {
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml("""
            input: &any { type: object }
            resume: *any
            steps:
              - id: a
                set: { list: &list [1, "{{input.x}}"], again: [*list, *list] }
            """));

        Assert.Equal(
            """{"x":2,"list":[1,2],"again":[[1,2],[1,2]]}""", (await stage.RunAsync("""{"x":2}""")).GetProperty("output").GetRawText());
    }

    [Fact]
    public void AliasesOfAliasesAreCountedWhereTheyAreUsed()
    {
        var members = Enumerable.Range(1, 9).Select(level => $"a{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 10))}]");
        var yaml = $"steps:\n- id: s\n  set:\n    a0: &a0 ha\n    {string.Join("\n    ", members)}";

        var refused = Assert.Throws<WorkflowFormatException>(() => WorkflowStage.ReadYaml(yaml));

        Assert.Equal(
            "test.yaml, line 9: more than 100000 values here: aliases count where they are used, and a text once more for each 100 characters", refused.Message);
    }

    [Fact]
    public void AliasesOfLongTextsAreCountedByTheirLength()
    {
        var yaml = $"steps:\n- id: s\n  set:\n    a: &a \"{new string('x', 1_000_000)}\"\n    b: [{string.Join(", ", Enumerable.Repeat("*a", 20))}]";

        Assert.StartsWith(
            "test.yaml, line 5: more than 100000 values here", Assert.Throws<WorkflowFormatException>(() => WorkflowStage.ReadYaml(yaml)).Message);
    }

    [Theory]
    [InlineData(100_000)]
    [InlineData(125)]
    public void FileThatIsNestedTooDeepIsRefused(int depth) => Assert.Equal(
        "test.yaml, line 1: nested deeper than 128 levels, aliases counted as deep as what they stand for",
        Assert.Throws<WorkflowFormatException>(() => WorkflowStage.ReadYaml(
            $"steps: [{{ id: s, set: {{ a: {new string('[', depth)}{new string(']', depth)} }} }}]")).Message);

    [Fact]
    public void ChainOfAliasesIsAsDeepAsWhatItStandsFor()
    {
        var yaml = $"steps: [{{ id: s, set: {{ a0: &a0 [], {string.Join(", ", Enumerable.Range(1, 200).Select(level => $"a{level}: &a{level} [*a{level - 1}]"))} }} }}]";

        Assert.StartsWith(
            "test.yaml, line 1: nested deeper than 128 levels", Assert.Throws<WorkflowFormatException>(() => WorkflowStage.ReadYaml(yaml)).Message);
    }

    [Fact]
    public void TextThatIsNoYamlIsRefusedWithItsLine() => Assert.StartsWith(
        "test.yaml, line 2: this is not YAML: ", Assert.Throws<WorkflowFormatException>(() => WorkflowStage.ReadYaml("id: x\n  steps: {")).Message);

    [Fact]
    public void FolderThatIsNotThereIsRefused() => Assert.StartsWith(
        "The workflows in /nowhere/at/all cannot be read: ", Assert.Throws<WorkflowFormatException>(() => WorkflowReader.ReadFolder("/nowhere/at/all")).Message);
}
