// Wire contracts of the Voiceflow CLI server's REST API (compat/voiceflow 1.1 and 1.2). Status documents come ready from the engine.
using System.Text.Json.Serialization;
using Harness.Executions;

namespace Harness.Server.Dialects.Voiceflow;

/// <summary>The answer to a started suite.</summary>
internal sealed record TestExecutionResponse(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("started_at")] string StartedAt,
    [property: JsonPropertyName("logs")] IReadOnlyList<string> Logs)
{
    /// <summary>The execution as it was started, even if it has ended by now: clients expect to have to ask.</summary>
    public static TestExecutionResponse From(Execution execution)
    {
        var state = execution.State;
        var status = state.Status == ExecutionStatus.Pending ? ExecutionStatus.Pending : ExecutionStatus.Running;
        return new TestExecutionResponse(execution.Id, status.ToWire(), WireTime.Precise(state.StartedAt), [execution.Request.Greeting]);
    }
}

/// <summary>Alive: the process answers.</summary>
internal sealed record HealthResponse(
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("time")] string Time);

/// <summary>Whether new executions are taken, and why not.</summary>
internal sealed record ReadyResponse(
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("reasons"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Reasons);

/// <summary>What runs here.</summary>
internal sealed record SystemInfoResponse(
    [property: JsonPropertyName("version")] string Version,
    [property: JsonPropertyName("go_version")] string GoVersion,
    [property: JsonPropertyName("os")] string OS,
    [property: JsonPropertyName("arch")] string Arch,
    [property: JsonPropertyName("runtime")] string Runtime,
    [property: JsonPropertyName("server")] string Server);
