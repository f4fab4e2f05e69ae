using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Harness.Suites;

/// <summary>How a JSON number becomes text.</summary>
internal enum NumberForm
{
    /// <summary>All digits, as people write it: <c>12345678</c>.</summary>
    Plain,

    /// <summary>As the reference implementation prints a float: <c>1.2345678e+07</c>, from a million up.</summary>
    Exponent,
}

/// <summary>
/// The text forms of the reference implementation (compat/voiceflow.md 2.3): existing suites compare with them and existing log readers
/// expect them.
/// </summary>
internal static class GoText
{
    /// <summary>The text of a variable's value: <c>3</c>, <c>true</c>, <c>&lt;nil&gt;</c>, <c>[1 2]</c>, <c>map[a:x b:1]</c>.</summary>
    public static string Of(JsonElement value, NumberForm form = NumberForm.Plain)
    {
        var text = new StringBuilder();
        Append(text, value, form);
        return text.ToString();
    }

    /// <summary>A list of texts: <c>[hi Hello]</c>.</summary>
    public static string List(IEnumerable<string> items) => $"[{string.Join(' ', items)}]";

    /// <summary>A number the way the reference prints one: the shortest digits that read back, with an exponent outside 1e-4 … 1e6.</summary>
    public static string Number(double number)
    {
        if (double.IsInfinity(number))
        {
            return Infinity(number);
        }

        var (digits, exponent) = Digits(number);
        if (exponent is >= -4 and < 6)
        {
            return Plain(number);
        }

        var fraction = digits.Length > 1 ? "." + digits[1..] : "";
        var sign = double.IsNegative(number) ? "-" : "";
        return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    /// <summary>A JSON string in quotes, escaped as the reference does it, which is also safe inside HTML.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var letter in text)
        {
            _ = letter switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\b' => quoted.Append("\\b"),
                '\f' => quoted.Append("\\f"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                < ' ' or '<' or '>' or '&' or '\u2028' or '\u2029' => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"),
                _ => quoted.Append(letter),
            };
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>All digits and no exponent.</summary>
    public static string Plain(double number)
    {
        if (double.IsInfinity(number))
        {
            return Infinity(number);
        }

        var (digits, exponent) = Digits(number);
        var sign = double.IsNegative(number) ? "-" : "";
        if (exponent < 0)
        {
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        }

        var whole = digits.Length > exponent + 1 ? digits[..(exponent + 1)] : digits.PadRight(exponent + 1, '0');
        return digits.Length > exponent + 1 ? $"{sign}{whole}.{digits[(exponent + 1)..]}" : sign + whole;
    }

    // What becomes of a number that is too large, such as 1e999.
    private static string Infinity(double number) => number > 0 ? "+Inf" : "-Inf";

    private static void Append(StringBuilder text, JsonElement value, NumberForm form)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                text.Append(value.GetString());
                break;
            case JsonValueKind.Number:
                text.Append(form == NumberForm.Plain ? Plain(value) : Number(value.GetDouble()));
                break;
            case JsonValueKind.True or JsonValueKind.False:
                text.Append(value.GetBoolean() ? "true" : "false");
                break;
            case JsonValueKind.Array:
                text.Append('[').AppendJoin(' ', value.EnumerateArray().Select(item => Of(item, form))).Append(']');
                break;
            case JsonValueKind.Object:
                var members = value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal);
                text.Append("map[").AppendJoin(' ', members.Select(member => $"{member.Name}:{Of(member.Value, form)}")).Append(']');
                break;
            default:
                text.Append("<nil>");
                break;
        }
    }

    // Digits that were sent are kept: a double would round integers past 2^53.
    private static string Plain(JsonElement number)
    {
        var raw = number.GetRawText();
        return raw.AsSpan().IndexOfAny('.', 'e', 'E') < 0 ? raw : Plain(number.GetDouble());
    }

    /// <summary>The shortest digits that read back as the same number, and the power of ten of the first of them.</summary>
    private static (string Digits, int Exponent) Digits(double number)
    {
        if (number == 0)
        {
            return ("0", 0);
        }

        var parts = Math.Abs(number).ToString("R", CultureInfo.InvariantCulture).Split('E');
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var digits = parts[0].Replace(".", "", StringComparison.Ordinal);
        var zeros = digits.Length - digits.TrimStart('0').Length;
        var shift = parts.Length > 1 ? int.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;
        return (digits.Trim('0'), (point < 0 ? digits.Length : point) - 1 - zeros + shift);
    }
}
