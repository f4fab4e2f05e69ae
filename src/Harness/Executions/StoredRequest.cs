using System.Text.Json;

namespace Harness.Executions;

/// <summary>What of an <see cref="ExecutionRequest"/> has no column of its own in a store: one JSON object there.</summary>
internal sealed record StoredRequest(string Greeting, IReadOnlyList<string> Preamble, IReadOnlyDictionary<string, string> Facts)
{
    /// <summary><see cref="ExecutionRequest.TimeLimit"/>; stores of earlier versions have none.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>An execution as the store gets it when it begins.</summary>
    public static StoredExecution Store(string id, string epoch, long number, ExecutionRequest request, ExecutionState state) => new()
    {
        Number = number,
        Id = id,
        Epoch = epoch,
        Kind = request.Kind,
        Name = request.Name,
        Labels = request.Labels,
        IdempotencyKey = request.IdempotencyKey,
        Request = JsonSerializer.Serialize(new StoredRequest(request.Greeting, request.Preamble, request.Facts) { TimeLimit = request.TimeLimit }),
        StartedAt = state.StartedAt,
    };

    /// <summary>The request of an execution that the store gave back.</summary>
    public static ExecutionRequest Load(StoredExecution stored)
    {
        var rest = JsonSerializer.Deserialize<StoredRequest>(stored.Request)!;
        return new ExecutionRequest
        {
            Kind = stored.Kind,
            Name = stored.Name,
            Labels = stored.Labels,
            IdempotencyKey = stored.IdempotencyKey,
            Greeting = rest.Greeting,
            Preamble = rest.Preamble,
            Facts = rest.Facts,
            TimeLimit = rest.TimeLimit,
            ClosingLine = _ => stored.End?.ClosingLine,
        };
    }
}
