using System.Text;
using System.Text.Json;

namespace Harness.Generations;

/// <summary>Reads JSON that has only partly come, by closing what is open.</summary>
internal static class PartialJson
{
    /// <summary>The value as far as it has come; null: not enough to make one. A last word that is not whole is left out.</summary>
    public static JsonElement? Read(ReadOnlySpan<char> text)
    {
        var closed = Close(text);
        if (closed is null)
        {
            return null;
        }

        try
        {
            var value = JsonElement.Parse(closed);
            return value.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? value : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Keeps the longest beginning after which only closing brackets are missing.
    private static string? Close(ReadOnlySpan<char> text)
    {
        var open = new Stack<char>();
        var (good, goodDepth, isInText, isKey) = (0, 0, false, false);
        var expectsKey = false;
        for (var at = 0; at < text.Length; at++)
        {
            var letter = text[at];
            if (isInText)
            {
                if (letter == '\\')
                {
                    at += at + 1 < text.Length && text[at + 1] == 'u' ? 5 : 1;
                }
                else if (letter == '"')
                {
                    isInText = false;
                    (good, goodDepth) = isKey ? (good, goodDepth) : (at + 1, open.Count);
                }

                continue;
            }

            switch (letter)
            {
                case '"':
                    (isInText, isKey) = (true, expectsKey);
                    break;
                case '{' or '[':
                    open.Push(letter);
                    (good, goodDepth, expectsKey) = (at + 1, open.Count, letter == '{');
                    break;
                case '}' or ']':
                    if (open.Count == 0)
                    {
                        return null;
                    }

                    open.Pop();
                    (good, goodDepth, expectsKey) = (at + 1, open.Count, false);
                    break;
                case ',':
                    // A number, true or null is whole when the comma behind it is there.
                    (good, goodDepth, expectsKey) = (at, open.Count, open.Count > 0 && open.Peek() == '{');
                    break;
                case ':':
                    expectsKey = false;
                    break;
            }
        }

        // A text value that is still being written is shown as far as it is.
        if (isInText && !isKey && !EndsInEscape(text))
        {
            return string.Concat(text, "\"", Brackets(open));
        }

        var depth = open.Reverse().Take(goodDepth).Reverse();
        return goodDepth <= open.Count && good > 0 ? string.Concat(text[..good], Brackets(depth)) : null;
    }

    private static bool EndsInEscape(ReadOnlySpan<char> text)
    {
        var slash = text[Math.Max(0, text.Length - 6)..].LastIndexOf('\\');
        return slash >= 0 || (text.Length > 0 && char.IsHighSurrogate(text[^1]));
    }

    private static string Brackets(IEnumerable<char> open)
    {
        var brackets = new StringBuilder();
        foreach (var bracket in open)
        {
            brackets.Append(bracket == '{' ? '}' : ']');
        }

        return brackets.ToString();
    }
}
