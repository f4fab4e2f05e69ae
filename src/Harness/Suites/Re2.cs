using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Harness.Suites;

/// <summary>
/// A regular expression with the meaning it has in RE2: unanchored, in linear time, over code points, with ASCII-only <c>\d \w \s \b</c>.
/// Everything is translated to sets of code points over <see cref="RuneSet.Encode"/>d text and left to .NET's automaton.
/// </summary>
internal sealed class Re2
{
    private readonly Regex _regex;

    private Re2(Regex regex) => _regex = regex;

    /// <summary>False with RE2's own words, such as <c>error parsing regexp: missing closing ): `(a`</c>, when it is none.</summary>
    public static bool TryCompile(string pattern, [NotNullWhen(true)] out Re2? compiled, [NotNullWhen(false)] out string? error)
    {
        (compiled, error) = (null, null);
        try
        {
            compiled = new Re2(new Regex(Re2Parser.Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
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

    public bool IsMatch(string text) => _regex.IsMatch(RuneSet.Encode(text));
}

/// <summary>An expression RE2 does not accept; the message is the reference's.</summary>
internal sealed class Re2SyntaxException(string problem, string where) : Exception($"error parsing regexp: {problem}: `{where}`")
{
    public static Re2SyntaxException TooLarge(string pattern) => new("expression too large", pattern);
}
