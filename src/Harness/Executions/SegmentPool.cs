using System.Buffers;
using System.Collections.Concurrent;

namespace Harness.Executions;

/// <summary>
/// Memory of all logs. Small segments (most executions are short) come from the shared array pool; full-size ones are kept here, at
/// most 128 of them: more are left to the collector, so that memory falls again after a burst. Thread-safe.
/// </summary>
internal sealed class SegmentPool
{
    /// <summary>First segment of a log, in bytes; each further one is twice as long, up to <see cref="LargestSegment"/>.</summary>
    public const int SmallestSegment = 1024;

    /// <summary>
    /// Full-size segment, in bytes: above 85,000 it lies in the large object heap, where it costs a collection a tenth of what
    /// 64 KiB segments in generation 0 do.
    /// </summary>
    public const int LargestSegment = 128 * 1024;

    private const int MaxKept = 128;

    private readonly ConcurrentStack<byte[]> _kept = new();
    private readonly long _limit;
    private int _keptCount;
    private long _used;

    /// <param name="limit">Bytes in use above which <see cref="IsOverLimit"/> asks logs and retention to give memory back.</param>
    public SegmentPool(long limit) => _limit = limit;

    /// <summary>Bytes of all segments that a log or a reader holds.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>True while more is in use than the limit allows.</summary>
    public bool IsOverLimit => Used > _limit;

    /// <summary>A segment that holds at least <paramref name="capacity"/> bytes.</summary>
    public LogSegment Rent(int capacity, long firstSequence)
    {
        Interlocked.Add(ref _used, capacity);
        if (capacity != LargestSegment)
        {
            return new LogSegment(this, ArrayPool<byte>.Shared.Rent(capacity), capacity, firstSequence);
        }

        if (_kept.TryPop(out var bytes))
        {
            Interlocked.Decrement(ref _keptCount);
        }

        return new LogSegment(this, bytes ?? GC.AllocateUninitializedArray<byte>(LargestSegment), capacity, firstSequence);
    }

    /// <summary>Takes the bytes of a released segment back.</summary>
    public void Return(byte[] bytes, int capacity)
    {
        Interlocked.Add(ref _used, -capacity);
        if (capacity != LargestSegment)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
        else if (Interlocked.Increment(ref _keptCount) <= MaxKept)
        {
            _kept.Push(bytes);
        }
        else
        {
            Interlocked.Decrement(ref _keptCount);
        }
    }
}
