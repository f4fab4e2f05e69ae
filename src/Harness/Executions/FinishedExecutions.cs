namespace Harness.Executions;

/// <summary>
/// Retention in memory: finished executions in the order they ended, forgotten (or left to the store) by age, by count, and when all logs together need more memory than
/// they may. One that is being read is kept until its readers are through, so that none misses the end, unless the memory is needed.
/// A quarter of the memory is theirs in any case: what has just ended must be found, also when running ones that say nothing hold all the rest. Thread-safe.
/// </summary>
internal sealed class FinishedExecutions : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LinkedList<FinishedExecution> _queue = new();

    // Those whose time has come while they were read, the oldest first. Bounded by the readers there may be.
    private readonly LinkedList<FinishedExecution> _read = new();
    private readonly Dictionary<Execution, LinkedListNode<FinishedExecution>> _places = [];
    private readonly TimeSpan _retention;
    private readonly int _maxFinished;
    private readonly SegmentPool _pool;
    private readonly TimeProvider _time;
    private readonly Action<Execution> _forget;
    private readonly ITimer _timer;
    private long _bytes;

    public FinishedExecutions(TimeSpan retention, int maxFinished, SegmentPool pool, TimeProvider time, Action<Execution> forget)
    {
        _retention = retention;
        _maxFinished = maxFinished;
        _pool = pool;
        _time = time;
        _forget = forget;
        var period = TimeSpan.FromTicks(Math.Min(retention.Ticks, TimeSpan.TicksPerSecond * 10));
        _timer = time.CreateTimer(_ => Tick(), null, period, period);
    }

    /// <summary>Takes an execution that has ended, and forgets those it displaces.</summary>
    public void Add(Execution execution)
    {
        var bytes = execution.Log.KeptBytes;
        lock (_gate)
        {
            _places[execution] = _queue.AddLast(new FinishedExecution(execution, _time.GetUtcNow(), bytes));
            _bytes += bytes;
        }

        Sweep();
    }

    /// <summary>Lets go of an execution that was deleted.</summary>
    public void Remove(Execution execution)
    {
        lock (_gate)
        {
            if (_places.TryGetValue(execution, out var place))
            {
                Take(place);
            }
        }
    }

    /// <summary>Forgets what is too old, too many, or too much for the memory there is.</summary>
    public void Sweep()
    {
        while (TryTakeExpired(out var execution))
        {
            _forget(execution!);
        }
    }

    public void Dispose() => _timer.Dispose();

    // Under the lock. What they had when they ended: those that were read then have less by now.
    private bool IsMemoryNeeded => _pool.IsOverLimit && _bytes > _pool.LeastForEnded;

    private void Tick()
    {
        Sweep();
        foreach (var execution in TakeLeft())
        {
            _forget(execution);
        }

        _pool.DropUnused();
    }

    private bool TryTakeExpired(out Execution? execution)
    {
        lock (_gate)
        {
            if (_read.First is { } read && MayGo(read))
            {
                execution = Take(read);
                return true;
            }

            while (_queue.First is { } oldest)
            {
                if (!IsMemoryNeeded && _queue.Count <= _maxFinished && _time.GetUtcNow() - oldest.Value.EndedAt < _retention)
                {
                    break;
                }

                if (MayGo(oldest))
                {
                    execution = Take(oldest);
                    return true;
                }

                // Those behind it do not wait with it: a reader may stand still for hours.
                _queue.RemoveFirst();
                _read.AddLast(oldest);
            }

            execution = null;
            return false;
        }
    }

    // Those that were read when their time came, and are not any more.
    private List<Execution> TakeLeft()
    {
        var left = new List<Execution>();
        lock (_gate)
        {
            for (var (place, next) = (_read.First, _read.First?.Next); place is not null; (place, next) = (next, next?.Next))
            {
                if (place.Value.Execution.Log.ReaderCount == 0)
                {
                    left.Add(Take(place));
                }
            }
        }

        return left;
    }

    private bool MayGo(LinkedListNode<FinishedExecution> place) =>
        IsMemoryNeeded || place.Value.Execution.Log.ReaderCount == 0;

    private Execution Take(LinkedListNode<FinishedExecution> place)
    {
        place.List!.Remove(place);
        _places.Remove(place.Value.Execution);
        _bytes -= place.Value.Bytes;
        return place.Value.Execution;
    }

    /// <summary>One of them.</summary>
    /// <param name="Execution">Which.</param>
    /// <param name="EndedAt">When it ended.</param>
    /// <param name="Bytes">What memory had of its log then.</param>
    private readonly record struct FinishedExecution(Execution Execution, DateTimeOffset EndedAt, int Bytes);
}
