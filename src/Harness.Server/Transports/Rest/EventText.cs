using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using Harness.Executions;

namespace Harness.Server.Transports.Rest;

/// <summary>
/// Writes events as server-sent events (HTML, "Server-sent events"): <c>id: EPOCH-SEQ</c>, <c>event: TYPE</c>, <c>data: JSON</c>. The JSON is
/// that of the log, byte for byte; a line break between its tokens, which would end the data, becomes a space.
/// </summary>
internal sealed class EventText(Execution execution, bool wantsEvents) : IEventText
{
    /// <summary>What an event needs besides its JSON, at most.</summary>
    public const int MaxHeadBytes = 128;

    private readonly byte[] _idPrefix = Encoding.ASCII.GetBytes($"id: {execution.Epoch}-");

    /// <inheritdoc/>
    public object Key { get; } = (typeof(EventText), wantsEvents);

    /// <inheritdoc/>
    public bool IsDone => false;

    /// <summary>First words of every stream: how soon a client comes back.</summary>
    public void WriteOpening(IBufferWriter<byte> output) => output.Write("retry: 2000\n\n"u8);

    /// <summary>A comment, so that proxies and clients see that the stream lives.</summary>
    public void WriteHeartbeat(IBufferWriter<byte> output) => output.Write(": hb\n\n"u8);

    /// <summary>
    /// Last words: there is no more. Their id is that of the result, so that a client that comes back is told 204, also one that has seen no
    /// event here.
    /// </summary>
    public void WriteEnd(IBufferWriter<byte> output) =>
        output.Write(Encoding.ASCII.GetBytes($"id: {execution.Epoch}-{execution.Log.LastSequence}\nevent: end\ndata: {{}}\n\n"));

    /// <inheritdoc/>
    public void WriteTruncation(LogRange range, IBufferWriter<byte> output) => WriteEvent(execution.Log.DescribeTruncation(range).Span, range.Last, output);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Write(ReadOnlySpan<byte> json, long sequence, IBufferWriter<byte> output)
    {
        if (wantsEvents || !LogEvent.Is(json))
        {
            WriteEvent(json, sequence, output);
        }
    }

    // In one piece: it is written for every line.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WriteEvent(ReadOnlySpan<byte> json, long sequence, IBufferWriter<byte> output)
    {
        var text = output.GetSpan(MaxHeadBytes + json.Length);
        var length = 0;
        Append(text, _idPrefix, ref length);
        Utf8Formatter.TryFormat(sequence, text[length..], out var digits);
        length += digits;
        Append(text, "\nevent: "u8, ref length);
        Append(text, TypeOf(json), ref length);
        Append(text, "\ndata: "u8, ref length);
        Append(text, json, ref length);
        ReplaceLineBreaks(text[(length - json.Length)..length]);
        Append(text, "\n\n"u8, ref length);
        output.Advance(length);
    }

    private static void Append(Span<byte> text, ReadOnlySpan<byte> more, ref int length)
    {
        more.CopyTo(text[length..]);
        length += more.Length;
    }

    // Every event begins with {"type":"…": the word is ours and short.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ReadOnlySpan<byte> TypeOf(ReadOnlySpan<byte> json)
    {
        var word = json["{\"type\":\""u8.Length..];
        return word[..word.IndexOf((byte)'"')];
    }

    // Inside strings JSON has no raw line breaks: those there are stand between tokens.
    private static void ReplaceLineBreaks(Span<byte> json)
    {
        for (var at = json.IndexOfAny((byte)'\n', (byte)'\r'); at >= 0; at = json.IndexOfAny((byte)'\n', (byte)'\r'))
        {
            json[at] = (byte)' ';
            json = json[(at + 1)..];
        }
    }
}
