namespace Harness.Server.Dialects.VoltAgent;

/// <summary>A request that is refused; <see cref="ApiErrors"/> words it as <see cref="ApiEnvelope.Error"/>.</summary>
internal sealed class ApiException(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status => status;

    public static ApiException WorkflowNotFound() => new(StatusCodes.Status404NotFound, "Workflow not found");

    public static ApiException ExecutionNotFound() => new(StatusCodes.Status404NotFound, "Workflow execution not found");

    public static ApiException BadRequest(string message) => new(StatusCodes.Status400BadRequest, message);
}
