using System.Text.Json;

namespace Harness.Executions;

/// <summary>One thing that can be executed by name over every transport. Registered in the container; names are unique.</summary>
public interface IExecutionKind
{
    /// <summary>The <c>kind</c> clients send: lower case.</summary>
    string Name { get; }

    /// <summary>Turns the client's <c>data</c> into something to start.</summary>
    /// <param name="data">The client's JSON; <see cref="JsonValueKind.Undefined"/> when it sent none.</param>
    /// <exception cref="ExecutionInputException">The data cannot be executed; the message says what to change.</exception>
    ExecutionPlan Plan(JsonElement data);
}

/// <summary>What a client sent cannot be executed. The message goes to that client: it says what to change and holds no secret.</summary>
public sealed class ExecutionInputException : Exception
{
    /// <summary>True when the same may be taken later: it is not what was sent, there is no room for it now.</summary>
    public bool IsForNow { get; init; }

    /// <summary>The message is what the client reads.</summary>
    public ExecutionInputException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
