namespace Harness.Server.Dialects.VoltAgent;

/// <summary>
/// A frame of the log by its parts, found by their places without parsing: the log writes
/// <c>{"type":…,"id":…,"name":…,"data":…,"seq":…,"ts":…}</c> in this order and nothing between (docs/protocol.md).
/// </summary>
internal readonly ref struct EventFrame
{
    private const int TimeLength = 24;
    private const int IdLength = 36;

    private EventFrame(ReadOnlySpan<byte> type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, ReadOnlySpan<byte> time)
    {
        Type = type;
        Name = name;
        Data = data;
        Time = time;
    }

    /// <summary><c>event</c>, <c>result</c>, <c>log</c> or <c>status</c>.</summary>
    public ReadOnlySpan<byte> Type { get; }

    /// <summary>The name of a typed event; else empty.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>The data of an event or a result, JSON; else empty.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>When it was written, such as <c>2026-11-21T17:00:00.123Z</c>.</summary>
    public ReadOnlySpan<byte> Time { get; }

    /// <summary>Takes a frame's JSON apart.</summary>
    public static EventFrame Read(ReadOnlySpan<byte> json)
    {
        var type = Word(json["{\"type\":\""u8.Length..]);
        var time = json.Slice(json.Length - TimeLength - 2, TimeLength);
        var isEvent = type.SequenceEqual("event"u8);
        if (!isEvent && !type.SequenceEqual("result"u8))
        {
            return new EventFrame(type, default, default, time);
        }

        var rest = json[("{\"type\":\""u8.Length + type.Length + "\",\"id\":\""u8.Length + IdLength + "\","u8.Length)..];
        var name = isEvent ? Word(rest["\"name\":\""u8.Length..]) : default;
        rest = isEvent ? rest[("\"name\":\""u8.Length + name.Length + "\","u8.Length)..] : rest;
        var data = rest["\"data\":"u8.Length..rest.LastIndexOf(",\"seq\":"u8)];
        return new EventFrame(type, name, data, time);
    }

    private static ReadOnlySpan<byte> Word(ReadOnlySpan<byte> json) => json[..json.IndexOf((byte)'"')];
}
