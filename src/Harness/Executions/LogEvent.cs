using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Harness.Executions;

/// <summary>Typed events: how they travel to the log writer, and how readers that did not ask for them step over them.</summary>
public static class LogEvent
{
    /// <summary>Longest <c>data</c> of one event, in bytes. A longer one is the body's mistake and is refused.</summary>
    public const int MaxDataBytes = 256 * 1024;

    private const int MaxNameLength = 64;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>True for the JSON of a typed event.</summary>
    public static bool Is(ReadOnlySpan<byte> json) => json.StartsWith("{\"type\":\"event\""u8);

    /// <summary>
    /// The next frames that are no typed events, as long a run of them as there is, cut off the front of <paramref name="frames"/> together
    /// with the typed events before it. Empty when nothing is left.
    /// </summary>
    public static ReadOnlyMemory<byte> TakeOthers(ref ReadOnlyMemory<byte> frames)
    {
        var taken = 0;
        while (taken < frames.Length)
        {
            var (start, length) = WebSocketFrame.Measure(frames.Span[taken..]);
            if (!Is(frames.Span.Slice(taken + start, length)))
            {
                taken += start + length;
                continue;
            }

            var others = frames[..taken];
            frames = frames[(taken + start + length)..];
            if (!others.IsEmpty)
            {
                return others;
            }

            taken = 0;
        }

        var rest = frames;
        frames = default;
        return rest;
    }

    internal static byte[] Pack(string name, ReadOnlySpan<byte> utf8Json)
    {
        if (name.Length is 0 or > MaxNameLength || name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            throw new ArgumentException(
                $"An event's name has 1 to {MaxNameLength} ASCII letters, digits, dots, dashes and underscores", nameof(name));
        }

        if (utf8Json.Length > MaxDataBytes)
        {
            throw new ArgumentException($"An event's data has at most {MaxDataBytes} bytes; this has {utf8Json.Length}", nameof(utf8Json));
        }

        Check(utf8Json);
        return [(byte)name.Length, .. Encoding.ASCII.GetBytes(name), .. utf8Json];
    }

    internal static ReadOnlySpan<byte> NameIn(ReadOnlySpan<byte> entry) => entry.Slice(1, entry[0]);

    internal static ReadOnlySpan<byte> DataIn(ReadOnlySpan<byte> entry) => entry[(1 + entry[0])..];

    // One broken event would break every reader's JSON.
    private static void Check(ReadOnlySpan<byte> utf8Json)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8Json, new JsonReaderOptions { MaxDepth = JsonDepth.MaxEvent });
            while (reader.Read())
            {
                // Strings are checked only when they are looked at.
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                {
                    _ = reader.GetString();
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ArgumentException($"An event's data is one JSON value, nested {JsonDepth.MaxEvent} levels deep at most", nameof(utf8Json), e);
        }
    }
}
