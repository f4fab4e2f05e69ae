using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Harness.Suites;

/// <summary>A set of Unicode code points as sorted, disjoint ranges. Immutable.</summary>
internal sealed class RuneSet
{
    private const int Last = 0x10FFFF;

    private static readonly Lazy<FrozenDictionary<int, int[]>> CaseMates = new(FindCaseMates);

    private readonly (int From, int To)[] _ranges;

    private RuneSet((int From, int To)[] ranges) => _ranges = ranges;

    public static RuneSet Empty { get; } = new([]);

    public static RuneSet All { get; } = new([(0, Last)]);

    /// <summary>One code point, and with <paramref name="foldCase"/> those that differ from it only in case.</summary>
    public static RuneSet OfRune(int rune, bool foldCase) =>
        foldCase && CaseMates.Value.TryGetValue(rune, out var mates)
            ? Of(mates.Select(mate => (mate, mate)))
            : new RuneSet([(rune, rune)]);

    public static RuneSet Of(params IEnumerable<(int From, int To)> ranges)
    {
        var merged = new List<(int From, int To)>();
        foreach (var (from, to) in ranges.Order())
        {
            if (merged.Count > 0 && from <= merged[^1].To + 1)
            {
                merged[^1] = (merged[^1].From, Math.Max(merged[^1].To, to));
            }
            else
            {
                merged.Add((from, to));
            }
        }

        return new RuneSet([.. merged]);
    }

    /// <summary>The code points of a general category, such as <c>L</c> or <c>Nd</c>; null when there is none of that name.</summary>
    public static RuneSet? OfCategory(string name)
    {
        var wanted = Enum.GetValues<UnicodeCategory>().Where(category => ShortName(category).StartsWith(name, StringComparison.Ordinal)).ToHashSet();
        if (wanted.Count == 0 || name.Length is 0 or > 2)
        {
            return null;
        }

        return Of(Enumerable.Range(0, Last + 1).Where(rune => wanted.Contains(CharUnicodeInfo.GetUnicodeCategory(rune))).Select(rune => (rune, rune)));
    }

    public RuneSet Union(RuneSet other) => Of([.. _ranges, .. other._ranges]);

    public RuneSet Complement()
    {
        var gaps = new List<(int, int)>();
        var from = 0;
        foreach (var range in _ranges)
        {
            if (range.From > from)
            {
                gaps.Add((from, range.From - 1));
            }

            from = range.To + 1;
        }

        if (from <= Last)
        {
            gaps.Add((from, Last));
        }

        return new RuneSet([.. gaps]);
    }

    /// <summary>With every code point that differs from a member only in case.</summary>
    public RuneSet FoldCase()
    {
        var mates = CaseMates.Value.Where(pair => Contains(pair.Key)).SelectMany(pair => pair.Value).Select(mate => (mate, mate));
        return Of([.. _ranges, .. mates]);
    }

    /// <summary>
    /// As an expression over <see cref="Encode"/>d text: ASCII is itself; any other code point is a high and a low private-use character.
    /// </summary>
    public string ToPattern()
    {
        var ascii = new StringBuilder();
        var lowsByHigh = new SortedDictionary<int, List<(int From, int To)>>();
        foreach (var (from, to) in _ranges)
        {
            if (from < 0x80)
            {
                ascii.Append(Range((from, Math.Min(to, 0x7F)), 0));
            }

            for (var at = Math.Max(from, 0x80); at <= to; at = (at | 0x1FF) + 1)
            {
                if (!lowsByHigh.TryGetValue(at >> 9, out var lows))
                {
                    lowsByHigh[at >> 9] = lows = [];
                }

                lows.Add((at & 0x1FF, Math.Min(to, at | 0x1FF) & 0x1FF));
            }
        }

        // Most highs of a large set take the same lows, so that even a negated class is a handful of branches.
        var branches = lowsByHigh
            .GroupBy(pair => string.Concat(pair.Value.Select(low => Range(low, LowBase))), pair => pair.Key)
            .Select(group => $"[{string.Concat(Of(group.Select(high => (high, high)))._ranges.Select(high => Range(high, HighBase)))}][{group.Key}]")
            .ToList();
        if (ascii.Length > 0)
        {
            branches.Insert(0, $"[{ascii}]");
        }

        // A set without members matches nowhere.
        return branches.Count == 0 ? "[^\\0-\\uFFFF]" : $"(?:{string.Join('|', branches)})";
    }

    /// <summary>
    /// Text in which every code point past ASCII is two private-use characters. To .NET those are no word characters, so <c>\b</c> means
    /// what it means in RE2, and a code point past U+FFFF is one thing like any other.
    /// </summary>
    public static string Encode(string text)
    {
        if (Ascii.IsValid(text))
        {
            return text;
        }

        var encoded = new StringBuilder(text.Length * 2);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.IsAscii
                ? encoded.Append((char)rune.Value)
                : encoded.Append((char)(HighBase + (rune.Value >> 9))).Append((char)(LowBase + (rune.Value & 0x1FF)));
        }

        return encoded.ToString();
    }

    private const int HighBase = 0xE000;
    private const int LowBase = 0xF000;

    private bool Contains(int rune) => _ranges.Any(range => rune >= range.From && rune <= range.To);

    private static string Range((int From, int To) range, int offset) =>
        $"\\u{range.From + offset:X4}" + (range.To > range.From ? $"-\\u{range.To + offset:X4}" : "");

    private static FrozenDictionary<int, int[]> FindCaseMates()
    {
        var runes = Enumerable.Range(0, Last + 1).Where(Rune.IsValid).Select(value => new Rune(value));
        return runes
            .GroupBy(rune => Rune.ToLowerInvariant(Rune.ToUpperInvariant(rune)).Value, rune => rune.Value)
            .Select(mates => mates.ToArray())
            .Where(mates => mates.Length > 1)
            .SelectMany(mates => mates.Select(mate => KeyValuePair.Create(mate, mates)))
            .ToFrozenDictionary();
    }

    // The two letters of Unicode's own names, in the order of .NET's enumeration.
    private static string ShortName(UnicodeCategory category)
    {
        const string Names = "LuLlLtLmLoMnMcMeNdNlNoZsZlZpCcCfCsCoPcPdPsPePiPfPoSmScSkSoCn";
        return Names.Substring((int)category * 2, 2);
    }
}
