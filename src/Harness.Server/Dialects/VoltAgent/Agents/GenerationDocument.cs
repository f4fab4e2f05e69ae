using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>Describes generations in OpenAPI documents: bodies are read by hand, so that both generations of names are understood.</summary>
internal static class GenerationDocument
{
    private const string TextExample = """{"input":"Tell me a joke!","options":{"userId":"user-123","temperature":0.7}}""";

    private const string ObjectExample = """
        {"input":"Extract the name and age from: John Doe is 30 years old.",
        "schema":{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"number"}},"required":["name","age"]}}
        """;

    /// <summary>The body, and the answers of a generation that is waited for.</summary>
    public static RouteHandlerBuilder DescribeGeneration(this RouteHandlerBuilder route, bool isObject) =>
        route.Answers<GenerationAnswer>(400, 404, 409, 413, 503).DescribeBody(isObject);

    /// <summary>The body, and the answers of a generation that is streamed.</summary>
    public static RouteHandlerBuilder DescribeStream(this RouteHandlerBuilder route, bool isObject) =>
        route.Streams(400, 404, 413, 503).DescribeBody(isObject);

    private static RouteHandlerBuilder DescribeBody(this RouteHandlerBuilder route, bool isObject) => isObject
        ? route.TakesBody<ObjectBody>(isRequired: true, ObjectExample)
        : route.TakesBody<TextBody>(isRequired: true, TextExample);

    private sealed record GenerationAnswer(
        [property: JsonPropertyName("provider")] string Provider,
        [property: JsonPropertyName("model")] string Model,
        [property: JsonPropertyName("usage")] UsageAnswer Usage,
        [property: JsonPropertyName("finishReason")] string FinishReason,
        [property: JsonPropertyName("toolCalls")] IReadOnlyList<JsonObject> ToolCalls,
        [property: JsonPropertyName("toolResults")] IReadOnlyList<JsonObject> ToolResults,
        [property: JsonPropertyName("executionId"), Description("The generation's own id, to find it again by")] string ExecutionId,
        [property: JsonPropertyName("text"), Description("The answer; not there when an object was asked for")] string? Text = null,
        [property: JsonPropertyName("object"), Description("The object, when one was asked for")] JsonNode? Object = null,
        [property: JsonPropertyName("userContext"), Description("As it was sent")] JsonObject? UserContext = null);

    private sealed record UsageAnswer(
        [property: JsonPropertyName("promptTokens")] int PromptTokens,
        [property: JsonPropertyName("completionTokens")] int CompletionTokens,
        [property: JsonPropertyName("totalTokens")] int TotalTokens);

    private sealed record TextBody(
        [property: JsonPropertyName("input"), Description("A text, or messages {role, content}")] JsonNode Input,
        [property: JsonPropertyName("options")] OptionsBody? Options = null);

    private sealed record ObjectBody(
        [property: JsonPropertyName("input"), Description("A text, or messages {role, content}")] JsonNode Input,
        [property: JsonPropertyName("schema"), Description("A JSON schema with type object")] JsonObject Schema,
        [property: JsonPropertyName("options")] OptionsBody? Options = null);

    private sealed record OptionsBody
    {
        [JsonPropertyName("userId"), Description("Whose conversation it is")]
        public string? UserId { get; init; }

        [JsonPropertyName("conversationId"), Description("The conversation that is gone on with")]
        public string? ConversationId { get; init; }

        [JsonPropertyName("contextLimit"), Range(1, int.MaxValue), DefaultValue(10), Description("Messages of the conversation the model is shown")]
        public int? ContextLimit { get; init; }

        [JsonPropertyName("maxSteps"), Range(1, int.MaxValue), Description("Calls to models at most")]
        public int? MaxSteps { get; init; }

        [JsonPropertyName("temperature"), Range(0d, 1d), DefaultValue(0.7)]
        public double? Temperature { get; init; }

        [JsonPropertyName("maxTokens"), Range(1, int.MaxValue), DefaultValue(4000), Description("Also maxOutputTokens")]
        public int? MaxTokens { get; init; }

        [JsonPropertyName("topP"), Range(0d, 1d), DefaultValue(1.0)]
        public double? TopP { get; init; }

        [JsonPropertyName("frequencyPenalty"), Range(0d, 2d), DefaultValue(0.0)]
        public double? FrequencyPenalty { get; init; }

        [JsonPropertyName("presencePenalty"), Range(0d, 2d), DefaultValue(0.0)]
        public double? PresencePenalty { get; init; }

        [JsonPropertyName("seed")]
        public int? Seed { get; init; }

        [JsonPropertyName("stopSequences")]
        public string[]? StopSequences { get; init; }

        [JsonPropertyName("extraOptions"), Description("Options of the provider; also providerOptions")]
        public JsonObject? ExtraOptions { get; init; }

        [JsonPropertyName("userContext"), Description("What the agent should know of who asks; also context")]
        public JsonObject? UserContext { get; init; }

        [JsonPropertyName("resumableStream"), Description("The generation goes on when the client leaves, and can be attached to")]
        public bool? ResumableStream { get; init; }
    }
}
