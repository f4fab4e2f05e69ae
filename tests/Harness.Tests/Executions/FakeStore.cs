using System.Collections.Concurrent;
using Harness.Executions;

namespace Harness.Tests.Executions;

/// <summary>A store in memory that outlives engines, and can be made to wait or to fail.</summary>
internal sealed class FakeStore : IExecutionStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, StoredExecution> _executions = [];
    private readonly Dictionary<long, SortedDictionary<long, StoredFrames>> _frames = [];
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<long> _sequences = new();
    private readonly string _epoch = LogEpoch.New();
    private volatile TaskCompletionSource? _shut;

    public bool IsPersistent => true;

    /// <summary>What appends throw, as long as it is set.</summary>
    public Exception? AppendFailure { get; set; }

    /// <summary>What reads throw, as long as it is set.</summary>
    public StoreException? ReadFailure { get; set; }

    /// <summary>Appends whose last sequence is at least this fail too.</summary>
    public long FailsFrom { get; set; } = long.MaxValue;

    /// <summary>The execution whose appends can never be kept; 0: none.</summary>
    public long RefusedForGood { get; set; }

    /// <summary>True: an append that is said to fail is kept all the same, as when a connection is lost in the middle of a commit.</summary>
    public bool KeepsWhatFails { get; set; }

    /// <summary>True: the first append is said to be kept and is lost, as when it is written behind, and those after it are told so, until one repairs it.</summary>
    public bool LosesBehind { get; init; }

    /// <summary>What deletions and sweeps that are done fail with all the same, as long as it is set.</summary>
    public StoreException? DeleteFailure { get; set; }

    /// <summary>What deletions that begin from now on wait for.</summary>
    public Task DeletesGate { get; set; } = Task.CompletedTask;

    /// <summary>What sweeps wait for when they are through.</summary>
    public Task SweptGate { get; set; } = Task.CompletedTask;

    /// <summary>Ends with the first append.</summary>
    public Task Asked => _asked.Task;

    /// <summary>Sequences in the order they were kept.</summary>
    public IReadOnlyList<long> Sequences => [.. _sequences];

    public int Reads { get; private set; }

    /// <summary>What reads of frames wait for.</summary>
    public Task ReadsGate { get; set; } = Task.CompletedTask;

    /// <summary>Where reads of frames began.</summary>
    public ConcurrentQueue<long> ReadPlaces { get; } = [];

    /// <summary>Appends so far, kept or not.</summary>
    public int Appends { get; private set; }

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _executions.Count;
            }
        }
    }

    /// <summary>Lets appends wait from now on.</summary>
    public void Shut() => _shut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open()
    {
        var shut = _shut;
        _shut = null;
        shut?.SetResult();
    }

    /// <summary>Changes one byte of the stretch that has this sequence.</summary>
    public void Damage(long execution, long sequence)
    {
        lock (_gate)
        {
            var stretch = _frames[execution].Values.First(stretch => stretch.First <= sequence && stretch.Last >= sequence);
            var bytes = stretch.Packed.ToArray();
            bytes[^1] ^= 1;
            _frames[execution][stretch.First] = stretch with { Packed = bytes };
        }
    }

    /// <summary>Every stretch of an execution.</summary>
    public IReadOnlyList<StoredFrames> FramesOf(long execution)
    {
        lock (_gate)
        {
            return [.. _frames[execution].Values];
        }
    }

    public Task<StoreOpening> OpenAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(new StoreOpening(
                _epoch, _executions.Keys.DefaultIfEmpty().Max(), [.. _executions.Values.Where(execution => execution.End is null).Select(Complete)]));
        }
    }

    public async ValueTask AppendAsync(StoreAppend append, CancellationToken cancellationToken)
    {
        _asked.TrySetResult();
        if (_shut is { } shut)
        {
            await shut.Task.WaitAsync(cancellationToken);
        }

        Appends++;
        if (LosesBehind && Appends == 1)
        {
            return;
        }

        var failure = AppendFailure
            ?? (LosesBehind && !append.IsRepair ? new StoreException("what was written behind is lost") : null)
            ?? (append.Execution == RefusedForGood ? new StoreException("it is there already") { IsForGood = true } : null)
            ?? (append.Frames[^1].Last >= FailsFrom ? new StoreException("the disk is full") : null);
        if (failure is null || KeepsWhatFails)
        {
            Keep(append);
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    public ValueTask<IReadOnlyList<StoredFrames>> ReadAsync(long execution, long from, int maxBytes, CancellationToken cancellationToken) =>
        ReadAsync(execution, frames => frames.Where(stretch => stretch.Last >= from), maxBytes);

    public ValueTask<IReadOnlyList<StoredFrames>> ReadBackwardAsync(
        long execution, long before, int maxBytes, CancellationToken cancellationToken) =>
        ReadAsync(execution, frames => frames.Reverse().Where(stretch => stretch.First < before), maxBytes);

    public ValueTask<StoredExecution?> FindAsync(string id, CancellationToken cancellationToken) => FindAsync(execution => execution.Id == id);

    public ValueTask<StoredExecution?> FindByKeyAsync(string key, CancellationToken cancellationToken) =>
        FindAsync(execution => execution.IdempotencyKey == key);

    public ValueTask<IReadOnlyList<StoredExecution>> ListAsync(
        ExecutionFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        ThrowIfUnreadable();
        lock (_gate)
        {
            return ValueTask.FromResult<IReadOnlyList<StoredExecution>>(
            [
                .. _executions.Values
                    .Where(execution => execution.Number < before && (filter.Kind ?? execution.Kind) == execution.Kind)
                    .Where(execution => filter.Status is not { } status || (execution.End?.Status ?? ExecutionStatus.Running) == status)
                    .Where(execution => filter.Labels.All(label => execution.Labels.Contains(label)))
                    .OrderByDescending(execution => execution.Number)
                    .Take(limit)
                    .Select(Complete)
                    .Select(execution => filter.WithoutDetails && execution.End is { } end ? execution with { End = end with { Details = default } } : execution),
            ]);
        }
    }

    public async ValueTask<bool> DeleteAsync(long execution, CancellationToken cancellationToken)
    {
        await DeletesGate.WaitAsync(cancellationToken);
        lock (_gate)
        {
            var found = _frames.Remove(execution) & _executions.Remove(execution);
            return DeleteFailure is { } failure ? throw failure : found;
        }
    }

    /// <summary>Knows only <see cref="RetentionRule.MaxFinished"/>; trims every running execution to its newest stretch when bytes are limited.</summary>
    public async ValueTask<SweepOutcome> SweepAsync(RetentionRule rule, CancellationToken cancellationToken)
    {
        var outcome = Sweep(rule);
        await SweptGate.WaitAsync(cancellationToken);
        return outcome;
    }

    private SweepOutcome Sweep(RetentionRule rule)
    {
        lock (_gate)
        {
            var ended = _executions.Values.Where(execution => execution.End is not null).OrderByDescending(execution => execution.Number);
            var deleted = ended.Skip(rule.MaxFinished ?? int.MaxValue).ToList();
            deleted.ForEach(execution => _executions.Remove(execution.Number));
            deleted.ForEach(execution => _frames.Remove(execution.Number));
            var trimmed = new List<SweptExecution>();
            foreach (var execution in _executions.Values.Where(execution => execution.End is null && rule.MaxBytes is not null).ToList())
            {
                var newest = _frames[execution.Number].Values.Last();
                _frames[execution.Number] = new() { [newest.First] = newest };
                trimmed.Add(new SweptExecution(execution.Number, execution.Id, newest.First));
            }

            return new SweepOutcome(
                [.. deleted.Select(execution => new SweptExecution(execution.Number, execution.Id, 0))], trimmed, 0)
            {
                Failure = DeleteFailure,
            };
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Keep(StoreAppend append)
    {
        lock (_gate)
        {
            if (append.Created is { } created)
            {
                Assert.DoesNotContain(
                    _executions.Values, other => other.IdempotencyKey is { } key && key == created.IdempotencyKey && other.Number != created.Number);
                _executions[append.Execution] = created;
                _frames.TryAdd(append.Execution, []);
            }

            var frames = _frames[append.Execution];
            if (append.IsRepair)
            {
                foreach (var first in frames.Keys.Where(first => first >= append.Frames[0].First).ToList())
                {
                    frames.Remove(first);
                }
            }

            foreach (var stretch in append.Frames)
            {
                Assert.True(LosesBehind || frames.Values.LastOrDefault().Last + 1 == stretch.First, $"{stretch.First} is not the next");
                frames.Add(stretch.First, stretch with { Packed = stretch.Packed.ToArray() });
                for (var sequence = stretch.First; sequence <= stretch.Last; sequence++)
                {
                    _sequences.Enqueue(sequence);
                }
            }

            if (append.Ended is { } end)
            {
                Assert.Equal(frames.Values.Last().Last, end.LastSequence);

                // Of a trimmed one also what is gone counts.
                Assert.InRange(frames.Values.Sum(stretch => stretch.Packed.Length), frames.Keys.First() == 1 ? end.Bytes : 0, end.Bytes);
                _executions[append.Execution] = _executions[append.Execution] with { End = end };
            }
        }
    }

    private async ValueTask<IReadOnlyList<StoredFrames>> ReadAsync(
        long execution, Func<IEnumerable<StoredFrames>, IEnumerable<StoredFrames>> choose, int maxBytes)
    {
        ThrowIfUnreadable();
        await ReadsGate;
        lock (_gate)
        {
            Reads++;
            var found = new List<StoredFrames>();
            foreach (var stretch in choose(_frames.TryGetValue(execution, out var frames) ? frames.Values : []))
            {
                found.Add(stretch);
                if ((maxBytes -= stretch.Packed.Length) <= 0)
                {
                    break;
                }
            }

            ReadPlaces.Enqueue(found.FirstOrDefault().First);
            return found;
        }
    }

    private ValueTask<StoredExecution?> FindAsync(Func<StoredExecution, bool> isIt)
    {
        ThrowIfUnreadable();
        lock (_gate)
        {
            return ValueTask.FromResult(_executions.Values.FirstOrDefault(isIt) is { } execution ? Complete(execution) : null);
        }
    }

    private void ThrowIfUnreadable()
    {
        if (ReadFailure is { } failure)
        {
            throw failure;
        }
    }

    private StoredExecution Complete(StoredExecution execution)
    {
        var frames = _frames[execution.Number].Values;
        return execution with
        {
            FirstSequence = frames.First().First,
            LastSequence = frames.Last().Last,
            Bytes = frames.Sum(stretch => stretch.Packed.Length),
        };
    }
}
