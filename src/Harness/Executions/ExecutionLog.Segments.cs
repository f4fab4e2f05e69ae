namespace Harness.Executions;

/// <content>What the writer does with segments: fill, commit, and give back what the window has no room for.</content>
public sealed partial class ExecutionLog
{
    private LogSegment RentSegment(int capacity)
    {
        _windowBytes += capacity;
        return _pool.Rent(capacity, _sequence + 1);
    }

    // Room for one frame in the tail, counted as written. Frames never straddle segments, so a range is whole frames.
    private Span<byte> Reserve(int size)
    {
        if (_tail.Capacity - _tail.Written < size)
        {
            var capacity = Math.Min(2 * _tail.Capacity, SegmentPool.LargestSegment);
            _tail = RentSegment(Math.Max(capacity, size));
        }

        if (_uncommitted.Count == 0 || !ReferenceEquals(_uncommitted[^1].Segment, _tail))
        {
            _uncommitted.Add((_tail, _tail.Written));
        }

        _uncommittedBytes += size;
        _sequence++;
        return _tail.Reserve(size);
    }

    private async ValueTask CommitAsync(bool isLast)
    {
        if (_uncommitted.Count == 0)
        {
            return;
        }

        if (_store is not MemoryOnlyLogStore)
        {
            await _store.AppendAsync(_id, _lastSequence + 1, _sequence, UncommittedFrames(), CancellationToken.None);
        }

        foreach (var (segment, _) in _uncommitted)
        {
            segment.Commit();
            if (!ReferenceEquals(segment, _published))
            {
                _published.Link(segment);
                _published = segment;
            }
        }

        _uncommitted.Clear();
        _uncommittedBytes = 0;
        Volatile.Write(ref _lastSequence, _sequence);
        if (isLast)
        {
            IsSealed = true;
        }

        Trim();
        Ring();
    }

    private List<ReadOnlyMemory<byte>> UncommittedFrames() =>
        [.. _uncommitted.Select(part => (ReadOnlyMemory<byte>)part.Segment.Bytes.AsMemory(part.From, part.Segment.Written - part.From))];

    private void Trim()
    {
        while (!ReferenceEquals(_head, _published)
            && (_windowBytes > _limits.WindowBytes || (_windowBytes > SmallestWindow && _pool.IsOverLimit)))
        {
            LogSegment oldest;
            lock (_readers)
            {
                if (_head is null)
                {
                    return;
                }

                oldest = _head;
                _head = oldest.Next;
            }

            _windowBytes -= oldest.Capacity;
            oldest.Release();
        }
    }
}
