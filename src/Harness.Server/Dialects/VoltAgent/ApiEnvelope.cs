using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Harness.Server.Dialects.VoltAgent;

/// <summary>
/// What every JSON answer of the VoltAgent API is wrapped in: <c>{"success":true,"data":…}</c>, or <c>{"success":false,"error":"…"}</c>
/// whatever went wrong (VoltAgent Core API, "Error Handling").
/// </summary>
internal static class ApiEnvelope
{
    /// <summary>200 with the data.</summary>
    /// <param name="data">Anything that JSON can be made of.</param>
    public static JsonHttpResult<ApiSuccess> Success(object data) => TypedResults.Json(new ApiSuccess(data));

    /// <summary>A refusal.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="message">What went wrong and what to do, in one line; never a secret.</param>
    public static JsonHttpResult<ApiError> Error(int status, string message) => TypedResults.Json(new ApiError(message), statusCode: status);
}

/// <summary>The body of a good answer.</summary>
internal sealed record ApiSuccess([property: JsonPropertyName("data")] object Data)
{
    /// <summary>Always true.</summary>
    [JsonPropertyName("success"), JsonPropertyOrder(-1)]
    public bool Success { get; } = true;
}

/// <summary>The body of a refusal.</summary>
internal sealed record ApiError([property: JsonPropertyName("error")] string Error)
{
    /// <summary>Always false.</summary>
    [JsonPropertyName("success"), JsonPropertyOrder(-1)]
    public bool Success { get; } = false;
}
