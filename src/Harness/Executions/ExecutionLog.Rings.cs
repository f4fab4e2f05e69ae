namespace Harness.Executions;

/// <content>Waking those who wait.</content>
public sealed partial class ExecutionLog
{
    // A wake-up ends in a small write, which costs about 3 microseconds: with fewer readers every append wakes them at once, with more the
    // next wake-up waits for a hundredth of a millisecond for each. The first append after a pause wakes them at once in any case.
    private const int ManyReaders = 200;
    private const int ReadersPerMillisecond = 100;
    private const int LongestWindowMilliseconds = 20;

    // So much makes a write worth it at any time, and is still in the processor's cache.
    private const int WorthWaking = 64 * 1024;

    private ITimer? _window;
    private long _rangAt;
    private int _unseenBytes;
    private int _isRingDue;

    // For the log writer, with the bytes just shown.
    private void RingInTime(int bytes)
    {
        var (readers, unseen) = (ReaderCount, Interlocked.Add(ref _unseenBytes, bytes));
        var window = TimeSpan.FromMilliseconds(
            readers < ManyReaders || IsSealed || unseen >= WorthWaking ? 0 : Math.Min(readers / ReadersPerMillisecond, LongestWindowMilliseconds));
        if (window == TimeSpan.Zero || _time.GetElapsedTime(Interlocked.Read(ref _rangAt)) is var since && since >= window)
        {
            Ring();
        }
        else if (Interlocked.Exchange(ref _isRingDue, 1) == 0)
        {
            _window ??= _time.CreateTimer(static log => ((ExecutionLog)log!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _window.Change(window - since, Timeout.InfiniteTimeSpan);
        }

        if (IsSealed)
        {
            _window?.Dispose();
        }
    }

    private void Ring()
    {
        Interlocked.Exchange(ref _rangAt, _time.GetTimestamp());
        Interlocked.Exchange(ref _unseenBytes, 0);

        // What was published must be visible before a cursor is found not parked: TryPark has the other half of this fence.
        Interlocked.Exchange(ref _isRingDue, 0);
        foreach (var cursor in Volatile.Read(ref _cursors))
        {
            cursor.Ring();
        }
    }
}
