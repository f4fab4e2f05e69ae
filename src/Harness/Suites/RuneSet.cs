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

    public IReadOnlyList<(int From, int To)> Ranges => _ranges;

    private RuneSet((int From, int To)[] ranges) => _ranges = ranges;

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

        var members = Enumerable.Range(0, Last + 1).Where(rune => wanted.Contains(CharUnicodeInfo.GetUnicodeCategory(rune)));
        return Of(members.Select(rune => (rune, rune)));
    }

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

    public bool Contains(int rune)
    {
        var (low, high) = (0, _ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (rune > _ranges[middle].To)
            {
                low = middle + 1;
            }
            else if (rune < _ranges[middle].From)
            {
                high = middle - 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    private static FrozenDictionary<int, int[]> FindCaseMates()
    {
        var runes = Enumerable.Range(0, Last + 1).Where(Rune.IsValid).Select(value => new Rune(value));
        return runes
            .Where(rune => Rune.ToLowerInvariant(rune) != rune || Rune.ToUpperInvariant(rune) != rune)
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
