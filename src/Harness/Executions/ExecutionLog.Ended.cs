namespace Harness.Executions;

/// <content>
/// What memory keeps of a log that is over. Most are short, and are kept for long: packed while nobody reads, and at last given up, when those
/// who still read are told how it ended.
/// </content>
public sealed partial class ExecutionLog
{
    // Longer ones would hold up the first reader that comes back.
    private const int MaxPackedBytes = SegmentPool.LargestSegment;

    // All frames as the store would keep them; null: they are not packed.
    private PackedLog? _packed;

    // What the last frame repeats of those before it.
    private LineQuote _quote;

    // Set when the memory was given up.
    private Func<(ReadOnlyMemory<byte> Document, DateTimeOffset At)>? _describeEnd;

    /// <summary>Bytes of memory that a log that is over has; more than that while it is read.</summary>
    internal int KeptBytes
    {
        get
        {
            lock (_readers)
            {
                return _packed?.Length ?? (_head is null ? 0 : _windowBytes);
            }
        }
    }

    /// <summary>
    /// Gives the memory of a log that is over back. Readers that have not come to the end go on with the store; without one they are told
    /// what they miss, and then how it ended.
    /// </summary>
    /// <param name="describeEnd">Gives the document of that <c>result</c>, when somebody wants it.</param>
    internal void Release(Func<(ReadOnlyMemory<byte> Document, DateTimeOffset At)> describeEnd)
    {
        LogSegment? segment;
        lock (_readers)
        {
            segment = _head;
            _head = null;
            ForgetPacked();
            _describeEnd = describeEnd;
        }

        LetGo(segment);
        Ring();
    }

    // Under the readers' lock, when nothing more is written or a reader has gone: what nobody reads any more is made small.
    private void Shrink()
    {
        if (!IsSealed || _cursors.Length > 0 || _head is null)
        {
            return;
        }

        if (_packed is null && _describeEnd is null)
        {
            Pack(_head);
            return;
        }

        LetGo(_head);
        _head = null;
    }

    // Under the readers' lock, for a reader that comes: what was made small is a segment again, until the last reader has gone.
    private void Grow()
    {
        if (_packed is not null)
        {
            _head ??= UnpackedCopy(_packed);
        }
        else if (_describeEnd is not null && Archive is null)
        {
            _head ??= EndAlone(_describeEnd());
        }
    }

    private void Pack(LogSegment head)
    {
        var (bytes, count, hasEvents) = (0L, 0, false);
        for (var segment = head; segment is not null; segment = segment.Next)
        {
            var (length, frames) = segment.Committed;
            (bytes, count, hasEvents) = (bytes + length, count + frames, hasEvents || segment.HasEvents);
        }

        if (count == 0 || bytes > MaxPackedBytes || PackFrames(head, (int)bytes, count, hasEvents) is not { } packed)
        {
            return;
        }

        LetGo(head);
        _head = _published = _tail = null!;
        _packed = packed;
    }

    private PackedLog? PackFrames(LogSegment head, int bytes, int count, bool hasEvents)
    {
        var stretch = new StretchWriter(head.FirstSequence, bytes / 2, _pool) { HasEvents = hasEvents };
        var encoder = new FrameEncoder(_id);

        // A result may repeat lines that only the store has.
        var quote = _quote.From >= head.FirstSequence ? _quote : default;
        for (var segment = head; segment is not null; segment = segment.Next)
        {
            var (length, frames) = segment.Committed;
            var last = segment.Next is null ? quote : default;
            FramePacker.Pack(encoder, segment.Bytes.AsSpan(0, length), segment.FirstSequence, frames, stretch, last);
        }

        var log = _pool.Packed.Add(stretch.Close(staysInMemory: true).Packed.Span, head.FirstSequence, count);
        stretch.Return();
        return log;
    }

    private LogSegment UnpackedCopy(PackedLog packed)
    {
        var frames = packed.Frames;
        var header = FramePacker.ReadHeader(frames.Packed.Span);
        var whole = _pool.RentQuietly(header.FrameBytes, packed.First);
        whole.HasEvents = header.HasEvents;
        FramePacker.Unpack(_id, frames, header, whole.Reserve(header.FrameBytes, header.Count), QuotedLines.In(frames, header));
        whole.Commit();
        return whole;
    }

    // All that is left for those who still read: short, and for no longer than they do.
    private LogSegment EndAlone((ReadOnlyMemory<byte> Document, DateTimeOffset At) end)
    {
        var encoder = new FrameEncoder(_id);
        var head = encoder.Head("result");
        var size = FrameEncoder.SizeOfDocument(head.Length, end.Document.Length, LastSequence);
        var segment = _pool.RentQuietly(size, LastSequence);
        encoder.WriteDocument(segment.Reserve(size), head, end.Document.Span, LastSequence, end.At);
        segment.Commit();
        return segment;
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
