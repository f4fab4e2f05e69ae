using System.Text.Json;
using Harness.Executions;
using Harness.Suites;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>The kind <c>suite</c>: a TestExecutionRequest of the seed, over every transport.</summary>
internal sealed class SuiteKind(SuiteRunner runner) : IExecutionKind
{
    private static readonly JsonElement EmptyRequest = JsonElement.Parse("{}");

    /// <inheritdoc />
    public string Name => "suite";

    /// <summary>
    /// Plans what was sent over a socket. As with the seed's server nothing is required there, so that <c>{}</c> and null are empty suites.
    /// </summary>
    public ExecutionPlan Plan(JsonElement data)
    {
        if (data.ValueKind == JsonValueKind.Undefined)
        {
            throw new ExecutionInputException("unexpected end of JSON input");
        }

        TestExecutionInput.CheckTypes(data);
        return PlanChecked(data.ValueKind == JsonValueKind.Null ? EmptyRequest : data);
    }

    /// <summary>Plans a request of which nothing may be missing.</summary>
    /// <exception cref="ExecutionInputException">Something is missing or of the wrong type.</exception>
    public ExecutionPlan PlanRequest(JsonElement request)
    {
        TestExecutionInput.Check(request);
        return PlanChecked(request);
    }

    private ExecutionPlan PlanChecked(JsonElement request)
    {
        try
        {
            return runner.Plan(SuiteReader.Read(request));
        }
        catch (SuiteFormatException e)
        {
            throw new ExecutionInputException(e.Message, e);
        }
    }
}
