using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Workflows;

/// <summary>
/// A step that calls an address and gives <c>{"status":200,"body":…}</c>: the body as JSON where it is, else as text. A status other than 2xx
/// is a failure. Errors name the host and nothing more: addresses, headers and bodies may hold secrets.
/// </summary>
internal sealed class HttpStep
{
    private const string SchemeEnd = "://";

    private static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(1);
    private static readonly string[] Methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

    private readonly HttpMethod _method;
    private readonly Template _url;
    private readonly IReadOnlyList<(string Name, Template Value)> _headers;
    private readonly Template? _body;
    private readonly TimeSpan _timeout;

    private HttpStep(HttpMethod method, Template url, IReadOnlyList<(string, Template)> headers, Template? body, TimeSpan timeout) =>
        (_method, _url, _headers, _body, _timeout) = (method, url, headers, body, timeout);

    /// <summary>Methods that by their definition may be called again.</summary>
    public bool IsRepeatable => _method == HttpMethod.Get || _method == HttpMethod.Head;

    /// <param name="source">The <c>http</c> member of a step.</param>
    /// <param name="parse">Reads a template, with or without secrets.</param>
    /// <exception cref="WorkflowFormatException">It is no call.</exception>
    public static HttpStep Parse(YamlValue source, Func<YamlValue, bool, Template> parse)
    {
        var members = source.Members("method", "url", "headers", "body", "timeout");
        var method = members.Find("method")?.Text().ToUpperInvariant() ?? "GET";
        if (!Methods.Contains(method))
        {
            throw members.Get("method").Error($"the method is one of {string.Join(", ", Methods)}, not '{method}'");
        }

        var timeout = members.Find("timeout")?.Time() ?? TimeSpan.FromSeconds(30);
        if (timeout > LongestTimeout)
        {
            throw members.Get("timeout").Error("a call may take an hour at most");
        }

        return new HttpStep(
            new HttpMethod(method),
            parse(members.Get("url"), true),
            [.. (members.Find("headers")?.AllMembers() ?? []).Select(header => (header.Name, parse(header.Value, true)))],
            members.Find("body") is { } body ? parse(body, true) : null,
            timeout);
    }

    /// <exception cref="WorkflowException">The address is none, nobody answers, or the answer is a refusal or too long.</exception>
    public async Task<StepOutcome> RunAsync(StepContext context, CancellationToken stop)
    {
        using var request = CreateRequest(context);
        var host = request.RequestUri!.Authority;
        using var timer = new CancellationTokenSource(_timeout, context.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop, timer.Token);
        try
        {
            using var response = await context.Services.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            var body = await ReadAsync(response.Content, host, limit.Token);
            return response.IsSuccessStatusCode
                ? StepOutcome.Completed(JsonSerializer.SerializeToElement(new { status = (int)response.StatusCode, body = AsValue(body) }))
                : throw new WorkflowException($"{host} answered with status {(int)response.StatusCode}");
        }
        catch (OperationCanceledException exception) when (timer.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new WorkflowException($"{host} did not answer within {_timeout.TotalSeconds:0.###} s", exception);
        }
        catch (InvalidDataException exception)
        {
            throw new WorkflowException($"The answer of {host} is not compressed as it says", exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new WorkflowException($"{host} cannot be reached: {exception.GetBaseException().Message}", exception);
        }
    }

    private HttpRequestMessage CreateRequest(StepContext context)
    {
        if (!Uri.TryCreate(_url.EvaluateText(context, EncodeInUrl), UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new WorkflowException("The url is no address that begins with http:// or https://");
        }

        var request = new HttpRequestMessage(_method, url);
        if (_body is not null)
        {
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(_body.Evaluate(context)))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            };
        }

        foreach (var (name, value) in _headers)
        {
            var text = value.EvaluateText(context);
            if (!text.All(letter => letter is (>= ' ' and <= '~') or '\t'))
            {
                // A line break would begin a header of whoever wrote the value.
                throw new WorkflowException($"The header '{name}' cannot be sent: its value holds a line break, or a character outside ASCII");
            }

            if (!request.Headers.TryAddWithoutValidation(name, text) && request.Content is { } content)
            {
                content.Headers.Remove(name);
                content.Headers.TryAddWithoutValidation(name, text);
            }
        }

        return request;
    }

    // Nobody who gives a value is to choose the host, the path or the query it stands in.
    private static string EncodeInUrl(string before, string value)
    {
        var scheme = before.IndexOf(SchemeEnd, StringComparison.Ordinal);
        if (scheme < 0)
        {
            return value;
        }

        var rest = before.AsSpan(scheme + SchemeEnd.Length);
        if (rest.IndexOfAny("/?#") < 0)
        {
            return value.AsSpan().IndexOfAny(@"/?#@\") < 0
                ? value
                : throw new WorkflowException(@"A value in the host of the url must not have any of / ? # @ \");
        }

        // In a path these lead upwards, also when they are encoded.
        return rest.IndexOfAny("?#") >= 0 || value is not ("." or "..")
            ? Uri.EscapeDataString(value)
            : throw new WorkflowException("A value in the path of the url must not be . or ..");
    }

    private static async Task<byte[]> ReadAsync(HttpContent content, string host, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var bytes = new byte[WorkflowJson.MaxValueBytes + 1];
        var length = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return length < bytes.Length
            ? bytes[..length]
            : throw new WorkflowException($"The answer of {host} has more than {WorkflowJson.MaxValueBytes} bytes");
    }

    private static JsonElement AsValue(ReadOnlyMemory<byte> body)
    {
        body = body.Span.StartsWith(Encoding.UTF8.Preamble) ? body[Encoding.UTF8.Preamble.Length..] : body;
        try
        {
            return body.Length == 0 ? WorkflowJson.Null : JsonElement.Parse(JsonRepair.Apply(body).Span);
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(Encoding.UTF8.GetString(body.Span));
        }
    }
}
