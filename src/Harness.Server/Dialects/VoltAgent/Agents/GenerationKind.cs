using System.Text.Json;
using Harness.Executions;
using Harness.Generations;

namespace Harness.Server.Dialects.VoltAgent.Agents;

/// <summary>
/// The kind <c>generation</c> over every transport: the body of a POST to an agent, with the agent's id in <c>agent</c>, and a <c>schema</c>
/// where an object is asked for.
/// </summary>
internal sealed class GenerationKind(Generator generator) : IExecutionKind
{
    /// <inheritdoc />
    public string Name => Generator.Kind;

    /// <inheritdoc />
    public ExecutionPlan Plan(JsonElement data)
    {
        if (data.ValueKind != JsonValueKind.Object)
        {
            throw new ExecutionInputException("data must be an object such as {\"agent\":\"demo\",\"input\":\"hello\"}");
        }

        var agent = data.TryGetProperty("agent", out var id) && id.ValueKind == JsonValueKind.String
            ? id.GetString()!
            : throw new ExecutionInputException("agent must be the id of an agent");
        return generator.Plan(GenerationInput.Read(agent, data, isObject: data.TryGetProperty("schema", out _)).Request);
    }
}
