namespace Harness.Executions;

/// <summary>
/// Retention in memory: finished executions in the order they ended, forgotten (or left to the store) by age, by count, and when all logs together need more memory than
/// they may. One that is being read is kept until its readers are through, so that none misses the end, unless the memory is needed; those
/// behind it wait with it. Thread-safe.
/// </summary>
internal sealed class FinishedExecutions : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LinkedList<(Execution Execution, DateTimeOffset EndedAt)> _queue = new();
    private readonly Dictionary<Execution, LinkedListNode<(Execution Execution, DateTimeOffset EndedAt)>> _places = [];
    private readonly TimeSpan _retention;
    private readonly int _maxFinished;
    private readonly SegmentPool _pool;
    private readonly TimeProvider _time;
    private readonly Action<Execution> _forget;
    private readonly ITimer _timer;

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
        lock (_gate)
        {
            _places[execution] = _queue.AddLast((execution, _time.GetUtcNow()));
        }

        Sweep();
    }

    /// <summary>Lets go of an execution that was deleted.</summary>
    public void Remove(Execution execution)
    {
        lock (_gate)
        {
            if (_places.Remove(execution, out var place))
            {
                _queue.Remove(place);
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

    private void Tick()
    {
        Sweep();
        _pool.DropUnused();
    }

    private bool TryTakeExpired(out Execution? execution)
    {
        lock (_gate)
        {
            execution = null;
            if (_queue.First is not { } first)
            {
                return false;
            }

            var oldest = first.Value;
            var isExpired = _queue.Count > _maxFinished || _time.GetUtcNow() - oldest.EndedAt >= _retention;
            if (!_pool.IsOverLimit && !(isExpired && oldest.Execution.Log.ReaderCount == 0))
            {
                return false;
            }

            execution = oldest.Execution;
            _queue.RemoveFirst();
            _places.Remove(execution);
            return true;
        }
    }
}
