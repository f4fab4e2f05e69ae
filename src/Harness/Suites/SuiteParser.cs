using Harness.Agents;

namespace Harness.Suites;

/// <summary>
/// Makes the model out of fields, the same for both formats. Members are found under their JSON and their YAML name alike; unknown ones are
/// ignored, null is the same as missing, and what is missing has the model's default.
/// </summary>
internal static class SuiteParser
{
    /// <summary>A request with its suite inside, or a bare suite that may carry the request's members itself.</summary>
    /// <param name="root">The request or the suite.</param>
    /// <param name="readFile">Reads a test that an entry names by its file; null where there are no files.</param>
    public static Suite ParseRequest(SourceField root, Func<SourceField, SuiteTest>? readFile)
    {
        var suite = root["suite"].Exists ? root["suite"] : root;
        return ParseSuite(suite, readFile) with { Agent = ParseAgent(root, suite) };
    }

    public static SuiteTest ParseTest(SourceField test) => new()
    {
        Name = test["name"].Text ?? "",
        Description = test["description"].Text ?? "",
        Interactions = [.. test["interactions"].Items.Select(ParseInteraction)],
        AgentTest = test["agent"].Exists ? ParseAgentTest(test["agent"]) : null,
    };

    /// <summary>A test that stands in a file.</summary>
    /// <exception cref="SuiteFormatException">It is none; says where.</exception>
    public static SuiteTest ParseWrittenTest(SourceField test)
    {
        // The seed's server takes it for an empty test, which passes: another file was meant, or a word was mistyped.
        return test["interactions"].Exists || test["agent"].Exists
            ? ParseTest(test)
            : throw test.Problem("this is no test: it has no \"interactions\" and no \"agent\"");
    }

    private static Suite ParseSuite(SourceField suite, Func<SourceField, SuiteTest>? readFile) => new()
    {
        Name = suite["name"].Text ?? "",
        Description = suite["description"].Text ?? "",
        EnvironmentName = suite["environmentName"].Text ?? "",
        NewSessionPerTest = suite["newSessionPerTest"].Flag ?? false,
        FailFast = suite["failFast"].Flag ?? true,
        Parallel = ParseParallel(suite["parallel"]),
        OpenAIConfig = ParseOpenAI(suite["openAIConfig"]),
        Tests = [.. suite["tests"].Items.Select(entry => ParseEntry(entry, readFile))],
    };

    // What the seed's own examples have where a key should be: pasted as they are, they bring none.
    private static readonly string?[] Placeholders = ["your_api_key", "your_api_key (optional)"];

    private static int ParseParallel(SourceField field) => field.Integer switch
    {
        null => 1,
        >= 1 and <= Suite.MaxParallel => field.Integer.Value,
        _ => throw field.Problem($"expected 1 to {Suite.MaxParallel}, found {field.Integer}"),
    };

    private static SuiteEntry ParseEntry(SourceField entry, Func<SourceField, SuiteTest>? readFile)
    {
        var test = readFile switch
        {
            null => ParseTest(entry["test"]),
            _ when entry["file"].Exists => readFile(entry["file"]),
            _ when entry["test"].Exists => ParseWrittenTest(entry["test"]),
            // The seed's server takes it for an empty test, which passes: in a file it is a word that was mistyped.
            _ => throw entry.Problem("neither \"file\" nor \"test\" is there; name the test's file, or write the test below \"test\""),
        };
        return new SuiteEntry(entry["id"].Text ?? "", test);
    }

    /// <summary>The request's choice of agent wins over the suite's own.</summary>
    private static AgentSettings ParseAgent(SourceField root, SourceField suite)
    {
        var agent = root["agent"].Exists ? root["agent"] : suite["agent"];
        var environment = suite["environmentName"].Text;
        return new AgentSettings
        {
            Connector = NotEmpty(agent.IsText ? agent.Text : agent["type"].Text),
            Options = agent.IsMap ? agent.Json : default,
            ApiKey = Placeholders.Contains(root["apiKey"].Text) ? null : NotEmpty(root["apiKey"].Text),
            Environment = NotEmpty(environment),
            Subdomain = NotEmpty(root["voiceflowSubdomain"].Text),
            RuntimeUrl = NotEmpty(root["voiceflowRuntimeUrl"].Text),
            ApiUrl = NotEmpty(root["voiceflowApiUrl"].Text),
            AnalyticsUrl = NotEmpty(root["voiceflowAnalyticsUrl"].Text),
        };
    }

    private static Interaction ParseInteraction(SourceField interaction) => new()
    {
        Id = interaction["id"].Text ?? "",
        User = ParseUser(interaction["user"]),
        Validations = [.. interaction["agent"]["validate"].Items.Select(ParseValidation)],
        Variables = interaction["variables"].Variables,
    };

    private static UserTurn ParseUser(SourceField user) => new()
    {
        Type = user["type"].Text ?? "",
        Text = user["text"].Text ?? "",
        Value = user["value"].Text ?? "",
        Event = user["event"].Text ?? "",
        Intent = user["intent"] is { Exists: true } intent
            ? new IntentTurn(
                intent["name"].Text ?? "",
                [.. intent["entities"].Items.Select(entity => new IntentEntity(entity["name"].Text ?? "", entity["value"].Text ?? ""))])
            : null,
    };

    private static Validation ParseValidation(SourceField validation) => new()
    {
        Id = NotEmpty(validation["id"].Text) ?? Guid.NewGuid().ToString(),
        Type = validation["type"].Text ?? "",
        Value = validation["value"].Text ?? "",
        Values = [.. validation["values"].Items.Select(value => value.Text ?? "")],
        Similarity = validation["similarityConfig"] is { Exists: true } similarity ? ParseSimilarity(similarity) : null,
        Variable = validation["variableConfig"] is { Exists: true } variable
            ? new VariableSettings(variable["name"].Text ?? "", variable["jsonPath"].Text ?? "")
            : null,
    };

    private static SimilaritySettings ParseSimilarity(SourceField similarity) => new()
    {
        Provider = similarity["provider"].Text ?? "",
        Model = similarity["model"].Text ?? "",
        Temperature = similarity["temperature"].Number,
        Threshold = similarity["similarityThreshold"].Number ?? 0,
        TopK = similarity["topK"].Integer ?? 0,
        TopP = similarity["topP"].Number,
    };

    private static AgentTest ParseAgentTest(SourceField agent) => new()
    {
        Goal = agent["goal"].Text ?? "",
        Persona = agent["persona"].Text ?? "",
        MaxSteps = agent["maxSteps"].Integer ?? new AgentTest().MaxSteps,
        UserInformation =
        [
            .. agent["userInformation"].Items.Select(info => new UserInformation(info["name"].Text ?? "", info["value"].Text ?? "")),
        ],
        OpenAIConfig = ParseOpenAI(agent["openAIConfig"]),
        Tester = agent["voiceflowAgentTesterConfig"] is { Exists: true } tester
            ? new VoiceflowTester(tester["environmentName"].Text ?? "", NotEmpty(tester["apiKey"].Text), tester["variables"].Variables)
            : null,
        TargetVariables = agent["voiceflowAgentTargetConfig"]["variables"].Variables,
    };

    private static ModelSettings? ParseOpenAI(SourceField settings) =>
        settings.Exists ? new ModelSettings(NotEmpty(settings["model"].Text), settings["temperature"].Number) : null;

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
