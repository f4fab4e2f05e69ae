namespace Harness.Agents;

/// <summary>The environment variables of agents, as configuration pairs. One that is set but blank counts as unset.</summary>
public static class AgentEnvironment
{
    private static readonly (string Variable, string Option)[] Variables =
    [
        ("VF_API_KEY", nameof(AgentOptions.VoiceflowApiKey)),
        ("VF_SUBDOMAIN", nameof(AgentOptions.VoiceflowSubdomain)),
        ("VF_RUNTIME_URL", nameof(AgentOptions.VoiceflowRuntimeUrl)),
        ("VF_API_URL", nameof(AgentOptions.VoiceflowApiUrl)),
        ("VF_ANALYTICS_URL", nameof(AgentOptions.VoiceflowAnalyticsUrl)),
        ("OPENAI_API_KEY", nameof(AgentOptions.OpenAIApiKey)),
        ("OPENAI_BASE_URL", nameof(AgentOptions.OpenAIBaseUrl)),
    ];

    /// <summary>The pairs of section <c>Harness:Agents</c> for the variables that are set; for <c>AddInMemoryCollection</c>.</summary>
    /// <param name="getVariable">Such as <see cref="Environment.GetEnvironmentVariable(string)"/>; null means unset.</param>
    public static IEnumerable<KeyValuePair<string, string?>> Read(Func<string, string?> getVariable)
    {
        foreach (var (variable, option) in Variables)
        {
            if (getVariable(variable) is { } value && !string.IsNullOrWhiteSpace(value))
            {
                yield return KeyValuePair.Create<string, string?>($"{AgentOptions.Section}:{option}", value.Trim());
            }
        }
    }

    /// <summary>Looks a variable up in the environment, and where it is unset or blank there, in a file.</summary>
    /// <param name="getVariable">The real environment.</param>
    /// <param name="file">What <see cref="ReadFile"/> gave.</param>
    public static Func<string, string?> WithFile(Func<string, string?> getVariable, IReadOnlyDictionary<string, string> file) =>
        name => getVariable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value : file.GetValueOrDefault(name);

    /// <summary>
    /// Reads a <c>.env</c> file: <c>KEY=VALUE</c> per line, <c>export</c> before it, <c>#</c> comments, values bare, in single quotes
    /// (taken literally) or in double quotes (with \n, \t, \" and \\). The last of two lines for a key wins; other lines are skipped.
    /// </summary>
    /// <returns>Empty when there is no such file.</returns>
    /// <exception cref="AgentException">The file is there and cannot be read.</exception>
    public static IReadOnlyDictionary<string, string> ReadFile(string path)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(path))
        {
            return values;
        }

        try
        {
            foreach (var line in File.ReadLines(path))
            {
                if (Parse(line) is var (key, value))
                {
                    values[key] = value;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new AgentException($"{path} cannot be read: {exception.Message}", exception);
        }

        return values;
    }

    private static (string Key, string Value)? Parse(string line)
    {
        line = line.Trim();
        if (line.StartsWith("export ", StringComparison.Ordinal))
        {
            line = line["export ".Length..];
        }

        var equals = line.IndexOf('=', StringComparison.Ordinal);
        var key = equals < 0 ? "" : line[..equals].Trim();
        var named = key.Length > 0 && key.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or '-');
        return named ? (key, Value(line[(equals + 1)..].Trim())) : null;
    }

    private static string Value(string text)
    {
        if (text.StartsWith('\'') && text.IndexOf('\'', 1) is > 0 and var single)
        {
            return text[1..single];
        }

        if (text.StartsWith('"') && ClosingQuote(text) is > 0 and var closing)
        {
            return Unescape(text[1..closing]);
        }

        var comment = text.IndexOf(" #", StringComparison.Ordinal);
        return text.StartsWith('#') ? "" : (comment < 0 ? text : text[..comment]).TrimEnd();
    }

    private static int ClosingQuote(string text)
    {
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '"')
            {
                return i;
            }
        }

        return -1;
    }

    private static string Unescape(string text)
    {
        var value = new System.Text.StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                value.Append(text[i]);
                continue;
            }

            value.Append(text[++i] switch { 'n' => '\n', 't' => '\t', var other => other });
        }

        return value.ToString();
    }
}
