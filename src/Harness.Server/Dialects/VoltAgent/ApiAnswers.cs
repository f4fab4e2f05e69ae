using System.Text.Json.Serialization;

namespace Harness.Server.Dialects.VoltAgent;

/// <summary>Where a page of a history is among all.</summary>
/// <param name="Page">From 0.</param>
/// <param name="Limit">Entries of one page.</param>
/// <param name="Total">Entries of all pages.</param>
internal sealed record Pagination(
    [property: JsonPropertyName("page")] long Page,
    [property: JsonPropertyName("limit")] long Limit,
    [property: JsonPropertyName("total")] int Total)
{
    [JsonPropertyName("totalPages")]
    public long TotalPages => (Total + Limit - 1) / Limit;
}

/// <summary>The answer to <c>cancel</c>.</summary>
internal sealed record CancelAnswer(
    [property: JsonPropertyName("executionId")] string ExecutionId,
    [property: JsonPropertyName("status")] string Status,
    [property: JsonPropertyName("cancelledAt")] string CancelledAt,
    [property: JsonPropertyName("reason")] string Reason);
