using System.Buffers;

namespace Harness.Executions;

/// <content>What memory keeps of a log that is over and has no readers: half as much. Most logs are short, and are kept for long.</content>
public sealed partial class ExecutionLog
{
    // Longer ones would hold up the first reader that comes back.
    private const int MaxPackedBytes = SegmentPool.LargestSegment;

    // All frames as the store would keep them, in place of the segments; null: they are not packed.
    private LogSegment? _packed;

    // Under the readers' lock.
    private void Pack()
    {
        if (!IsSealed || _cursors.Length > 0 || _head is null)
        {
            return;
        }

        var (bytes, count, hasEvents, first) = (0L, 0, false, _head.FirstSequence);
        for (var segment = _head; segment is not null; segment = segment.Next)
        {
            var (length, frames) = segment.Committed;
            (bytes, count, hasEvents) = (bytes + length, count + frames, hasEvents || segment.HasEvents);
        }

        if (count == 0 || bytes > MaxPackedBytes)
        {
            return;
        }

        var whole = ArrayPool<byte>.Shared.Rent((int)bytes);
        for (var (segment, at) = (_head, 0); segment is not null; segment = segment.Next)
        {
            var committed = segment.Bytes.AsSpan(0, segment.Committed.Length);
            committed.CopyTo(whole.AsSpan(at));
            at += committed.Length;
        }

        var packed = FramePacker.Pack(_id, whole.AsSpan(0, (int)bytes), first, count, hasEvents);
        ArrayPool<byte>.Shared.Return(whole);
        LetGo(_head);
        _head = _published = _tail = null!;
        _packed = _pool.Take(packed, first);
        _packed.Reserve(packed.Length, count);
        _packed.Commit();
    }

    // Under the readers' lock, for a reader that comes back: what was packed is a segment again, until the last one has gone.
    private void Unpack()
    {
        if (_packed is not null)
        {
            _head = UnpackedCopy(_packed);
            _packed.Release();
            _packed = null;
        }
    }

    private LogSegment UnpackedCopy(LogSegment packed)
    {
        var (first, (_, count)) = (packed.FirstSequence, packed.Committed);
        var frames = new StoredFrames(first, first + count - 1, packed.Bytes);
        FramePacker.TryReadHeader(frames, out var header);
        var whole = _pool.Take(GC.AllocateUninitializedArray<byte>(header.FrameBytes), first);
        whole.HasEvents = header.HasEvents;
        FramePacker.Unpack(_id, frames, whole.Reserve(header.FrameBytes, count));
        whole.Commit();
        return whole;
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
