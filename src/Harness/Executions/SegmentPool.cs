using System.Collections.Concurrent;
using System.Numerics;

namespace Harness.Executions;

/// <summary>
/// Memory of all logs. What a log gives back is kept here for the next one, as far as used and kept bytes together stay within the limit,
/// and an eighth of the limit in any case: a busy server uses all of the limit for what has ended, and would else have to ask the system, and
/// the collector, for each new segment. What nobody has asked for in a while is given back to the system. Thread-safe.
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

    // Texts of a full-size segment are twice as long (FrameText).
    private const int LargestKept = 2 * LargestSegment;

    // By size: a power of two each, from the smallest segment to the largest of what is kept.
    private readonly ConcurrentStack<byte[]>[] _kept =
        [.. Enumerable.Range(0, BitOperations.Log2(LargestKept / SmallestSegment) + 1).Select(_ => new ConcurrentStack<byte[]>())];

    private readonly IdleCollection _collection = IdleCollection.OfProcess();
    private readonly long _limit;
    private long _keptBytes;
    private long _used;
    private long _dropped;
    private volatile bool _wasAsked;

    /// <param name="limit">Bytes in use above which <see cref="IsOverLimit"/> asks logs and retention to give memory back.</param>
    public SegmentPool(long limit)
    {
        _limit = limit;
        Packed = new PackedLogs(this);
    }

    /// <summary>What short logs that are over are kept in.</summary>
    public PackedLogs Packed { get; }

    /// <summary>Asked, on the thread of a log writer, to give memory back while <see cref="IsOverLimit"/>; set once, before the first rent.</summary>
    public Action? Relieve { get; set; }

    /// <summary>Bytes of all segments that a log or a reader holds.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>The least that logs which are over may keep, however much running ones have.</summary>
    public long LeastForEnded => _limit / 4;

    /// <summary>True while more is in use than the limit allows.</summary>
    public bool IsOverLimit => Used > _limit;

    /// <summary>True while frames may be kept in a second format too.</summary>
    public bool HasRoomForTexts => Used <= _limit + _limit / 2;

    /// <summary>A segment; when that is too much, somebody is asked to give memory back.</summary>
    /// <param name="size">Bytes it holds at least.</param>
    /// <param name="firstSequence">Sequence of its first frame.</param>
    /// <param name="isLoaded">Whether it is for frames from the store.</param>
    public LogSegment Rent(int size, long firstSequence, bool isLoaded = false)
    {
        var segment = RentQuietly(size, firstSequence, isLoaded);
        if (IsOverLimit)
        {
            Relieve?.Invoke();
        }

        return segment;
    }

    /// <summary>As <see cref="Rent"/>, but nobody is asked: the caller holds a log's lock.</summary>
    public LogSegment RentQuietly(int size, long firstSequence, bool isLoaded = false)
    {
        var bytes = RentUncounted(size);
        Interlocked.Add(ref _used, bytes.Length);
        return new LogSegment(this, bytes, bytes.Length, firstSequence, isLoaded);
    }

    /// <summary>Memory for what passes through and is soon given back (<see cref="ReturnUncounted"/>): no log has to make room for it.</summary>
    /// <param name="size">Bytes it has at least.</param>
    public byte[] RentUncounted(int size)
    {
        _wasAsked = true;
        var capacity = size > LargestSegment ? size : Math.Max(SmallestSegment, (int)BitOperations.RoundUpToPowerOf2((uint)size));
        if (IsKept(capacity) && KeptOf(capacity).TryPop(out var bytes))
        {
            Interlocked.Add(ref _keptBytes, -capacity);
            return bytes;
        }

        return GC.AllocateUninitializedArray<byte>(capacity);
    }

    /// <summary>Takes the bytes of a released segment back.</summary>
    public void Return(byte[] bytes)
    {
        Interlocked.Add(ref _used, -bytes.Length);
        ReturnUncounted(bytes);
    }

    /// <summary>Takes memory of <see cref="RentUncounted"/> back.</summary>
    public void ReturnUncounted(byte[] bytes)
    {
        if (IsKept(bytes.Length))
        {
            var kept = Interlocked.Add(ref _keptBytes, bytes.Length);
            if (kept <= _limit / 8 || Used + kept <= _limit)
            {
                KeptOf(bytes.Length).Push(bytes);
                return;
            }

            Interlocked.Add(ref _keptBytes, -bytes.Length);
        }

        Interlocked.Add(ref _dropped, bytes.Length);
    }

    /// <summary>
    /// Called now and then: when nothing was asked for since the last call, what is kept is dropped; and when nothing else goes on in the
    /// process either, it is collected once that is worth it.
    /// </summary>
    public void DropUnused()
    {
        var wasAsked = _wasAsked;
        _wasAsked = false;
        if (!wasAsked)
        {
            DropKept();
        }

        if (_collection.Check(wasAsked, Interlocked.Read(ref _dropped)))
        {
            Interlocked.Exchange(ref _dropped, 0);
        }
    }

    private static bool IsKept(int capacity) => capacity <= LargestKept && BitOperations.IsPow2(capacity);

    private void DropKept()
    {
        foreach (var kept in _kept)
        {
            while (kept.TryPop(out var bytes))
            {
                Interlocked.Add(ref _keptBytes, -bytes.Length);
                Interlocked.Add(ref _dropped, bytes.Length);
            }
        }
    }

    private ConcurrentStack<byte[]> KeptOf(int capacity) => _kept[BitOperations.Log2((uint)(capacity / SmallestSegment))];
}
