namespace Harness.Executions;

/// <summary>
/// Has the collector give memory back to the system once a process has become idle: it would else stay as large as it was at its busiest,
/// since the collector waits for more to be allocated, on machines with large caches for a hundred megabytes. For one thread at a time.
/// </summary>
/// <param name="allocated">Bytes the process has allocated so far.</param>
/// <param name="live">Bytes the last collection left.</param>
/// <param name="collect">Collects, and gives back.</param>
internal sealed class IdleCollection(Func<long> allocated, Func<long> live, Action collect)
{
    /// <summary>Who allocates this many bytes between two calls is busy.</summary>
    public const long Busy = 2 * 1024 * 1024;

    /// <summary>A collection is worth its pause, in an idle process, for this many bytes, and for half of what is live.</summary>
    public const long Worth = 16 * 1024 * 1024;

    private long _seen;
    private long _collected;

    /// <summary>That of this process.</summary>
    public static IdleCollection OfProcess() => new(
        () => GC.GetTotalAllocatedBytes(),
        () => GC.GetGCMemoryInfo(GCKind.Any).HeapSizeBytes,
        () => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true));

    /// <summary>Called now and then.</summary>
    /// <param name="isBusy">Whether the caller knows of work since the last call.</param>
    /// <param name="dropped">Bytes let go of since the last collection, whenever they were allocated.</param>
    /// <returns>Whether it has collected.</returns>
    public bool Check(bool isBusy, long dropped)
    {
        var now = allocated();
        isBusy |= now - _seen >= Busy;
        _seen = now;
        if (isBusy || now - _collected + dropped < Math.Max(Worth, live() / 2))
        {
            return false;
        }

        collect();
        _collected = now;
        return true;
    }
}
