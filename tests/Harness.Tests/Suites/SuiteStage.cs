using System.Text.Json;
using System.Text.RegularExpressions;
using Harness.Agents;
using Harness.Executions;
using Harness.Suites;

namespace Harness.Tests.Suites;

/// <summary>Runs suites against an agent made of one function, and keeps what was said on all sides.</summary>
internal sealed partial class SuiteStage
{
    private readonly List<string> _lines = [];

    public SuiteStage(Func<AgentTurn, IEnumerable<AgentTrace>> answer) => Agent = new FakeAgent(answer);

    /// <summary>An agent that says the same to everything.</summary>
    public SuiteStage(params string[] messages)
        : this(_ => messages.Select(Say))
    {
    }

    public FakeAgent Agent { get; }

    public FakeModel Model { get; } = new();

    public SteppingTime Time { get; } = new();

    /// <summary>Called with each line as it is written.</summary>
    public Action<string> OnLine { get; set; } = _ => { };

    /// <summary>With user ids made equal.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines.Select(line => UserId().Replace(line, "test-<uuid>"))];
            }
        }
    }

    /// <summary>What comes after the head.</summary>
    public IEnumerable<string> TestLines => Lines.SkipWhile(line => line != "Running Tests:").Skip(1);

    /// <summary>Agents that were asked for.</summary>
    public List<AgentSettings> Settings { get; } = [];

    /// <summary>The agent for other settings than the suite's own.</summary>
    public FakeAgent? Tester { get; set; }

    public SuiteReport Report { get; private set; } = new();

    public static AgentTrace Say(string message) =>
        new("text", JsonSerializer.SerializeToElement(new { message })) { Message = message };

    public static JsonElement Json(string json) => JsonElement.Parse(json);

    public SuiteRunner Runner() => new(new SuiteTools(Create, () => Model, Time));

    /// <summary>A suite with one test of these interactions, written as JSON.</summary>
    public Task<ExecutionResult> RunTestAsync(string interactions, CancellationToken stop) =>
        RunAsync($$$$"""{"suite":{"name":"S","tests":[{"id":"t1","test":{"name":"T","interactions":{{{{interactions}}}}}}]}}""", stop);

    /// <summary>A suite with one text and these validations, written as JSON.</summary>
    public Task<ExecutionResult> ValidateAsync(string validations, CancellationToken stop) =>
        RunTestAsync($$$"""[{"id":"i1","user":{"type":"text","text":"hi"},"agent":{"validate":{{{validations}}}}}]""", stop);

    public Task<ExecutionResult> RunAsync(string request, CancellationToken stop) => RunAsync(SuiteReader.Read(Json(request)), stop);

    public async Task<ExecutionResult> RunAsync(Suite suite, CancellationToken stop)
    {
        var result = await Runner().RunAsync(suite, Agent, Write, stop);
        Report = SuiteReport.Parse(result.Details.Span);
        return result;
    }

    private FakeAgent Create(AgentSettings settings)
    {
        Settings.Add(settings);
        return Tester ?? Agent;
    }

    private ValueTask Write(string line)
    {
        lock (_lines)
        {
            _lines.Add(line);
        }

        OnLine(line);
        return ValueTask.CompletedTask;
    }

    [GeneratedRegex("test-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")]
    private static partial Regex UserId();
}

/// <summary>An agent made of one function from turn to traces.</summary>
internal sealed class FakeAgent(Func<AgentTurn, IEnumerable<AgentTrace>> answer) : IAgent
{
    private readonly Lock _gate = new();

    public string Name { get; init; } = "voiceflow";

    public string Description { get; init; } = "voiceflow (fake)";

    /// <summary>What <see cref="IConversation.GetVariablesAsync"/> gives.</summary>
    public JsonElement Variables { get; set; } = JsonElement.Parse("{}");

    /// <summary>Awaited before each answer.</summary>
    public Func<AgentTurn, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    public List<(string UserId, AgentTurn Turn)> Turns { get; } = [];

    public IConversation Open(string userId) => new Conversation(this, userId);

    private sealed class Conversation(FakeAgent agent, string userId) : IConversation
    {
        public async Task<AgentReply> SendAsync(AgentTurn turn, CancellationToken cancellationToken)
        {
            lock (agent._gate)
            {
                agent.Turns.Add((userId, turn));
            }

            await agent.Before(turn, cancellationToken);
            return new AgentReply([.. agent.Answer(turn)]);
        }

        public Task<JsonElement> GetVariablesAsync(CancellationToken cancellationToken) => Task.FromResult(agent.Variables);
    }

    private IEnumerable<AgentTrace> Answer(AgentTurn turn) => answer(turn);
}

/// <summary>A model made of one function; without one it cannot be reached.</summary>
internal sealed class FakeModel : ILanguageModel
{
    public Func<ModelPrompt, string> Answer { get; set; } = _ => throw new AgentException("the model cannot be reached");

    public List<ModelPrompt> Prompts { get; } = [];

    public Task<string> CompleteAsync(ModelPrompt prompt, CancellationToken cancellationToken)
    {
        Prompts.Add(prompt);
        return Task.FromResult(Answer(prompt));
    }
}

/// <summary>A clock that goes one millisecond further with each look at it.</summary>
internal sealed class SteppingTime : TimeProvider
{
    private long _now;

    public override long TimestampFrequency => 1_000;

    public override long GetTimestamp() => Interlocked.Increment(ref _now);
}
