using System.Buffers;

namespace Harness.Executions;

/// <content>What memory keeps of a log that is over and has no readers: half as much. Most logs are short, and are kept for long.</content>
public sealed partial class ExecutionLog
{
    // Longer ones would hold up the first reader that comes back.
    private const int MaxPackedBytes = SegmentPool.LargestSegment;

    // All frames as the store would keep them; null: they are not packed.
    private PackedLog? _packed;

    // Under the readers' lock.
    private void Pack()
    {
        if (!IsSealed || _cursors.Length > 0 || _head is null)
        {
            return;
        }

        if (_packed is not null)
        {
            LetGo(_head);
            _head = null;
            return;
        }

        var (bytes, count, hasEvents) = (0L, 0, false);
        for (var segment = _head; segment is not null; segment = segment.Next)
        {
            var (length, frames) = segment.Committed;
            (bytes, count, hasEvents) = (bytes + length, count + frames, hasEvents || segment.HasEvents);
        }

        if (count == 0 || bytes > MaxPackedBytes || PackFrames(_head, (int)bytes, count, hasEvents) is not { } packed)
        {
            return;
        }

        LetGo(_head);
        _head = _published = _tail = null!;
        _packed = packed;
    }

    private PackedLog? PackFrames(LogSegment head, int bytes, int count, bool hasEvents)
    {
        var pool = ArrayPool<byte>.Shared;
        var (whole, packed) = (pool.Rent(bytes), pool.Rent(FramePacker.LongestOf(bytes, count)));
        for (var (segment, at) = (head, 0); segment is not null; segment = segment.Next)
        {
            var committed = segment.Bytes.AsSpan(0, segment.Committed.Length);
            committed.CopyTo(whole.AsSpan(at));
            at += committed.Length;
        }

        var length = FramePacker.Pack(_id, whole.AsSpan(0, bytes), head.FirstSequence, count, hasEvents, packed);
        var log = _pool.Packed.Add(packed.AsSpan(0, length), head.FirstSequence, count);
        pool.Return(whole);
        pool.Return(packed);
        return log;
    }

    // Under the readers' lock, for readers that come back: there is a segment again beside what is packed, until the last of them has gone.
    private void Unpack()
    {
        if (_packed is not null)
        {
            _head ??= UnpackedCopy(_packed);
        }
    }

    private LogSegment UnpackedCopy(PackedLog packed)
    {
        FramePacker.TryReadHeader(packed.Frames, out var header);
        var whole = _pool.RentQuietly(header.FrameBytes, packed.First);
        whole.HasEvents = header.HasEvents;
        FramePacker.Unpack(_id, packed.Frames, whole.Reserve(header.FrameBytes, header.Count));
        whole.Commit();
        return whole;
    }

    // Under the readers' lock.
    private void ForgetPacked()
    {
        if (_packed is not null)
        {
            _pool.Packed.Release(_packed);
            _packed = null;
        }
    }

    private static void LetGo(LogSegment? segment)
    {
        while (segment is not null)
        {
            var next = segment.Next;
            segment.Release();
            segment = next;
        }
    }
}
