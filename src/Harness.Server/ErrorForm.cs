namespace Harness.Server;

/// <summary>The body of errors of an API whose clients know another one than <see cref="ErrorResponse"/>. Registered in the container.</summary>
/// <param name="Prefixes">The paths below which it speaks, such as <c>/agents</c>: also of routes that are not there.</param>
/// <param name="Write">What is sent as JSON in place of an answer of the house.</param>
internal sealed record ErrorForm(IReadOnlyList<PathString> Prefixes, Func<ErrorResponse, object> Write)
{
    /// <summary>The form of the API that a request is for; null: the house's own.</summary>
    public static ErrorForm? Of(HttpContext context) => context.RequestServices.GetServices<ErrorForm>()
        .FirstOrDefault(form => form.Prefixes.Any(prefix => context.Request.Path.StartsWithSegments(prefix)));
}
