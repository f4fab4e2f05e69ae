using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Harness.Server;

/// <summary>The body of every refusal over HTTP (compat/voiceflow 1.2), where an API has no <see cref="ErrorForm"/> of its own.</summary>
/// <param name="Error">What kind of thing went wrong.</param>
/// <param name="Message">What exactly, and what to do; never a stack trace, never a secret.</param>
internal sealed record ErrorResponse(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("message"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Message)
{
    /// <summary>The body with its status code.</summary>
    public static JsonHttpResult<ErrorResponse> Result(int statusCode, string error, string message) =>
        TypedResults.Json(new ErrorResponse(error, message), statusCode: statusCode);
}
