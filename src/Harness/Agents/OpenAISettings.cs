using System.Text.Json;

namespace Harness.Agents;

/// <summary>What a request says about the language model that it talks to.</summary>
/// <param name="Model">Its name at the endpoint.</param>
/// <param name="Instructions">The system message.</param>
/// <param name="Temperature">0 to 2; null: the endpoint's default.</param>
internal sealed record OpenAISettings(string Model, string Instructions, double? Temperature)
{
    private const string DefaultModel = "gpt-4o";
    private const string DefaultInstructions = "You are a friendly, helpful agent. Answer briefly.";

    /// <summary>Reads <c>model</c>, <c>instructions</c> and <c>temperature</c> of the <c>agent</c> object of a request.</summary>
    /// <exception cref="AgentException">One is of the wrong kind; says which.</exception>
    public static OpenAISettings Read(JsonElement options)
    {
        double? temperature = null;
        if (AgentJson.Find(options, "temperature") is { } number)
        {
            temperature = number.ValueKind == JsonValueKind.Number && number.TryGetDouble(out var value) && value is >= 0 and <= 2
                ? value
                : throw new AgentException("The openai agent's temperature must be a number from 0 to 2");
        }

        return new OpenAISettings(
            Text(options, "model") ?? DefaultModel, Text(options, "instructions") ?? DefaultInstructions, temperature);
    }

    private static string? Text(JsonElement options, string name)
    {
        if (AgentJson.Find(options, name) is not { } value)
        {
            return null;
        }

        var text = value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new AgentException($"The openai agent's {name} must be a text");
        return string.IsNullOrWhiteSpace(text) ? null : text;
    }
}
