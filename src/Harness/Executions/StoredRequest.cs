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

    /// <summary>The request of an execution that the store gave back; of a damaged one what can be read.</summary>
    public static ExecutionRequest Load(StoredExecution stored)
    {
        var request = new ExecutionRequest
        {
            Kind = stored.Kind,
            Name = stored.Name,
            Labels = stored.Labels,
            IdempotencyKey = stored.IdempotencyKey,
            ClosingLine = _ => stored.End?.ClosingLine,
        };
        return ReadOrNull(stored.Request) is { } rest
            ? request with { Greeting = rest.Greeting, Preamble = rest.Preamble, Facts = rest.Facts, TimeLimit = rest.TimeLimit }
            : request;
    }

    /// <summary>True when a part of an execution is not what was stored once.</summary>
    public static bool IsDamaged(StoredExecution stored) => stored.IsDamaged || ReadOrNull(stored.Request) is null;

    private static StoredRequest? ReadOrNull(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<StoredRequest>(json) is { Greeting: not null, Preamble: not null, Facts: not null } read ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
