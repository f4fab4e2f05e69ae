using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Harness.Suites;

/// <summary>
/// What a plain YAML scalar is in the 1.2 core schema. Infinities and NaN stay texts, because JSON has no such
/// numbers, and so do numbers of another base past 128 bits.
/// </summary>
internal static partial class YamlScalar
{
    public static SourceKind KindOf(string plain) => plain switch
    {
        "" or "~" or "null" or "Null" or "NULL" => SourceKind.Null,
        "true" or "True" or "TRUE" or "false" or "False" or "FALSE" => SourceKind.Flag,
        _ => Number().IsMatch(plain) ? SourceKind.Number : SourceKind.Text,
    };

    public static bool IsTrue(string flag) => flag is "true" or "True" or "TRUE";

    /// <summary>The same number in JSON's spelling: without a plus, leading zeros, a bare point, or another base.</summary>
    public static string ToJsonNumber(string number)
    {
        if (number.StartsWith("0x", StringComparison.Ordinal))
        {
            var value = BigInteger.Parse("0" + number[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            return value.ToString(CultureInfo.InvariantCulture);
        }

        if (number.StartsWith("0o", StringComparison.Ordinal))
        {
            return number[2..].Aggregate(BigInteger.Zero, (sum, digit) => (sum * 8) + (digit - '0')).ToString(CultureInfo.InvariantCulture);
        }

        var sign = number[0] == '-' ? "-" : "";
        var unsigned = number.TrimStart('+', '-');
        var exponentAt = unsigned.IndexOfAny(['e', 'E']);
        var exponent = exponentAt < 0 ? "" : unsigned[exponentAt..];
        var parts = (exponentAt < 0 ? unsigned : unsigned[..exponentAt]).Split('.');
        var whole = parts[0].TrimStart('0');
        var fraction = parts.Length > 1 && parts[1].Length > 0 ? "." + parts[1] : "";
        return sign + (whole.Length == 0 ? "0" : whole) + fraction + exponent;
    }

    [GeneratedRegex(@"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]{1,42}|0x[0-9a-fA-F]{1,32})$", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
