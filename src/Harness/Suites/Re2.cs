using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Harness.Suites;

/// <summary>
/// A regular expression with the meaning it has in RE2: unanchored, in linear time, over code points, with ASCII-only <c>\d \w \s \b</c>.
/// It is translated to the syntax of .NET's automaton, over an alphabet of its own.
/// </summary>
internal sealed class Re2
{
    /// <summary>Longest expression, in characters. RE2 has no such limit, but no author has written a longer one by hand.</summary>
    private const int MaxLength = 20_000;

    private readonly Regex _regex;
    private readonly Re2Alphabet _alphabet;

    private Re2(Regex regex, Re2Alphabet alphabet) => (_regex, _alphabet) = (regex, alphabet);

    /// <summary>False with RE2's own words, such as <c>error parsing regexp: missing closing ): `(a`</c>, when it is none.</summary>
    public static bool TryCompile(string pattern, [NotNullWhen(true)] out Re2? compiled, [NotNullWhen(false)] out string? error)
    {
        (compiled, error) = (null, null);
        try
        {
            compiled = Compile(pattern);
            return true;
        }
        catch (Re2SyntaxException syntax)
        {
            error = syntax.Message;
        }
        catch (NotSupportedException)
        {
            error = Re2SyntaxException.TooLarge(pattern).Message;
        }

        return false;
    }

    public bool IsMatch(string text) => _regex.IsMatch(_alphabet.Encode(text));

    private static Re2 Compile(string pattern)
    {
        if (pattern.Length > MaxLength)
        {
            throw Re2SyntaxException.TooLarge(pattern);
        }

        var alphabet = new Re2Alphabet();
        var translated = Re2Parser.Translate(pattern, alphabet);
        return alphabet.TryResolve(translated, out var resolved)
            ? new Re2(new Regex(resolved, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant), alphabet)
            : throw Re2SyntaxException.TooLarge(pattern);
    }
}

/// <summary>An expression RE2 does not accept; the message is the reference's.</summary>
internal sealed class Re2SyntaxException(string problem, string where) : Exception($"error parsing regexp: {problem}: `{where}`")
{
    public static Re2SyntaxException TooLarge(string pattern) => new("expression too large", SuiteReportReductions.Shorten(pattern));
}
