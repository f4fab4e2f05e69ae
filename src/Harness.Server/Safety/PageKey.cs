using Swashbuckle.AspNetCore.SwaggerUI;

namespace Harness.Server.Safety;

/// <summary>
/// Lets a documentation page bring the API key. A browser cannot send one for a page and its files, so these are open (they are the same
/// everywhere and say nothing of this server); what they ask for is not.
/// </summary>
internal static class PageKey
{
    // For this tab only, and to nobody but this server. A key that is refused is forgotten, so that the next request asks anew.
    private const string Bring = """
        (request) => {
            if (new URL(request.url, location.href).origin === location.origin) {
                const key = new URLSearchParams(location.search).get('access_token')
                    ?? sessionStorage.getItem('harness-key') ?? prompt('This server asks for an API key');
                if (key) {
                    sessionStorage.setItem('harness-key', key);
                    request.headers['X-API-Key'] = key;
                }
            }
            return request;
        }
        """;

    private const string Forget = """
        (response) => {
            if (response.status === 401) {
                sessionStorage.removeItem('harness-key');
                const address = new URL(location.href);
                address.searchParams.delete('access_token');
                history.replaceState(history.state, '', address);
            }
            return response;
        }
        """;

    /// <summary>Where keys are asked for, the page takes one from its own <c>?access_token=</c> or from who looks at it.</summary>
    public static void BringKey(this SwaggerUIOptions page, ApiKeyRing keys)
    {
        if (!keys.IsEmpty)
        {
            page.UseRequestInterceptor(Bring);
            page.UseResponseInterceptor(Forget);
        }
    }
}

/// <summary>Metadata of an endpoint that has the files of a page, which need no key.</summary>
internal sealed record NeedsNoKey;
