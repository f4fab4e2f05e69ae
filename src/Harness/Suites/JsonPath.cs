using System.Globalization;
using System.Text.Json;

namespace Harness.Suites;

/// <summary>The part of JSONPath that names one value: <c>$.a.b[0]['x y']</c>. A negative index counts from the end.</summary>
internal static class JsonPath
{
    /// <param name="value">What the path starts in.</param>
    /// <param name="path">With or without the leading <c>$</c>.</param>
    /// <param name="found">The value the path names.</param>
    /// <returns>Null, or what is wrong, for people.</returns>
    public static string? TryGet(JsonElement value, string path, out JsonElement found)
    {
        found = value;
        var rest = path.StartsWith('$') ? path.AsSpan(1) : path.AsSpan();
        while (!rest.IsEmpty)
        {
            if (!TryReadStep(ref rest, out var step, out var isIndex))
            {
                return $"cannot read the path at '{rest}'; write $.name, ['name'] or [0]";
            }

            if (isIndex && found.ValueKind == JsonValueKind.Array)
            {
                var index = int.Parse(step, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
                var length = found.GetArrayLength();
                index = index < 0 ? index + length : index;
                if (index < 0 || index >= length)
                {
                    return $"index {step} is outside the list of {length}";
                }

                found = found[index];
            }
            else if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty(step, out found))
            {
                return $"unknown key {step}";
            }
        }

        return null;
    }

    private static bool TryReadStep(ref ReadOnlySpan<char> rest, out string step, out bool isIndex)
    {
        (step, isIndex) = ("", false);
        if (rest[0] == '.')
        {
            var end = rest[1..].IndexOfAny('.', '[');
            step = (end < 0 ? rest[1..] : rest.Slice(1, end)).ToString();
            return Advance(ref rest, step.Length + 1) && step.Length > 0;
        }

        if (rest.Length < 3 || rest[0] != '[')
        {
            return false;
        }

        if (rest[1] is '\'' or '"')
        {
            var end = rest[2..].IndexOf([rest[1], ']']);
            step = end < 0 ? "" : rest.Slice(2, end).ToString();
            return end >= 0 && Advance(ref rest, end + 4);
        }

        var close = rest.IndexOf(']');
        step = close < 0 ? "" : rest[1..close].ToString();
        isIndex = int.TryParse(step, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
        return isIndex && Advance(ref rest, close + 1);
    }

    private static bool Advance(ref ReadOnlySpan<char> rest, int length)
    {
        rest = rest[length..];
        return true;
    }
}
