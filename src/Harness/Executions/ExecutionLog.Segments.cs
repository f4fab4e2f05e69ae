using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <content>What the writer does with segments: fill, commit, and give back what the window has no room for.</content>
public sealed partial class ExecutionLog
{
    private LogSegment RentSegment(int capacity)
    {
        var segment = _pool.Rent(capacity, _sequence + 1);
        _windowBytes += segment.Capacity;
        return segment;
    }

    // Room for one frame in the tail, counted as written. Frames never straddle segments, so a range is whole frames. Nothing follows the last;
    // what follows the others for certain is the rest of their batch, which readers are to get in one write.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private Span<byte> Reserve(int size, LineBatch? batch = null, bool isLast = false)
    {
        if (_tail.Capacity - _tail.Written < size)
        {
            var rest = batch is null ? 0 : batch.UnreadBytes + batch.Unread * _encoder.SizeOfLog(0, _sequence + batch.Unread);
            var capacity = Math.Min(Math.Max(2 * _tail.Capacity, size + rest), SegmentPool.LargestSegment);
            _tail = RentSegment(isLast ? size : Math.Max(capacity, size));
        }

        if (_uncommitted.Count == 0 || !ReferenceEquals(_uncommitted[^1].Segment, _tail))
        {
            // As long as the one before, or what there is: lines come one by one, or in floods.
            var expected = Math.Max(size + (batch?.UnreadBytes ?? 0), _stretch?.Length ?? 0);
            _stretch = Archive is null ? null : new StretchWriter(_sequence + 1, Math.Min(expected, Math.Max(size, _tail.Capacity)), _pool);
            _uncommitted.Add(new LogPart(_tail, _stretch));
        }

        _uncommittedBytes += size;
        _sequence++;
        return _tail.Reserve(size);
    }

    private async ValueTask CommitAsync()
    {
        if (_uncommitted.Count == 0)
        {
            return;
        }

        if (Archive is null || await TryStoreAsync(end: null, isRepair: false))
        {
            Publish();
        }
    }

    private async ValueTask<bool> TryStoreAsync(StoredEnd? end, bool isRepair)
    {
        try
        {
            if (Archive is not null)
            {
                await Archive.AppendAsync(_uncommitted, end, isRepair);
            }

            return true;
        }
        catch (Exception e)
        {
            if (_failure is null)
            {
                Fail(e);
            }

            return false;
        }
    }

    private void Publish(Action? showEnd = null)
    {
        showEnd?.Invoke();
        foreach (var (segment, stretch) in _uncommitted)
        {
            stretch?.Return();
            segment.Commit();
            if (!ReferenceEquals(segment, _published))
            {
                _published.Link(segment);
                _published = segment;
            }
        }

        var bytes = _uncommittedBytes;
        _uncommitted.Clear();
        _uncommittedBytes = 0;
        Volatile.Write(ref _lastSequence, _sequence);
        if (showEnd is not null)
        {
            IsSealed = true;
        }

        Trim();
        RingInTime(bytes);
        if (showEnd is not null)
        {
            lock (_readers)
            {
                Shrink();
            }
        }
    }

    // Back to what readers can see.
    private void Rewind()
    {
        foreach (var (segment, stretch) in _uncommitted)
        {
            stretch?.Return();
            if (ReferenceEquals(segment, _published))
            {
                segment.Rewind();
            }
            else
            {
                _windowBytes -= segment.Capacity;
                segment.Release();
            }
        }

        _tail = _published;
        _sequence = _lastSequence;
        _uncommitted.Clear();
        _uncommittedBytes = 0;
    }

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
