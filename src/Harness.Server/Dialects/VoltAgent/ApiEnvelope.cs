using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Harness.Server.Dialects.VoltAgent;

/// <summary>The two forms every JSON answer of this API has (compat/voltagent 1 and 2).</summary>
internal static class ApiEnvelope
{
    /// <summary><c>{"success":true,"data":…}</c></summary>
    public static JsonHttpResult<ApiData<T>> Success<T>(T data)
        where T : notnull => TypedResults.Json(new ApiData<T>(true, data));

    /// <summary><c>{"success":false,"error":"…"}</c></summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="message">What went wrong, for people; to the letter where clients know it. Never a secret.</param>
    public static JsonHttpResult<ApiError> Error(int status, string message) => TypedResults.Json(new ApiError(false, message), statusCode: status);
}

/// <summary>A good answer.</summary>
internal sealed record ApiData<T>(
    [property: JsonPropertyName("success")] bool Success,
    [property: JsonPropertyName("data")] T Data)
    where T : notnull;

/// <summary>A refusal.</summary>
internal sealed record ApiError(
    [property: JsonPropertyName("success")] bool Success,
    [property: JsonPropertyName("error")] string Error);
