using System.Text.Json;
using Harness.Executions;
using Harness.Generations;
using Harness.Schemas;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>
/// The body of a generation: <c>{input, schema?, options?}</c> (VoltAgent Core API, "Common Generation Options"), in the names of the seed's
/// server and in those of later ones. Unknown members are left alone.
/// </summary>
/// <param name="Request">What is generated.</param>
/// <param name="IsResumable">The generation goes on when the client that asked for it leaves.</param>
internal sealed record GenerationInput(GenerationRequest Request, bool IsResumable)
{
    private const double DefaultTemperature = 0.7;
    private const int DefaultMaxTokens = 4000;
    private const int DefaultContextLimit = 10;

    /// <summary>Reads a body.</summary>
    /// <param name="agent">The agent's id.</param>
    /// <param name="body">An object.</param>
    /// <param name="isObject">Whether an object is asked for, which needs a schema.</param>
    /// <exception cref="ExecutionInputException">Something is missing or out of its range; names all that is.</exception>
    public static GenerationInput Read(string agent, JsonElement body, bool isObject)
    {
        var options = new OptionReader(body);
        var messages = MessageReader.Read(body, options.Problems);
        var output = options.Object("output", "options.output");
        var schema = isObject || output.ValueKind == JsonValueKind.Object && output.TryGetProperty("schema", out _)
            ? ReadSchema(isObject ? body : output, options.Problems)
            : null;
        var memory = options.Object("memory", "options.memory");
        var settings = new GenerationSettings
        {
            Temperature = options.Number("temperature", 0, 1) ?? DefaultTemperature,
            MaxTokens = options.Whole("maxOutputTokens", 1) ?? options.Whole("maxTokens", 1) ?? DefaultMaxTokens,
            TopP = options.Number("topP", 0, 1),
            FrequencyPenalty = options.Number("frequencyPenalty", 0, 2),
            PresencePenalty = options.Number("presencePenalty", 0, 2),
            Seed = options.Whole("seed", int.MinValue),
            StopSequences = options.Texts("stopSequences"),
            ProviderOptions = options.Either("providerOptions", "extraOptions"),
            Context = options.Either("context", "userContext"),
        };
        var request = new GenerationRequest(agent, messages)
        {
            Schema = schema,
            UserId = options.Text("userId", memory) ?? options.Text("userId"),
            ConversationId = options.Text("conversationId", memory) ?? options.Text("conversationId"),
            ContextLimit = options.ContextLimit(memory) ?? options.Whole("contextLimit", 1) ?? DefaultContextLimit,
            MaxSteps = options.Whole("maxSteps", 1),
            Settings = settings,
        };
        var isResumable = options.Flag("resumableStream");
        return options.Problems.Count == 0
            ? new GenerationInput(request, isResumable)
            : throw new ExecutionInputException(string.Join("; ", options.Problems));
    }

    private static JsonSchema? ReadSchema(JsonElement holder, List<string> problems)
    {
        if (!holder.TryGetProperty("schema", out var schema) || schema.ValueKind != JsonValueKind.Object
            || !schema.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String || !type.ValueEquals("object"u8))
        {
            problems.Add("schema must be a JSON schema with type \"object\"");
            return null;
        }

        try
        {
            return JsonSchema.Parse(schema);
        }
        catch (JsonSchemaException e)
        {
            problems.Add(e.Message);
            return null;
        }
    }
}
