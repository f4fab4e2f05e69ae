using System.Collections.Concurrent;

namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// Pumps that have something to send, first come first served. Two workers of the pool for each processor serve them at most, and each
/// goes back to the end of the pool's queue after a few: so a thousand woken sockets hold up neither one another nor the bodies, the log
/// writers and the commands between them. Thread-safe.
/// </summary>
internal sealed class PumpQueue : IThreadPoolWorkItem
{
    // About 100 microseconds of small writes.
    private const int TurnsAtOnce = 32;

    // So many direct writes one into Kestrel's stream counts for: others send what is in it, and go next while it is in the processor's cache.
    private const int StreamIsWorth = 8;

    // Where the pool has more threads than processors (it gets one whenever some are blocked, and keeps it), the system gives each of them the same
    // time: one worker beside two threads sends less than the other one writes, and hundreds of logs wait to be sent.
    private static readonly int MaxWorkers = 2 * Environment.ProcessorCount;

    // Bounded by the connections: a pump is in here once.
    private readonly ConcurrentQueue<SocketPump> _woken = new();
    private int _workers;

    /// <summary>Gives a pump its turn after those that are there.</summary>
    public void Add(SocketPump pump)
    {
        _woken.Enqueue(pump);
        Hire();
    }

    void IThreadPoolWorkItem.Execute()
    {
        for (var turns = 0; turns < TurnsAtOnce;)
        {
            if (!_woken.TryDequeue(out var pump))
            {
                Interlocked.Decrement(ref _workers);

                // One that came between the two lines above saw this worker still there.
                if (!_woken.IsEmpty)
                {
                    Hire();
                }

                return;
            }

            turns += pump.IsDirect ? 1 : StreamIsWorth;
            pump.TakeTurn();
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Hire()
    {
        var workers = Volatile.Read(ref _workers);
        while (workers < MaxWorkers)
        {
            var seen = Interlocked.CompareExchange(ref _workers, workers + 1, workers);
            if (seen == workers)
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }

            workers = seen;
        }
    }
}
