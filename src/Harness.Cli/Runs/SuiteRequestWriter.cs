using System.Text.Json;
using System.Text.Json.Serialization;
using Harness.Agents;
using Harness.Executions;
using Harness.Suites;

namespace Harness.Cli.Runs;

/// <summary>Writes a suite as a test execution request: what <c>/ws</c> takes as the <c>data</c> of <c>execute</c>, and REST as a body.</summary>
internal static class SuiteRequestWriter
{
    private static readonly JsonSerializerOptions Options = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        MaxDepth = JsonDepth.MaxKept,
    };

    /// <summary>UTF-8 JSON, with the names of the HTTP format: those of a suite in snake case, those of a test in camel case.</summary>
    public static byte[] Write(Suite suite) => JsonSerializer.SerializeToUtf8Bytes(
        new
        {
            api_key = suite.Agent.ApiKey,
            voiceflow_subdomain = suite.Agent.Subdomain,
            voiceflow_runtime_url = suite.Agent.RuntimeUrl,
            voiceflow_api_url = suite.Agent.ApiUrl,
            voiceflow_analytics_url = suite.Agent.AnalyticsUrl,
            agent = AgentOf(suite.Agent),
            suite = new
            {
                name = suite.Name,
                description = suite.Description,
                environment_name = suite.EnvironmentName,
                new_session_per_test = suite.NewSessionPerTest,
                fail_fast = suite.FailFast,
                parallel = suite.Parallel,
                openAIConfig = OpenAIOf(suite.OpenAIConfig),
                tests = suite.Tests.Select(entry => new { id = entry.Id, test = TestOf(entry.Test) }),
            },
        },
        Options);

    private static object? AgentOf(AgentSettings agent) =>
        agent.Options.ValueKind == JsonValueKind.Object ? agent.Options : agent.Connector;

    private static object TestOf(SuiteTest test) => new
    {
        name = test.Name,
        description = test.Description,
        interactions = test.Interactions.Select(InteractionOf),
        agent = test.AgentTest is { } agent ? AgentTestOf(agent) : null,
    };

    private static object InteractionOf(Interaction interaction) => new
    {
        id = interaction.Id,
        user = new
        {
            type = interaction.User.Type,
            text = interaction.User.Text,
            value = interaction.User.Value,
            @event = interaction.User.Event,
            intent = interaction.User.Intent is { } intent
                ? new { name = intent.Name, entities = intent.Entities.Select(entity => new { name = entity.Name, value = entity.Value }) }
                : null,
        },
        agent = new { validate = interaction.Validations.Select(ValidationOf) },
        variables = interaction.Variables,
    };

    private static object ValidationOf(Validation validation) => new
    {
        id = validation.Id,
        type = validation.Type,
        value = validation.Value,
        values = validation.Values,
        similarityConfig = validation.Similarity is { } similarity
            ? new
            {
                provider = similarity.Provider,
                model = similarity.Model,
                temperature = similarity.Temperature,
                similarityThreshold = similarity.Threshold,
                top_k = similarity.TopK,
                top_p = similarity.TopP,
            }
            : null,
        variableConfig = validation.Variable is { } variable ? new { name = variable.Name, jsonPath = variable.JsonPath } : null,
    };

    private static object AgentTestOf(AgentTest agent) => new
    {
        goal = agent.Goal,
        persona = agent.Persona,
        maxSteps = agent.MaxSteps,
        userInformation = agent.UserInformation.Select(information => new { name = information.Name, value = information.Value }),
        openAIConfig = OpenAIOf(agent.OpenAIConfig),
        voiceflowAgentTesterConfig = agent.Tester is { } tester
            ? new { environmentName = tester.EnvironmentName, apiKey = tester.ApiKey, variables = tester.Variables }
            : null,
        voiceflowAgentTargetConfig = agent.TargetVariables is { } variables ? new { variables } : null,
    };

    private static object? OpenAIOf(ModelSettings? settings) =>
        settings is null ? null : new { model = settings.Model, temperature = settings.Temperature };
}
