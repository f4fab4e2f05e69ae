using System.Text;
using System.Text.RegularExpressions;

namespace Harness.Suites;

/// <summary>
/// The characters an expression can tell apart. ASCII stays as it is; all code points past it that are in the same of the expression's sets
/// become the same private-use character. So every set is one small class to .NET, a code point past U+FFFF is one character, and as
/// private-use characters are no word characters, <c>\b</c> means what it means in RE2.
/// </summary>
internal sealed partial class Re2Alphabet
{
    private const char FirstLetter = '\uE000';
    private const int MaxLetters = 0xF8FF - 0xE000 + 1;

    // Sets times boundaries: below it the partition takes a fraction of a second.
    private const long MaxWork = 10_000_000;

    private readonly List<RuneSet> _sets = [];
    private readonly Dictionary<string, int> _numbers = [];
    private int[] _boundaries = [];
    private char[] _letters = [];

    /// <summary>A place for the set, filled by <see cref="TryResolve"/> when all sets are known.</summary>
    public string Add(RuneSet set)
    {
        var key = string.Join(' ', set.Ranges);
        if (!_numbers.TryGetValue(key, out var number))
        {
            number = _numbers[key] = _sets.Count;
            _sets.Add(set);
        }

        return $"<{number}>";
    }

    /// <summary>Puts classes into their places. False when the sets are too many.</summary>
    public bool TryResolve(string pattern, out string resolved)
    {
        resolved = "";
        var wide = _sets.Where(set => set.Ranges.Count > 0 && set.Ranges[^1].To >= 0x80).ToList();
        var edges = wide.SelectMany(set => set.Ranges).SelectMany(range => new[] { range.From, range.To + 1 });
        _boundaries = [.. edges.Append(0x80).Where(rune => rune >= 0x80).Distinct().Order()];
        if (wide.Count * (long)_boundaries.Length > MaxWork)
        {
            return false;
        }

        var letters = new Dictionary<string, char>();
        _letters = [.. _boundaries.Select(from => LetterOf(from))];
        if (letters.Count > MaxLetters)
        {
            return false;
        }

        var classes = _sets.ConvertAll(ToClass);
        resolved = Place().Replace(pattern, place => classes[int.Parse(place.ValueSpan[1..^1])]);
        return true;

        char LetterOf(int from)
        {
            var signature = string.Join(' ', Enumerable.Range(0, wide.Count).Where(number => wide[number].Contains(from)));
            if (!letters.TryGetValue(signature, out var letter))
            {
                letter = letters[signature] = (char)(FirstLetter + letters.Count);
            }

            return letter;
        }
    }

    /// <summary>The text in this alphabet.</summary>
    public string Encode(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        var encoded = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            encoded.Append(rune.IsAscii ? (char)rune.Value : LetterAt(rune.Value));
        }

        return encoded.ToString();
    }

    private char LetterAt(int rune)
    {
        var at = Array.BinarySearch(_boundaries, rune);
        return _letters[at < 0 ? ~at - 1 : at];
    }

    private string ToClass(RuneSet set)
    {
        var ascii = set.Ranges.Where(range => range.From < 0x80).Select(range => Range(range.From, Math.Min(range.To, 0x7F)));
        var letters = _boundaries.Where(set.Contains).Select(LetterAt).Distinct().Select(letter => Range(letter, letter));
        var members = string.Concat([.. ascii, .. letters]);

        // A set without members matches nowhere.
        return members.Length == 0 ? "[^\\0-\\uFFFF]" : $"[{members}]";
    }

    private static string Range(int from, int to) => $"\\u{from:X4}" + (to > from ? $"-\\u{to:X4}" : "");

    [GeneratedRegex("<[0-9]+>", RegexOptions.CultureInvariant)]
    private static partial Regex Place();
}
