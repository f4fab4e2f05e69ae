using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Harness.Server.Transports;

/// <summary>
/// Says what is wrong with a client's JSON in the words clients of the seed already know (compat/voiceflow 1.3 and 1.4, which are those
/// of Go's <c>encoding/json</c>). Linear in the input, free of recursion, and never throws.
/// </summary>
internal static class JsonSyntax
{
    /// <summary>Deepest nesting of objects and arrays that is read. Suites need about ten; the rest is room for variables.</summary>
    public const int MaxDepth = 128;

    private static readonly SearchValues<byte> NeedsCare = SearchValues.Create(
        [(byte)'\\', .. Enumerable.Range(0x80, 0x80).Select(code => (byte)code)]);

    /// <summary>What is wrong with a message that has to be exactly one JSON value; null when it is one.</summary>
    public static string? Describe(ReadOnlySpan<byte> message)
    {
        var scanner = new JsonScanner(message);
        scanner.ReadValue();
        if (scanner.Problem is null && !scanner.IsCutShort)
        {
            scanner.ReadEnd();
        }

        return scanner.Problem ?? (scanner.IsCutShort ? "unexpected end of JSON input" : null);
    }

    /// <summary>What is wrong with the first JSON value of a stream, whatever follows it; null when it is whole.</summary>
    /// <param name="stream">All there is; leading white space belongs to the value.</param>
    /// <param name="length">Bytes from the start to the end of the value; 0 when something is wrong.</param>
    public static string? DescribeFirst(ReadOnlySpan<byte> stream, out int length)
    {
        var scanner = new JsonScanner(stream);
        scanner.ReadValue();
        length = 0;
        if (scanner.IsCutShort)
        {
            return stream.IndexOfAnyExcept(" \t\r\n"u8) < 0 ? "EOF" : "unexpected EOF";
        }

        if (scanner.Problem is null)
        {
            length = scanner.Position;
        }

        return scanner.Problem;
    }

    /// <summary>
    /// The same JSON with what no .NET string can hold replaced by U+FFFD: bytes that are not UTF-8, and escapes of half a surrogate pair.
    /// The same memory when there is nothing to replace.
    /// </summary>
    /// <param name="json">JSON that <see cref="Describe"/> found nothing wrong with.</param>
    public static ReadOnlyMemory<byte> Repair(ReadOnlyMemory<byte> json)
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
