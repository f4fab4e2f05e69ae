using static Harness.Server.Dialects.Voiceflow.WireType;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>Every type of the seed's API (compat/voiceflow 1.2, 2.2, 2.3 and 2.5), under the names of its OpenAPI definitions.</summary>
internal static class WireTypes
{
    private static readonly WireType VariableConfig = Object(
        "tests.VariableConfig",
        new("name", Text, "The agent's variable."),
        new("jsonPath", Text, "Where in the variable; absent: all of it."));

    private static readonly WireType SimilarityConfig = Object(
        "tests.SimilarityConfig",
        new("provider", Text, "openai"),
        new("model", Text),
        new("temperature", Real),
        new("similarityThreshold", Real, "The score from which the validation passes, 0 to 1."),
        new("top_k", Whole),
        new("top_p", Real));

    private static readonly WireType Validation = Object(
        "tests.Validation",
        new("id", Text),
        new("type", Text, "equals, exact_match, contains, regexp, traceType, similarity or variable."),
        new("value", Text),
        new("values", List(Text), "What a similarity is measured against."),
        new("similarityConfig", SimilarityConfig),
        new("variableConfig", VariableConfig));

    private static readonly WireType IntentEntity = Object(
        "tests.IntentEntity",
        new("name", Text),
        new("value", Text));

    private static readonly WireType IntentRequest = Object(
        "tests.IntentRequest",
        new("name", Text),
        new("entities", List(IntentEntity)));

    private static readonly WireType User = Object(
        "tests.User",
        new("type", Text, "launch, text, event, intent or button."),
        new("text", Text, "What a text says."),
        new("value", Text, "The label of a button."),
        new("event", Text, "The name of an event."),
        new("intent", IntentRequest));

    private static readonly WireType Agent = Object(
        "tests.Agent",
        new WireField("validate", List(Validation), "What has to hold of the agent's answer."));

    private static readonly WireType Interaction = Object(
        "tests.Interaction",
        new("id", Text),
        new("user", User),
        new("agent", Agent),
        new("variables", Map, "Variables set with this turn."));

    private static readonly WireType UserInfo = Object(
        "tests.UserInfo",
        new("name", Text),
        new("value", Text));

    private static readonly WireType OpenAIConfig = Object(
        "tests.OpenAIConfig",
        new("model", Text),
        new("temperature", Real));

    private static readonly WireType TesterConfig = Object(
        "tests.VoiceflowAgentTesterConfig",
        new("environmentName", Text),
        new("apiKey", Text),
        new("variables", Map));

    private static readonly WireType TargetConfig = Object(
        "tests.VoiceflowAgentTargetConfig",
        new WireField("variables", Map));

    private static readonly WireType AgentTest = Object(
        "tests.AgentTest",
        new("goal", Text, "What the tester tries to reach."),
        new("persona", Text, "Whom the tester plays."),
        new("maxSteps", Whole, "Turns after which the goal is missed."),
        new("userInformation", List(UserInfo), "What the tester may tell when asked."),
        new("openAIConfig", OpenAIConfig),
        new("voiceflowAgentTesterConfig", TesterConfig),
        new("voiceflowAgentTargetConfig", TargetConfig));

    private static readonly WireType Test = Object(
        "tests.Test",
        new("name", Text),
        new("description", Text),
        new("interactions", List(Interaction), "The turns of a scripted test."),
        new("agent", AgentTest, "An agent-to-agent test; the interactions are then ignored."));

    private static readonly WireType TestRequest = Object(
        "handlers.TestRequest",
        new("id", Text, IsRequired: true),
        new("test", Test, IsRequired: true));

    private static readonly WireType TestSuiteRequest = Object(
        "handlers.TestSuiteRequest",
        new("name", Text, IsRequired: true),
        new("description", Text),
        new("environment_name", Text, "The Voiceflow environment that is tested.", IsRequired: true),
        new("new_session_per_test", Flag, "Each test is a user of its own."),
        new("fail_fast", Flag, "The first failure ends the suite, the rest is skipped; absent: true.", IsOwn: true),
        new("parallel", Whole, "Tests that run at once, 1 to 64; more than one means a new session per test. Absent: 1.", IsOwn: true),
        new("openAIConfig", OpenAIConfig, "The model of similarities and of testers that name none.", IsOwn: true),
        new("tests", List(TestRequest), IsRequired: true));

    /// <summary>The body of <c>POST /api/v1/tests/execute</c> and the <c>data</c> of the action <c>execute</c>.</summary>
    public static readonly WireType TestExecutionRequest = Object(
        "handlers.TestExecutionRequest",
        new("suite", TestSuiteRequest, IsRequired: true),
        new("api_key", Text, "Voiceflow API key of this request; absent: the server's."),
        new("voiceflow_subdomain", Text),
        new("voiceflow_api_url", Text),
        new("voiceflow_runtime_url", Text),
        new("voiceflow_analytics_url", Text),
        new("agent", Anything, "Which agent answers, where it is not Voiceflow: the name of its connector, or an object with that as type and its settings."));

    /// <summary>The answer to a started suite.</summary>
    public static readonly WireType TestExecutionResponse = Object(
        "handlers.TestExecutionResponse",
        new("id", Text, IsRequired: true),
        new("status", Text, "running, or pending while it waits for a free place.", IsRequired: true),
        new("started_at", Text, "RFC 3339.", IsRequired: true),
        new("logs", List(Text)),
        new("error", Text));

    private static readonly WireType ValidationReport = Object(
        "ValidationReport",
        new("id", Text, IsRequired: true),
        new("type", Text, IsRequired: true),
        new("value", Text, IsRequired: true),
        new("outcome", Text, "passed, failed, or skipped when it was not tried.", IsRequired: true),
        new("values", List(Text), "What a similarity compared with."),
        new("message", Text, "Why it failed, where the value alone does not say it."));

    private static readonly WireType InteractionReport = Object(
        "InteractionReport",
        new("id", Text, IsRequired: true),
        new("type", Text, IsRequired: true),
        new("outcome", Text, "passed, failed or skipped.", IsRequired: true),
        new("duration_ms", Real, "0 when it did not run.", IsRequired: true),
        new("error", Text),
        new("messages", List(Text), "What the agent said.", IsRequired: true),
        new("validations", List(ValidationReport), IsRequired: true));

    private static readonly WireType TranscriptLine = Object(
        "TranscriptLine",
        new("role", Text, "tester or agent.", IsRequired: true),
        new("text", Text, IsRequired: true));

    private static readonly WireType AgentTestReport = Object(
        "AgentTestReport",
        new("goal", Text, IsRequired: true),
        new("steps", Whole, IsRequired: true),
        new("achieved", Flag, IsRequired: true),
        new("transcript", List(TranscriptLine), IsRequired: true));

    private static readonly WireType TestReport = Object(
        "TestReport",
        new("id", Text, IsRequired: true),
        new("name", Text, IsRequired: true),
        new("outcome", Text, "passed, failed or skipped.", IsRequired: true),
        new("duration_ms", Real, "0 when it did not run.", IsRequired: true),
        new("error", Text, "The first thing that went wrong; else absent."),
        new("user_id", Text, "As whom it talked to the agent; absent when it did not run."),
        new("interactions", List(InteractionReport), "The turns of a written conversation.", IsRequired: true),
        new("agent", AgentTestReport, "The course of an agent-to-agent test; else absent."));

    private static readonly WireType SuiteSummary = Object(
        "SuiteSummary",
        new("tests", Whole, IsRequired: true),
        new("passed", Whole, IsRequired: true),
        new("failed", Whole, IsRequired: true),
        new("skipped", Whole, IsRequired: true),
        new("duration_ms", Real, IsRequired: true));

    /// <summary>Where an execution stands and what it said.</summary>
    public static readonly WireType TestStatusResponse = Object(
        "handlers.TestStatusResponse",
        new("id", Text, IsRequired: true),
        new("status", Text, "pending, running, suspended, completed, failed or cancelled.", IsRequired: true),
        new("started_at", Text, "RFC 3339.", IsRequired: true),
        new("completed_at", Text, "RFC 3339; absent while it runs."),
        new("logs", List(Text), IsRequired: true),
        new("error", Text, "Why it failed; else absent."),
        new("logs_truncated", Flag, "True when only the newest lines are in it."),
        new("logs_from", Whole, "The seq of its first line, where older ones are left out."),
        new("cancel_reason", Text, "Why it was cancelled, if that was said."),
        new("labels", Map, "As they were given at the start; absent: none."),
        new("agent", Text, "Who answers, in plain words."),
        new("summary", SuiteSummary, "When it has ended."),
        new("tests", List(TestReport), "Every test of the suite, when it has ended."),
        new("tests_truncated", Flag, "True when details of tests were left out."),
        new("details_truncated", Flag, "True when summary and tests did not fit."));

    /// <summary>What runs here.</summary>
    public static readonly WireType SystemInfoResponse = Object(
        "handlers.SystemInfoResponse",
        new("version", Text, IsRequired: true),
        new("go_version", Text, "For clients of the Voiceflow CLI's server; nothing here runs on Go.", IsRequired: true),
        new("os", Text, IsRequired: true),
        new("arch", Text, IsRequired: true),
        new("runtime", Text, "What the server really runs on.", IsRequired: true),
        new("server", Text, "Harness.", IsRequired: true));

    /// <summary>Alive: the process answers.</summary>
    public static readonly WireType HealthResponse = Object(
        "handlers.HealthResponse",
        new("status", Text, "healthy.", IsRequired: true),
        new("time", Text, "RFC 3339, whole seconds.", IsRequired: true));

    /// <summary>Whether new executions are taken.</summary>
    public static readonly WireType ReadyResponse = Object(
        "handlers.ReadyResponse",
        new("status", Text, "ready, stopping or store_failed.", IsRequired: true),
        new("reasons", List(Text), "Why not; absent when ready."));

    /// <summary>The body of every refusal.</summary>
    public static readonly WireType ErrorResponse = Object(
        "handlers.ErrorResponse",
        new("error", Text, IsRequired: true),
        new("message", Text));

    /// <summary>All of them with the types they are made of, each once.</summary>
    public static IReadOnlyCollection<WireType> All { get; } = Collect(
    [
        TestExecutionRequest, TestExecutionResponse, TestStatusResponse, SystemInfoResponse, HealthResponse, ReadyResponse, ErrorResponse,
    ]);

    private static HashSet<WireType> Collect(IEnumerable<WireType> roots)
    {
        var found = new HashSet<WireType>(ReferenceEqualityComparer.Instance);
        var open = new Stack<WireType>(roots);
        while (open.TryPop(out var type))
        {
            var inner = type.Kind == WireKind.List ? type.Element! : type;
            if (inner.Kind == WireKind.Object && found.Add(inner))
            {
                inner.Fields.ToList().ForEach(field => open.Push(field.Type));
            }
        }

        return found;
    }
}
