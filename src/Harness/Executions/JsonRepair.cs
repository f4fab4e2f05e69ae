using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Harness.Executions;

/// <summary>
/// Mends JSON of peers that cut texts within a character, as programs in JavaScript do with emojis: .NET finds that out only when the text is
/// read, and throws.
/// </summary>
public static class JsonRepair
{
    private static readonly SearchValues<byte> NeedsCare = SearchValues.Create(
        [(byte)'\\', .. Enumerable.Range(0x80, 0x80).Select(code => (byte)code)]);

    /// <summary>
    /// The same JSON with what no .NET string can hold replaced by U+FFFD: bytes that are not UTF-8, and escapes of half a surrogate pair.
    /// The same memory when there is nothing to replace.
    /// </summary>
    /// <param name="json">What is no JSON stays none.</param>
    public static ReadOnlyMemory<byte> Apply(ReadOnlyMemory<byte> json)
    {
        var bytes = json.Span;
        if (Utf8.IsValid(bytes) && bytes.IndexOf("\\ud"u8) < 0 && bytes.IndexOf("\\uD"u8) < 0)
        {
            return json;
        }

        var repaired = new ArrayBufferWriter<byte>(bytes.Length + 16);
        while (!bytes.IsEmpty)
        {
            bytes = bytes[0] switch
            {
                (byte)'\\' => CopyEscape(bytes, repaired),
                < 0x80 => CopyPlain(bytes, repaired),
                _ => CopyRune(bytes, repaired),
            };
        }

        return repaired.WrittenMemory;
    }

    private static ReadOnlySpan<byte> CopyPlain(ReadOnlySpan<byte> bytes, ArrayBufferWriter<byte> target)
    {
        var length = bytes.IndexOfAny(NeedsCare);
        length = length < 0 ? bytes.Length : length;
        target.Write(bytes[..length]);
        return bytes[length..];
    }

    private static ReadOnlySpan<byte> CopyRune(ReadOnlySpan<byte> bytes, ArrayBufferWriter<byte> target)
    {
        if (Rune.DecodeFromUtf8(bytes, out _, out var length) == OperationStatus.Done)
        {
            target.Write(bytes[..length]);
            return bytes[length..];
        }

        // One replacement per byte, as the seed's server does.
        target.Write("\uFFFD"u8);
        return bytes[1..];
    }

    private static ReadOnlySpan<byte> CopyEscape(ReadOnlySpan<byte> bytes, ArrayBufferWriter<byte> target)
    {
        var first = ReadUnit(bytes);
        var length = first is null ? 2 : 6;
        if (first is { } high && char.IsHighSurrogate(high) && ReadUnit(bytes[6..]) is { } low && char.IsLowSurrogate(low))
        {
            length = 12;
        }
        else if (first is { } half && char.IsSurrogate(half))
        {
            target.Write("\\ufffd"u8);
            return bytes[6..];
        }

        length = Math.Min(length, bytes.Length);
        target.Write(bytes[..length]);
        return bytes[length..];
    }

    private static char? ReadUnit(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 6 && bytes.StartsWith("\\u"u8)
            && ushort.TryParse(bytes[2..6], NumberStyles.AllowHexSpecifier, null, out var unit)
            ? (char)unit
            : null;
}
