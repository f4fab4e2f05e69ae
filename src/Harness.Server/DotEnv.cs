namespace Harness.Server;

/// <summary>Reads <c>.env</c> files: <c>NAME=value</c> lines with values bare or in quotes, <c>#</c> comments, <c>export</c>.</summary>
internal static class DotEnv
{
    /// <summary>The file's variables; none when there is no such file.</summary>
    public static Dictionary<string, string> Read(string path) =>
        File.Exists(path) ? Parse(File.ReadLines(path)) : [];

    /// <summary>The variables of these lines; of one name the last counts. Lines of another form are skipped.</summary>
    public static Dictionary<string, string> Parse(IEnumerable<string> lines)
    {
        var variables = new Dictionary<string, string>();
        foreach (var line in lines.Select(line => line.Trim()).Where(line => !line.StartsWith('#')))
        {
            var assignment = line.StartsWith("export ", StringComparison.Ordinal) ? line["export ".Length..] : line;
            var equals = assignment.IndexOf('=');
            if (equals > 0)
            {
                variables[assignment[..equals].Trim()] = Unquote(assignment[(equals + 1)..].Trim());
            }
        }

        return variables;
    }

    private static string Unquote(string value)
    {
        var isQuoted = value.Length >= 2 && value[0] is '"' or '\'' && value[^1] == value[0];
        var comment = value.IndexOf(" #", StringComparison.Ordinal);
        return isQuoted ? value[1..^1] : comment < 0 ? value : value[..comment].TrimEnd();
    }
}
