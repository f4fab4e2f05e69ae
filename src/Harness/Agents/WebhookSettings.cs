using System.Text.Json;

namespace Harness.Agents;

/// <summary>What a request says about its webhook: <c>url</c>, and if it likes <c>headers</c> and <c>timeout_seconds</c>.</summary>
internal sealed class WebhookSettings
{
    // These belong to the connection and not to the message.
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Content-Length", "Content-Type", "Expect", "Host", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
    };

    // Up to here small letters alone are taken for a word and not for a secret: hidden words would make errors unreadable. So would shorter parts.
    private const int MaxWordLength = 15;
    private const int MinPartLength = 4;

    private WebhookSettings(Uri url, IReadOnlyList<KeyValuePair<string, string>> headers, TimeSpan timeLimit) =>
        (Url, Headers, TimeLimit) = (url, headers, timeLimit);

    /// <summary>Where turns are posted to; its path and its query can hold a secret.</summary>
    public Uri Url { get; }

    /// <summary>Sent with each call; the values are secrets.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; }

    /// <summary>The request's, at most the server's.</summary>
    public TimeSpan TimeLimit { get; }

    /// <summary>What an error must not hold: header values, path and query, each also in the parts that a server may repeat.</summary>
    public IEnumerable<string> Secrets
    {
        get
        {
            var values = Headers.Select(header => header.Value).ToArray();
            var path = Url.AbsolutePath == "/" ? "" : Url.AbsolutePath;
            string[] wholes = [.. values, path + Url.Query, path, Url.Query.TrimStart('?')];
            // "Bearer abcdef" comes back as "abcdef"; shorter parts are words such as Bearer itself.
            var parts = values.SelectMany(value => value.Split(' '))
                .Concat(Url.Query.Split('?', '&', '=').SelectMany(Spellings))
                .Where(part => part.Length > "Bearer".Length);
            var ofPath = path.Split('/').Append(path.Trim('/')).SelectMany(Spellings).Where(part => part.Length >= MinPartLength && !IsWord(part));
            return wholes.Concat(parts).Concat(ofPath);
        }
    }

    /// <summary>Reads the <c>agent</c> object of a request.</summary>
    /// <param name="options">The object.</param>
    /// <param name="longest">The server's time limit.</param>
    /// <exception cref="AgentException">Something is missing or of the wrong kind; says what to write.</exception>
    public static WebhookSettings Read(JsonElement options, TimeSpan longest)
    {
        var url = AgentJson.Find(options, "url") is { ValueKind: JsonValueKind.String } text
            ? AgentUrl.Parse(text.GetString()!, "The webhook's url")
            : throw new AgentException("The webhook agent needs a url: {\"type\": \"webhook\", \"url\": \"https://…\"}");
        var headers = AgentJson.Find(options, "headers") is { } given ? ReadHeaders(given) : [];
        return new WebhookSettings(url, [.. headers], ReadTimeLimit(options, longest));
    }

    private static string[] Spellings(string part) => [part, Uri.UnescapeDataString(part)];

    // Such as "webhook" and "Conversations".
    private static bool IsWord(string part) => part.Length <= MaxWordLength && char.IsAsciiLetter(part[0]) && part.Skip(1).All(char.IsAsciiLetterLower);

    private static IEnumerable<KeyValuePair<string, string>> ReadHeaders(JsonElement headers)
    {
        if (headers.ValueKind != JsonValueKind.Object)
        {
            throw new AgentException("The webhook's headers must be an object of names and texts");
        }

        using var probe = new HttpRequestMessage();
        foreach (var header in headers.EnumerateObject())
        {
            var name = header.Name;
            var value = header.Value.ValueKind == JsonValueKind.String ? header.Value.GetString()! : null;
            var good = value is not null
                && !Reserved.Contains(name)
                && value.All(character => character is (>= ' ' and <= '~') or '\t')
                && probe.Headers.TryAddWithoutValidation(name, value);
            yield return good
                ? KeyValuePair.Create(name, value!)
                : throw new AgentException(
                    $"The webhook's header '{Excerpt.Of(name, [])}' cannot be sent: it must be a plain name with an ASCII text, "
                    + "and not one that belongs to the connection");
        }
    }

    private static TimeSpan ReadTimeLimit(JsonElement options, TimeSpan longest)
    {
        if (AgentJson.Find(options, "timeoutSeconds") is not { } seconds)
        {
            return longest;
        }

        var good = seconds.ValueKind == JsonValueKind.Number && seconds.TryGetDouble(out _);
        return good && seconds.GetDouble() is > 0 and var value && value <= longest.TotalSeconds
            ? TimeSpan.FromSeconds(value)
            : throw new AgentException(
                $"The webhook's timeout_seconds must be more than 0 and at most {longest.TotalSeconds} (Harness:Agents:CallTimeLimit)");
    }
}
