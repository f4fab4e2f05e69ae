using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Harness.Executions;

namespace Harness.Generations;

/// <summary>A text that comes in pieces, of a peer that may cut it within a character, as programs in JavaScript do with emojis.</summary>
internal sealed class TextPieces
{
    private const int EscapeLength = 6;

    // The escape of the first half of a character; its second half is to begin the next piece.
    private string _half = "";

    /// <summary>The next piece. Half a character at its end is kept for the piece after it.</summary>
    /// <exception cref="InvalidOperationException">It is no text.</exception>
    public string Read(JsonElement piece)
    {
        if (_half.Length == 0 && IsPlain(piece))
        {
            return piece.GetString()!;
        }

        var text = _half + Quoted(piece)[1..^1];
        _half = EndsWithHalf(text) ? text[^EscapeLength..] : "";
        return Repair($"\"{text[..^_half.Length]}\"");
    }

    /// <summary>What stands for the half of a character that was never completed; empty when there is none.</summary>
    public string End() => _half.Length > 0 ? "\uFFFD" : "";

    /// <summary>A text that comes whole.</summary>
    /// <exception cref="InvalidOperationException">It is no text.</exception>
    public static string Whole(JsonElement text) => IsPlain(text) ? text.GetString()! : Repair(Quoted(text));

    // Only an escape can be half a character.
    private static bool IsPlain(JsonElement text) =>
        text.ValueKind == JsonValueKind.String && JsonMarshal.GetRawUtf8Value(text).IndexOf("\\u"u8) < 0;

    private static string Quoted(JsonElement text) => text.ValueKind == JsonValueKind.String
        ? text.GetRawText()
        : throw new InvalidOperationException($"A text is expected, not {text.ValueKind}");

    private static string Repair(string quoted) => JsonElement.Parse(JsonRepair.Apply(Encoding.UTF8.GetBytes(quoted)).Span).GetString()!;

    private static bool EndsWithHalf(string text)
    {
        if (text.Length < EscapeLength || text[^5] != 'u' || !ushort.TryParse(text.AsSpan(^4..), NumberStyles.AllowHexSpecifier, null, out var unit))
        {
            return false;
        }

        // A backslash that is escaped itself begins no escape.
        var before = text.AsSpan(..^5);
        return char.IsHighSurrogate((char)unit) && (before.Length - before.TrimEnd('\\').Length) % 2 == 1;
    }
}
