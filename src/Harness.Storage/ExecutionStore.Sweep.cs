using Harness.Executions;
using Harness.Storage.Writing;

namespace Harness.Storage;

/// <summary>What is deleted, in transactions small enough that appends hardly wait.</summary>
internal sealed partial class ExecutionStore
{
    /// <summary>Packed bytes that one transaction deletes at most, unless a single stretch has more.</summary>
    private const long StepBytes = 4 * 1024 * 1024;

    // One deletes at a time: steps are computed from what was read before.
    private readonly SemaphoreSlim _sweeping = new(1);

    public async ValueTask<bool> DeleteAsync(long execution, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        await _sweeping.WaitAsync(cancellationToken);
        try
        {
            var found = await _reads.QueryAsync(new SqlCall(StoreSql.FindSize, execution), ReadEnded, cancellationToken);
            if (found.Count == 0)
            {
                return false;
            }

            await DeleteInStepsAsync(found[0].Number, cancellationToken);
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
        try
        {
            var (deleted, trimmed) = (new List<SweptExecution>(), new List<SweptExecution>());
            var kept = (await _reads.QueryAsync(
                new SqlCall(StoreSql.Kept), row => (Count: row.GetInt64(0), Bytes: row.GetInt64(1)), cancellationToken))[0];
            var running = await _reads.QueryAsync(
                new SqlCall(StoreSql.Running),
                row => new RunningExecution(row.GetInt64(0), row.GetString(1), row.GetInt64(2)),
                cancellationToken);
            var runningBytes = running.Sum(execution => execution.Bytes);
            var bytes = 0L;
            while (await TakeOldestAsync(rule, kept.Count, kept.Bytes + runningBytes, cancellationToken) is { Count: > 0 } oldest)
            {
                bytes += await DeleteAsync(oldest, deleted, cancellationToken);
                kept = (kept.Count - oldest.Count, kept.Bytes - oldest.Sum(execution => execution.Bytes));
            }

            if (rule.MaxBytes is { } maxBytes && kept.Bytes + runningBytes > maxBytes)
            {
                bytes += await TrimRunningAsync(running, maxBytes - kept.Bytes, trimmed, cancellationToken);
            }

            if (bytes > 0 || deleted.Count > 0)
            {
                await database.GiveBackAsync(cancellationToken);
            }

            return new SweepOutcome(deleted, trimmed, bytes);
        }
        finally
        {
            _sweeping.Release();
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

    private async Task<long> DeleteAsync(List<EndedExecution> executions, List<SweptExecution> deleted, CancellationToken cancellationToken)
    {
        var (calls, step, bytes) = (new List<SqlCall>(), 0L, 0L);
        foreach (var execution in executions)
        {
            if (execution.Bytes > StepBytes)
            {
                await DeleteInStepsAsync(execution.Number, cancellationToken);
            }
            else
            {
                calls.AddRange(StoreCalls.Delete(execution.Number));
                step += execution.Bytes;
            }

            bytes += execution.Bytes;
            deleted.Add(new SweptExecution(execution.Number, execution.Id, execution.LastSequence + 1));
            if (step >= StepBytes || calls.Count >= 256)
            {
                await Writes.WriteAsync(new WriteItem(0, [.. calls], WriteQueue.MaxGroupBytes), cancellationToken);
                calls.Clear();
                step = 0;
            }
        }

        await Writes.WriteAsync(new WriteItem(0, calls, WriteQueue.MaxGroupBytes), cancellationToken);
        return bytes;
    }

    // Frames first, the oldest before the others, and the execution last: stopped halfway, it is one whose beginning is gone.
    private async Task DeleteInStepsAsync(long execution, CancellationToken cancellationToken)
    {
        await TrimAsync(execution, long.MaxValue, cancellationToken);
        await Writes.WriteAsync(new WriteItem(0, StoreCalls.Delete(execution), WriteQueue.MaxGroupBytes), cancellationToken);
    }

    // The longest give until none has more than a level at which all fit; short ones lose nothing.
    private async Task<long> TrimRunningAsync(
        List<RunningExecution> running, long allowed, List<SweptExecution> trimmed, CancellationToken cancellationToken)
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

        var bytes = 0L;
        foreach (var execution in running.Where(execution => execution.Bytes > level))
        {
            var (first, taken) = await TrimAsync(execution.Number, execution.Bytes - level, cancellationToken);
            bytes += taken;
            if (taken > 0)
            {
                trimmed.Add(new SweptExecution(execution.Number, execution.Id, first));
            }
        }

        return bytes;
    }

    /// <summary>Deletes the oldest stretches until so many bytes are gone; the newest always stays.</summary>
    private async Task<(long First, long Bytes)> TrimAsync(long execution, long bytes, CancellationToken cancellationToken)
    {
        var (first, gone, trimmed) = (0L, 0L, -1L);
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

            first = oldest[count].First;
            var total = oldest[count - 1].Total;
            await Writes.WriteAsync(new WriteItem(0, StoreCalls.Trim(execution, first, total), WriteQueue.MaxGroupBytes), cancellationToken);
            gone += total - trimmed;
            trimmed = total;
        }

        return (first, gone);
    }

    private static EndedExecution ReadEnded(System.Data.Common.DbDataReader row) =>
        new(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4));

    private sealed record EndedExecution(long Number, string Id, long LastSequence, long Bytes, long CompletedAt);

    private sealed record RunningExecution(long Number, string Id, long Bytes);
}
