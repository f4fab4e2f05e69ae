using System.Globalization;

namespace Harness.Suites;

/// <summary>A repetition operator: <c>* + ?</c> or counts in braces, greedy or not.</summary>
/// <param name="Min">Least times.</param>
/// <param name="Max">Most times; null: without end.</param>
internal sealed record Re2Repetition(int Min, int? Max)
{
    /// <summary>RE2's own limit, also for what nested repetitions come to together.</summary>
    public const int MaxCount = 1000;

    // Room for more digits than any count that is allowed.
    private const int MaxLength = 64;

    /// <summary>How often an automaton writes out what is repeated.</summary>
    public int Copies => Max ?? Min;

    public bool IsValid => !(Max < Min) && Min <= MaxCount && !(Max > MaxCount);

    public string Suffix => (Min, Max) switch
    {
        (0, null) => "*",
        (1, null) => "+",
        (0, 1) => "?",
        (_, null) => $"{{{Min},}}",
        _ => $"{{{Min},{Max}}}",
    };

    /// <summary>The operator that begins here; null, without moving, when there is none. Braces without counts are ordinary characters.</summary>
    public static Re2Repetition? TryRead(string pattern, ref int at)
    {
        var (read, length) = pattern[at] switch
        {
            '*' => (new Re2Repetition(0, null), 1),
            '+' => (new Re2Repetition(1, null), 1),
            '?' => (new Re2Repetition(0, 1), 1),
            '{' => ReadCounts(pattern, at),
            _ => (null, 0),
        };
        if (read is not null)
        {
            at += length;
            at += at < pattern.Length && pattern[at] == '?' ? 1 : 0;
        }

        return read;
    }

    private static (Re2Repetition?, int) ReadCounts(string pattern, int at)
    {
        var length = pattern.AsSpan(at, Math.Min(MaxLength, pattern.Length - at)).IndexOf('}') + 1;
        var counts = length == 0 ? [] : pattern.Substring(at + 1, length - 2).Split(',');
        if (counts.Length is 0 or > 2 || ReadCount(counts[0]) is not { } min)
        {
            return (null, 0);
        }

        var max = counts.Length == 1 ? min : ReadCount(counts[1]);
        return max is null && counts[^1].Length > 0 ? (null, 0) : (new Re2Repetition(min, max), length);
    }

    // More digits than an int has are as much too many as 1001.
    private static int? ReadCount(string digits)
    {
        if (digits.Length == 0 || !digits.All(char.IsAsciiDigit) || (digits.Length > 1 && digits[0] == '0'))
        {
            return null;
        }

        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : MaxCount + 1;
    }
}
