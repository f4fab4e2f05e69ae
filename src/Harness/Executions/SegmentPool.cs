using System.Buffers;
using System.Collections.Concurrent;
using System.Numerics;

namespace Harness.Executions;

/// <summary>
/// Memory of all logs. Small segments (most executions are short) come from the shared array pool; full-size ones are kept here for the
/// next log, as far as used and kept ones together stay within the limit. What nobody has asked for in a while is given back to the
/// system. Thread-safe.
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

    // A collection is worth its pause, in an idle process, for this much.
    private const long WorthCollecting = 16 * 1024 * 1024;

    private readonly ConcurrentStack<byte[]> _kept = new();
    private readonly long _limit;
    private long _keptBytes;
    private long _used;
    private long _dropped;
    private volatile bool _wasAsked;

    /// <param name="limit">Bytes in use above which <see cref="IsOverLimit"/> asks logs and retention to give memory back.</param>
    public SegmentPool(long limit) => _limit = limit;

    /// <summary>Asked, on the thread of a log writer, to give memory back while <see cref="IsOverLimit"/>; set once, before the first rent.</summary>
    public Action? Relieve { get; set; }

    /// <summary>Bytes of all segments that a log or a reader holds.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>True while more is in use than the limit allows.</summary>
    public bool IsOverLimit => Used > _limit;

    /// <summary>A segment that holds at least <paramref name="capacity"/> bytes.</summary>
    public LogSegment Rent(int capacity, long firstSequence) => Rent(capacity, firstSequence, isLoaded: false);

    /// <summary>A segment for frames from the store, with room for at least <paramref name="size"/> bytes.</summary>
    public LogSegment RentLoaded(int size, long firstSequence) =>
        Rent(size is > LargestSegment / 2 and <= LargestSegment ? LargestSegment : size, firstSequence, isLoaded: true);

    /// <summary>A segment of just these bytes, counted from now on. Asks nobody to give memory back: the caller is about to.</summary>
    public LogSegment Take(byte[] bytes, long firstSequence)
    {
        Interlocked.Add(ref _used, bytes.Length);
        return new LogSegment(this, bytes, bytes.Length, firstSequence);
    }

    private LogSegment Rent(int capacity, long firstSequence, bool isLoaded)
    {
        _wasAsked = true;
        Interlocked.Add(ref _used, capacity);
        if (IsOverLimit)
        {
            Relieve?.Invoke();
        }

        if (capacity != LargestSegment)
        {
            return new LogSegment(this, ArrayPool<byte>.Shared.Rent(capacity), capacity, firstSequence, isLoaded);
        }

        if (_kept.TryPop(out var bytes))
        {
            Interlocked.Add(ref _keptBytes, -LargestSegment);
        }

        return new LogSegment(this, bytes ?? GC.AllocateUninitializedArray<byte>(LargestSegment), capacity, firstSequence, isLoaded);
    }

    /// <summary>Takes the bytes of a released segment back.</summary>
    public void Return(byte[] bytes, int capacity)
    {
        var used = Interlocked.Add(ref _used, -capacity);
        if (capacity != LargestSegment)
        {
            // One of its exact size is none of the array pool's, which knows powers of two only.
            if (BitOperations.IsPow2(bytes.Length))
            {
                ArrayPool<byte>.Shared.Return(bytes);
            }

            Interlocked.Add(ref _dropped, capacity);
        }
        else if (used + Interlocked.Add(ref _keptBytes, LargestSegment) <= _limit)
        {
            _kept.Push(bytes);
        }
        else
        {
            Interlocked.Add(ref _keptBytes, -LargestSegment);
            Interlocked.Add(ref _dropped, LargestSegment);
        }
    }

    /// <summary>
    /// Called now and then: when nothing was asked for since the last call, what is kept is dropped, and what was dropped is collected once
    /// it is worth it. A process that has become idle would else stay as large as it was at its busiest.
    /// </summary>
    public void DropUnused()
    {
        if (_wasAsked)
        {
            _wasAsked = false;
            return;
        }

        while (_kept.TryPop(out _))
        {
            Interlocked.Add(ref _keptBytes, -LargestSegment);
            Interlocked.Add(ref _dropped, LargestSegment);
        }

        if (Interlocked.Read(ref _dropped) >= WorthCollecting)
        {
            Interlocked.Exchange(ref _dropped, 0);
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
