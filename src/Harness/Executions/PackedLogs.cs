namespace Harness.Executions;

/// <summary>
/// Short logs that are over, packed, many to a block: they end one after another and are forgotten in the same order, so blocks come and go
/// as wholes, and the collector has nothing to do with them. Thread-safe.
/// </summary>
internal sealed class PackedLogs(SegmentPool pool)
{
    private const int BlockBytes = SegmentPool.LargestSegment;

    private readonly Lock _gate = new();

    // Where the next one goes; held until it is full or has none left.
    private LogSegment? _open;

    /// <summary>Keeps a packed log. Null when it is too long for a block.</summary>
    /// <param name="packed">What <see cref="FramePacker"/> gave.</param>
    /// <param name="first">Sequence of its first frame.</param>
    /// <param name="count">Its frames.</param>
    public PackedLog? Add(ReadOnlySpan<byte> packed, long first, int count)
    {
        if (packed.Length > BlockBytes)
        {
            return null;
        }

        lock (_gate)
        {
            if (_open is null || BlockBytes - _open.Written < packed.Length)
            {
                _open?.Release();
                _open = pool.RentQuietly(BlockBytes, firstSequence: 0);
            }

            var start = _open.Written;
            packed.CopyTo(_open.Reserve(packed.Length));
            _open.TryHold();
            return new PackedLog(_open, start, packed.Length, first, count);
        }
    }

    /// <summary>Forgets one.</summary>
    public void Release(PackedLog log)
    {
        lock (_gate)
        {
            log.Block.Release();
            if (ReferenceEquals(log.Block, _open) && !_open.IsShared)
            {
                _open.Release();
                _open = null;
            }
        }
    }
}

/// <summary>A log in its block.</summary>
/// <param name="Block">Held until <see cref="PackedLogs.Release"/>.</param>
/// <param name="Start">Where it begins.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="First">Sequence of its first frame.</param>
/// <param name="Count">Its frames.</param>
internal sealed record PackedLog(LogSegment Block, int Start, int Length, long First, int Count)
{
    /// <summary>As <see cref="FramePacker"/> reads it.</summary>
    public StoredFrames Frames => new(First, First + Count - 1, Block.Bytes.AsMemory(Start, Length));
}
