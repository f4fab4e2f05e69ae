using Harness.Executions;
using Harness.Storage.Writing;

namespace Harness.Storage;

/// <summary>What is deleted, in transactions small enough that appends hardly wait.</summary>
internal sealed partial class ExecutionStore
{
    /// <summary>Packed bytes that one transaction deletes at most, unless a single stretch has more.</summary>
    private const long StepBytes = 4 * 1024 * 1024;

    private const int StepExecutions = 64;

    // One deletes at a time: steps are computed from what was read before.
    private readonly SemaphoreSlim _sweeping = new(1);

    public async ValueTask<bool> DeleteAsync(long execution, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        await _sweeping.WaitAsync(cancellationToken);
        try
        {
            var found = await _reads.QueryAsync(new SqlCall(StoreSql.FindSize, execution), ReadEnded, cancellationToken);
            Writes.Forget(execution);
            if (found.Count == 0)
            {
                return false;
            }

            await DeleteInStepsAsync(found[0], new Taken(), cancellationToken);
            await database.GiveBackAsync(cancellationToken);
            return true;
        }
        finally
        {
            _sweeping.Release();
        }
    }

    public async ValueTask<SweepOutcome> SweepAsync(RetentionRule rule, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        await _sweeping.WaitAsync(cancellationToken);
        var taken = new Taken();
        try
        {
            await SweepAsync(rule, taken, cancellationToken);
            return taken.ToOutcome(failure: null);
        }
        catch (Exception error) when (!taken.IsEmpty && error is StoreException or OperationCanceledException)
        {
            return taken.ToOutcome(error);
        }
        finally
        {
            _sweeping.Release();
        }
    }

    private async Task SweepAsync(RetentionRule rule, Taken taken, CancellationToken cancellationToken)
    {
        var kept = (await _reads.QueryAsync(
            new SqlCall(StoreSql.Kept), row => (Count: row.GetInt64(0), Bytes: row.GetInt64(1)), cancellationToken))[0];
        var running = await _reads.QueryAsync(
            new SqlCall(StoreSql.Running),
            row => new RunningExecution(row.GetInt64(0), row.GetString(1), row.GetInt64(2)),
            cancellationToken);
        var runningBytes = running.Sum(execution => execution.Bytes);
        while (await TakeOldestAsync(rule, kept.Count, kept.Bytes + runningBytes, cancellationToken) is { Count: > 0 } oldest)
        {
            await DeleteAsync(oldest, taken, cancellationToken);
            kept = (kept.Count - oldest.Count, kept.Bytes - oldest.Sum(execution => execution.Bytes));
        }

        if (rule.MaxBytes is { } maxBytes && kept.Bytes + runningBytes > maxBytes)
        {
            await TrimRunningAsync(running, maxBytes - kept.Bytes, taken, cancellationToken);
        }

        if (!taken.IsEmpty)
        {
            await database.GiveBackAsync(cancellationToken);
        }
    }

    // The next ones that the rule does not keep, as they ended.
    private async Task<List<EndedExecution>> TakeOldestAsync(RetentionRule rule, long count, long bytes, CancellationToken cancellationToken)
    {
        var oldest = await _reads.QueryAsync(new SqlCall(StoreSql.OldestEnded), ReadEnded, cancellationToken);
        var before = rule.EndedBefore?.UtcTicks ?? 0;
        var taken = 0;
        while (taken < oldest.Count
            && (oldest[taken].CompletedAt < before || count > (rule.MaxFinished ?? long.MaxValue) || bytes > (rule.MaxBytes ?? long.MaxValue)))
        {
            count--;
            bytes -= oldest[taken++].Bytes;
        }

        return oldest[..taken];
    }

    private async Task DeleteAsync(List<EndedExecution> executions, Taken taken, CancellationToken cancellationToken)
    {
        var (step, bytes) = (new List<EndedExecution>(), 0L);
        foreach (var execution in executions)
        {
            if (execution.Bytes > StepBytes)
            {
                await DeleteInStepsAsync(execution, taken, cancellationToken);
                continue;
            }

            step.Add(execution);
            bytes += execution.Bytes;
            if (bytes >= StepBytes || step.Count >= StepExecutions)
            {
                await DeleteTogetherAsync(step, taken, cancellationToken);
                step.Clear();
                bytes = 0;
            }
        }

        await DeleteTogetherAsync(step, taken, cancellationToken);
    }

    // Frames first, the oldest before the others, and the execution last: stopped halfway, it is one whose beginning is gone.
    private async Task DeleteInStepsAsync(EndedExecution execution, Taken taken, CancellationToken cancellationToken)
    {
        await TrimAsync(execution.Number, execution.Id, long.MaxValue, taken, cancellationToken);
        await DeleteTogetherAsync([execution], taken, cancellationToken);
    }

    private async Task DeleteTogetherAsync(List<EndedExecution> executions, Taken taken, CancellationToken cancellationToken)
    {
        var calls = executions.SelectMany(execution => StoreCalls.Delete(execution.Number)).ToList();
        await Writes.WriteAsync(new WriteItem(0, calls, WriteQueue.MaxGroupBytes), cancellationToken);
        executions.ForEach(taken.Delete);
    }

    // The longest give until none has more than a level at which all fit; short ones lose nothing.
    private async Task TrimRunningAsync(List<RunningExecution> running, long allowed, Taken taken, CancellationToken cancellationToken)
    {
        running.Sort((one, other) => one.Bytes.CompareTo(other.Bytes));
        var (level, left) = (0L, Math.Max(0, allowed));
        for (var i = 0; i < running.Count; i++)
        {
            level = left / (running.Count - i);
            if (running[i].Bytes > level)
            {
                break;
            }

            left -= running[i].Bytes;
        }

        foreach (var execution in running.Where(execution => execution.Bytes > level))
        {
            await TrimAsync(execution.Number, execution.Id, execution.Bytes - level, taken, cancellationToken);
        }
    }

    /// <summary>Deletes the oldest stretches until so many bytes are gone; the newest always stays.</summary>
    private async Task TrimAsync(long execution, string id, long bytes, Taken taken, CancellationToken cancellationToken)
    {
        var (gone, trimmed) = (0L, -1L);
        while (gone < bytes)
        {
            var oldest = await _reads.QueryAsync(
                new SqlCall(StoreSql.OldestFrames, execution),
                row => (First: row.GetInt64(0), Total: row.GetInt64(1), Trimmed: row.GetInt64(2)),
                cancellationToken);
            if (oldest.Count < 2)
            {
                break;
            }

            trimmed = trimmed < 0 ? oldest[0].Trimmed : trimmed;
            var (count, step) = (0, Math.Min(bytes - gone, StepBytes));
            while (count < oldest.Count - 1 && (count == 0 || oldest[count - 1].Total - trimmed < step))
            {
                count++;
            }

            var (first, total) = (oldest[count].First, oldest[count - 1].Total);
            await Writes.WriteAsync(new WriteItem(0, StoreCalls.Trim(execution, first, total), WriteQueue.MaxGroupBytes), cancellationToken);
            taken.Trim(new SweptExecution(execution, id, first), total - trimmed);
            gone += total - trimmed;
            trimmed = total;
        }
    }

    private static EndedExecution ReadEnded(System.Data.Common.DbDataReader row) =>
        new(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4));

    private sealed record EndedExecution(long Number, string Id, long LastSequence, long Bytes, long CompletedAt);

    private sealed record RunningExecution(long Number, string Id, long Bytes);

    /// <summary>What is gone so far.</summary>
    private sealed class Taken
    {
        private readonly List<SweptExecution> _deleted = [];
        private readonly Dictionary<long, (SweptExecution Execution, long Bytes)> _trimmed = [];
        private long _bytes;

        public bool IsEmpty => _deleted.Count == 0 && _trimmed.Count == 0;

        public void Delete(EndedExecution execution)
        {
            _trimmed.Remove(execution.Number, out var trimmed);
            _bytes += execution.Bytes - trimmed.Bytes;
            _deleted.Add(new SweptExecution(execution.Number, execution.Id, execution.LastSequence + 1));
        }

        public void Trim(SweptExecution execution, long bytes)
        {
            _trimmed[execution.Number] = (execution, _trimmed.GetValueOrDefault(execution.Number).Bytes + bytes);
            _bytes += bytes;
        }

        public SweepOutcome ToOutcome(Exception? failure) =>
            new(_deleted, [.. _trimmed.Values.Select(trimmed => trimmed.Execution)], _bytes) { Failure = failure };
    }
}
