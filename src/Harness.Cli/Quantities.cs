using System.CommandLine.Parsing;
using System.Globalization;

namespace Harness.Cli;

/// <summary>Durations such as <c>30d</c> and sizes such as <c>10GiB</c> on the command line, with an error that says how they are written.</summary>
internal static class Quantities
{
    private static readonly Dictionary<string, double> Seconds = new(StringComparer.Ordinal)
    {
        ["s"] = 1,
        ["m"] = 60,
        ["h"] = 3600,
        ["d"] = 86_400,
        ["w"] = 604_800,
    };

    private static readonly Dictionary<string, double> Bytes = new(StringComparer.OrdinalIgnoreCase)
    {
        ["B"] = 1,
        ["kB"] = 1e3,
        ["MB"] = 1e6,
        ["GB"] = 1e9,
        ["TB"] = 1e12,
        ["KiB"] = 1024,
        ["MiB"] = 1024d * 1024,
        ["GiB"] = 1024d * 1024 * 1024,
        ["TiB"] = 1024d * 1024 * 1024 * 1024,
    };

    /// <summary>A duration of at least a second and at most a hundred years.</summary>
    public static TimeSpan? Duration(ArgumentResult result) =>
        Read(result, Seconds) is { } seconds and >= 1 and <= 36_500d * 86_400
            ? TimeSpan.FromSeconds(seconds)
            : Refuse<TimeSpan>(result, "a duration such as 90s, 30m, 12h, 30d or 4w");

    /// <summary>A size of at least 1 MiB.</summary>
    public static long? Size(ArgumentResult result) =>
        Read(result, Bytes) is { } bytes and >= 1024 * 1024 and < 1e18
            ? (long)bytes
            : Refuse<long>(result, "a size such as 500MB or 10GiB, at least 1MiB");

    private static double? Read(ArgumentResult result, Dictionary<string, double> units)
    {
        var text = result.Tokens[0].Value;
        var digits = text.TakeWhile(character => char.IsAsciiDigit(character) || character == '.').Count();
        return double.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && units.TryGetValue(text[digits..].Trim(), out var unit)
            ? number * unit
            : null;
    }

    private static T? Refuse<T>(ArgumentResult result, string demand)
        where T : struct
    {
        result.AddError($"{(result.Parent as OptionResult)?.Option.Name} takes {demand} (not '{result.Tokens[0].Value}').");
        return null;
    }
}
