using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Harness.Suites;

/// <summary>What <c>(?ims)</c> switches. <c>U</c> only swaps greed, which does not matter here.</summary>
[Flags]
internal enum Re2Flags
{
    None = 0,
    FoldCase = 1,
    Lines = 2,
    DotAll = 4,
}

/// <summary>Reads the parts of RE2 syntax that stand for one character: classes in brackets, and escapes inside and outside of them.</summary>
internal sealed class Re2Class(string pattern, Re2Flags flags)
{
    private static readonly RuneSet Digits = RuneSet.Of(('0', '9'));
    private static readonly RuneSet Spaces = RuneSet.Of(('\t', '\n'), ('\f', '\r'), (' ', ' '));
    private static readonly RuneSet Words = RuneSet.Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));

    // A category takes a walk over all of Unicode. Only names of one or two ASCII letters come here, so it stays small.
    private static readonly ConcurrentDictionary<string, RuneSet?> Categories = new();

    private static readonly Dictionary<string, RuneSet> Posix = new()
    {
        ["alnum"] = RuneSet.Of(('0', '9'), ('A', 'Z'), ('a', 'z')),
        ["alpha"] = RuneSet.Of(('A', 'Z'), ('a', 'z')),
        ["ascii"] = RuneSet.Of((0, 0x7F)),
        ["blank"] = RuneSet.Of(('\t', '\t'), (' ', ' ')),
        ["cntrl"] = RuneSet.Of((0, 0x1F), (0x7F, 0x7F)),
        ["digit"] = Digits,
        ["graph"] = RuneSet.Of(('!', '~')),
        ["lower"] = RuneSet.Of(('a', 'z')),
        ["print"] = RuneSet.Of((' ', '~')),
        ["punct"] = RuneSet.Of(('!', '/'), (':', '@'), ('[', '`'), ('{', '~')),
        ["space"] = RuneSet.Of(('\t', '\r'), (' ', ' ')),
        ["upper"] = RuneSet.Of(('A', 'Z')),
        ["word"] = Words,
        ["xdigit"] = RuneSet.Of(('0', '9'), ('A', 'F'), ('a', 'f')),
    };

    /// <summary>A class in brackets, from its opening one.</summary>
    public RuneSet Parse(ref int at)
    {
        var from = at++;
        var isNegated = at < pattern.Length && pattern[at] == '^';
        at += isNegated ? 1 : 0;
        var ranges = new List<(int, int)>();
        for (var isFirst = true; isFirst || at == pattern.Length || pattern[at] != ']'; isFirst = false)
        {
            if (at == pattern.Length)
            {
                throw new Re2SyntaxException("missing closing ]", pattern[from..]);
            }

            ranges.AddRange((TryParsePosix(ref at) ?? TryParseSetEscape(ref at) ?? ParseRange(ref at, from)).Ranges);
        }

        at++;
        var set = RuneSet.Of(ranges);
        set = flags.HasFlag(Re2Flags.FoldCase) ? set.FoldCase() : set;
        return isNegated ? set.Complement() : set;
    }

    /// <summary>An escape that stands for many characters (<c>\d</c>, <c>\pL</c> …); null, without moving, when it is none.</summary>
    public RuneSet? TryParseSetEscape(ref int at)
    {
        if (at + 1 >= pattern.Length || pattern[at] != '\\')
        {
            return null;
        }

        var letter = pattern[at + 1];
        if (letter is 'p' or 'P')
        {
            return ParseCategory(ref at, isNegated: letter == 'P');
        }

        RuneSet? set = char.ToLowerInvariant(letter) switch
        {
            'd' => Digits,
            's' => Spaces,
            'w' => Words,
            _ => null,
        };
        at += set is null ? 0 : 2;
        return char.IsUpper(letter) ? set?.Complement() : set;
    }

    /// <summary>An escape that stands for one character, from its backslash.</summary>
    public int ParseCharacterEscape(ref int at)
    {
        var from = at++;
        if (at == pattern.Length)
        {
            throw new Re2SyntaxException("trailing backslash at end of expression", "");
        }

        var rune = Rune.TryGetRuneAt(pattern, at, out var read) ? read : Rune.ReplacementChar;
        at += rune.Utf16SequenceLength;
        return rune.Value switch
        {
            'a' => 7,
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\v',
            'x' => ParseHexadecimal(ref at, from),
            '0' => ParseOctal(ref at),
            >= '1' and <= '7' when at < pattern.Length && pattern[at] is >= '0' and <= '7' => ParseOctal(ref at),
            < 0x80 when !char.IsAsciiLetterOrDigit((char)rune.Value) => rune.Value,
            _ => throw new Re2SyntaxException("invalid escape sequence", pattern[from..at]),
        };
    }

    private RuneSet ParseRange(ref int at, int classFrom)
    {
        var from = at;
        var low = ParseCharacter(ref at, classFrom);
        if (at + 1 >= pattern.Length || pattern[at] != '-' || pattern[at + 1] == ']')
        {
            return RuneSet.Of((low, low));
        }

        at++;
        var high = ParseCharacter(ref at, classFrom);
        return high < low ? throw new Re2SyntaxException("invalid character class range", pattern[from..at]) : RuneSet.Of((low, high));
    }

    private int ParseCharacter(ref int at, int classFrom)
    {
        if (at == pattern.Length)
        {
            throw new Re2SyntaxException("missing closing ]", pattern[classFrom..]);
        }

        if (pattern[at] == '\\')
        {
            return ParseCharacterEscape(ref at);
        }

        var rune = Rune.TryGetRuneAt(pattern, at, out var read) ? read : Rune.ReplacementChar;
        at += rune.Utf16SequenceLength;
        return rune.Value;
    }

    private RuneSet? TryParsePosix(ref int at)
    {
        var end = pattern.AsSpan(at).StartsWith("[:") ? pattern.IndexOf(":]", at + 2, StringComparison.Ordinal) : -1;
        if (end < 0)
        {
            return null;
        }

        var written = pattern[at..(end + 2)];
        var name = written[2..^2];
        var isNegated = name.StartsWith('^');
        if (!Posix.TryGetValue(isNegated ? name[1..] : name, out var set))
        {
            throw new Re2SyntaxException("invalid character class range", written);
        }

        at = end + 2;
        return isNegated ? set.Complement() : set;
    }

    private RuneSet ParseCategory(ref int at, bool isNegated)
    {
        var inBraces = at + 2 < pattern.Length && pattern[at + 2] == '{';
        var end = inBraces ? pattern.IndexOf('}', at) + 1 : Math.Min(at + 3, pattern.Length);
        if (end <= at)
        {
            throw new Re2SyntaxException("invalid character class range", pattern[at..]);
        }

        var written = pattern[at..end];
        var name = inBraces ? written[3..^1] : written[2..];
        if (name.StartsWith('^'))
        {
            (isNegated, name) = (!isNegated, name[1..]);
        }

        var isCategory = name.Length is 1 or 2 && name.All(char.IsAsciiLetter);
        var set = name == "Any" ? RuneSet.All : isCategory ? Categories.GetOrAdd(name, RuneSet.OfCategory) : null;
        if (set is null)
        {
            throw new Re2SyntaxException("invalid character class range", written);
        }

        at = end;
        set = flags.HasFlag(Re2Flags.FoldCase) ? set.FoldCase() : set;
        return isNegated ? set.Complement() : set;
    }

    private int ParseHexadecimal(ref int at, int from)
    {
        var inBraces = at < pattern.Length && pattern[at] == '{';
        var end = inBraces ? pattern.IndexOf('}', at) : Math.Min(at + 2, pattern.Length);
        var digits = end < 0 ? "" : pattern[(inBraces ? at + 1 : at)..end];
        var isRune = int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var rune)
            && rune is >= 0 and <= 0x10FFFF;
        if (!isRune || (!inBraces && digits.Length < 2))
        {
            throw new Re2SyntaxException("invalid escape sequence", pattern[from..(end < 0 ? pattern.Length : inBraces ? end + 1 : end)]);
        }

        at = inBraces ? end + 1 : end;
        return rune;
    }

    // Up to three digits, the first of which has been read.
    private int ParseOctal(ref int at)
    {
        var value = pattern[at - 1] - '0';
        for (var more = 0; more < 2 && at < pattern.Length && pattern[at] is >= '0' and <= '7'; more++)
        {
            value = (value * 8) + pattern[at++] - '0';
        }

        return value;
    }
}
