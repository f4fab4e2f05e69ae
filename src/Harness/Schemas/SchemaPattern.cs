using System.Text;
using System.Text.RegularExpressions;

namespace Harness.Schemas;

/// <summary>
/// The patterns of schemas are those of ECMA-262: <c>$</c> is the end and not also the line break before it, <c>\d</c> and <c>\w</c> are
/// ASCII. .NET's own option for it cannot go together with its automaton, so these are written out.
/// </summary>
internal static partial class SchemaPattern
{
    // Within brackets; each ends with a range, so that a - behind it stays a -.
    private const string Digits = "0-9";
    private const string OtherThanDigits = @"\u0000-/:-\uffff";
    private const string Words = "A-Z_a-z0-9";
    private const string OtherThanWords = @"\u0000-/:-@`\[-\^{-\uffff";

    /// <summary>The same pattern in .NET's words.</summary>
    /// <param name="pattern">One that .NET takes.</param>
    public static string Translate(string pattern)
    {
        var translated = new StringBuilder(pattern.Length);
        var end = Lines.IsMatch(pattern) ? "$" : "\\z";
        var (isClass, classFrom) = (false, 0);
        for (var at = 0; at < pattern.Length; at++)
        {
            var from = at;
            switch (pattern[at])
            {
                case '\\' when at + 1 < pattern.Length:
                    at++;
                    translated.Append(SetOf(pattern[at]) is not { } set ? pattern[from..(at + 1)] : isClass ? set : $"[{set}]");
                    continue;
                case '$' when !isClass:
                    translated.Append(end);
                    continue;
                case '[' when !isClass:
                    // The first ] in a class is one of its characters.
                    classFrom = at + (pattern.AsSpan(at + 1).StartsWith("^") ? 2 : 1);
                    isClass = true;
                    break;
                case ']' when at > classFrom:
                    isClass = false;
                    break;
                default:
                    break;
            }

            translated.Append(pattern[at]);
        }

        return translated.ToString();
    }

    private static string? SetOf(char letter) => letter switch
    {
        'd' => Digits,
        'D' => OtherThanDigits,
        'w' => Words,
        'W' => OtherThanWords,
        _ => null,
    };

    // .NET's way to let $ be the end of each line.
    [GeneratedRegex(@"(?<!\\)\(\?[a-z]*m")]
    private static partial Regex Lines { get; }
}
