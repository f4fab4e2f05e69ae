using System.Buffers;
using System.Text;
using Harness.Executions;

namespace Harness.Server.Transports.Rest;

/// <summary>A page of events as JSON: <c>{"events":[…],"next":SEQ,"ended":BOOL,"kind":…,"name":…}</c>. What is there now; nothing is waited for.</summary>
internal static class EventPage
{
    /// <summary>Events on a page at most, and when the client does not say.</summary>
    public const int MaxEvents = 1_000;

    // A page ends after this many bytes too, but never without an event.
    private const int MaxBytes = 1024 * 1024;

    /// <summary>Reads a page.</summary>
    /// <exception cref="StoreException">Some of it is in a store that cannot be read now.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(
        Execution execution, SubscribeCommand command, int limit, CancellationToken cancellationToken)
    {
        var json = new ArrayBufferWriter<byte>(4096);
        json.Write("{\"events\":["u8);
        var bell = new LogBell();
        using var cursor = SubscriptionStart.Open(execution, command, bell).Cursor;
        cursor.TriesStoreOnce = true;
        var next = cursor.Next;
        var left = limit;
        while (left > 0 && json.WrittenCount < MaxBytes)
        {
            if (!cursor.TryTake(out var range))
            {
                if (!cursor.IsLoading)
                {
                    break;
                }

                if (cursor.TryPark())
                {
                    await bell.WaitAsync(cancellationToken);
                }
            }
            else if (range.IsTruncated)
            {
                WriteElement(json, execution.Log.DescribeTruncation(range).Span);
                (next, left) = (range.Last + 1, left - 1);
            }
            else
            {
                next = WriteRange(json, range, command.Events, ref left);
            }
        }

        var ended = execution.Log.IsSealed && next > execution.Log.LastSequence;
        json.Write(Encoding.UTF8.GetBytes($"],\"next\":{next},\"ended\":{(ended ? "true" : "false")},\"kind\":\"{execution.Request.Kind}\",\"name\":\""));
        var name = Encoding.UTF8.GetBytes(execution.Request.Name);
        json.Advance(JsonText.Escape(name, json.GetSpan(JsonText.EscapedLength(name))));
        json.Write("\"}"u8);
        return json.WrittenMemory;
    }

    private static long WriteRange(ArrayBufferWriter<byte> json, LogRange range, bool wantsEvents, ref int left)
    {
        var next = range.First;
        for (var frames = range.Frames.Span; !frames.IsEmpty && left > 0 && json.WrittenCount < MaxBytes; next++)
        {
            var (start, length) = WebSocketFrame.Measure(frames);
            if (wantsEvents || !range.HasEvents || !LogEvent.Is(frames.Slice(start, length)))
            {
                WriteElement(json, frames.Slice(start, length));
                left--;
            }

            frames = frames[(start + length)..];
        }

        return next;
    }

    private static void WriteElement(ArrayBufferWriter<byte> json, ReadOnlySpan<byte> element)
    {
        json.Write(json.WrittenSpan[^1] == (byte)'[' ? ""u8 : ","u8);
        json.Write(element);
    }
}
