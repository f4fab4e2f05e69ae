using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Harness.Executions;

/// <summary>
/// Writes text as the inside of a JSON string. It escapes what JSON must escape and, like the seed's reference server,
/// <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c>, so that a frame can be pasted into a page.
/// </summary>
public static class JsonText
{
    private static readonly SearchValues<byte> Special = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(value => (byte)value), (byte)'"', (byte)'\\', (byte)'<', (byte)'>', (byte)'&']);

    /// <summary>Bytes that <see cref="Escape"/> will write for valid UTF-8.</summary>
    public static int EscapedLength(ReadOnlySpan<byte> utf8)
    {
        var length = utf8.Length;
        var next = utf8.IndexOfAny(Special);
        while (next >= 0)
        {
            length += ShortEscape(utf8[next]) != 0 ? 1 : 5;
            utf8 = utf8[(next + 1)..];
            next = utf8.IndexOfAny(Special);
        }

        return length;
    }

    /// <summary>Writes valid UTF-8 as the inside of a JSON string.</summary>
    /// <returns>Bytes written: <see cref="EscapedLength"/> of them.</returns>
    public static int Escape(ReadOnlySpan<byte> utf8, Span<byte> destination)
    {
        var written = 0;
        while (true)
        {
            var next = utf8.IndexOfAny(Special);
            if (next < 0)
            {
                utf8.CopyTo(destination[written..]);
                return written + utf8.Length;
            }

            utf8[..next].CopyTo(destination[written..]);
            written += next;
            var value = utf8[next];
            destination[written++] = (byte)'\\';
            if (ShortEscape(value) is var letter && letter != 0)
            {
                destination[written++] = letter;
            }
            else
            {
                destination[written++] = (byte)'u';
                destination[written++] = (byte)'0';
                destination[written++] = (byte)'0';
                destination[written++] = HexDigit(value >> 4);
                destination[written++] = HexDigit(value & 15);
            }

            utf8 = utf8[(next + 1)..];
        }
    }

    /// <summary>The same bytes where they are valid UTF-8, else a copy with U+FFFD in place of what is not.</summary>
    public static ReadOnlySpan<byte> Valid(ReadOnlySpan<byte> utf8) =>
        Utf8.IsValid(utf8) ? utf8 : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(utf8));

    /// <summary>Where to cut valid UTF-8 so that no character is split: at most <paramref name="limit"/> bytes.</summary>
    public static int CutAt(ReadOnlySpan<byte> utf8, int limit)
    {
        if (utf8.Length <= limit)
        {
            return utf8.Length;
        }

        while (limit > 0 && (utf8[limit] & 0xC0) == 0x80)
        {
            limit--;
        }

        return limit;
    }

    private static byte ShortEscape(byte value) => value switch
    {
        (byte)'"' => (byte)'"',
        (byte)'\\' => (byte)'\\',
        (byte)'\n' => (byte)'n',
        (byte)'\r' => (byte)'r',
        (byte)'\t' => (byte)'t',
        (byte)'\b' => (byte)'b',
        (byte)'\f' => (byte)'f',
        _ => 0,
    };

    private static byte HexDigit(int value) => (byte)(value < 10 ? '0' + value : 'a' + value - 10);
}
