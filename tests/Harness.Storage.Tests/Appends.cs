using System.Text;
using Harness.Executions;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harness.Storage.Tests;

/// <summary>Executions and frames to keep.</summary>
internal static class Appends
{
    public static readonly DateTimeOffset Noon = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    public static async Task<(IExecutionStore Store, StoreOpening Opening)> OpenAsync(StoreOptions options, CancellationToken stop)
    {
        var store = StoreFactory.Create(options, NullLoggerFactory.Instance, TimeProvider.System);
        try
        {
            return (store, await store.OpenAsync(stop));
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    public static StoredExecution Execution(long number, string kind = "suite", string? key = null, params (string, string)[] labels) => new()
    {
        Number = number,
        Id = $"exec-{number}",
        Epoch = "abc234",
        Kind = kind,
        Name = $"Execution {number}",
        Labels = labels.ToDictionary(label => label.Item1, label => label.Item2),
        IdempotencyKey = key,
        Request = $$"""{"plan":{{number}}}""",
        StartedAt = Noon + TimeSpan.FromTicks(number),
    };

    public static StoredFrames Frames(long first, int count, int bytes = 100)
    {
        var packed = new byte[bytes];
        new Random((int)first).NextBytes(packed);
        return new StoredFrames(first, first + count - 1, packed);
    }

    /// <summary>Frames as logs have them: lines that say much the same, and take about a fifth when they are compressed.</summary>
    public static StoredFrames Lines(long first, int count, int bytes = 100)
    {
        var text = string.Concat(Enumerable.Range((int)first, 1 + bytes / 20).Select(line => $"Interaction ID: {line} All validations passed for test {line / 7}\n"));
        return new StoredFrames(first, first + count - 1, Encoding.ASCII.GetBytes(text).AsMemory(0, bytes));
    }

    public static StoreAppend Created(StoredExecution execution, params StoredFrames[] frames) =>
        new() { Execution = execution.Number, Created = execution, Frames = frames };

    public static StoreAppend More(long number, params StoredFrames[] frames) => new() { Execution = number, Frames = frames };

    public static StoredEnd End(long last, long bytes, DateTimeOffset? at = null, ExecutionStatus status = ExecutionStatus.Completed) =>
        new(status, at ?? Noon, null, null, null, default, last, bytes);

    /// <summary>An execution of one append: frames 1 to 3, ended.</summary>
    public static StoreAppend Whole(StoredExecution execution, int bytes = 100, DateTimeOffset? at = null) => new()
    {
        Execution = execution.Number,
        Created = execution,
        Frames = [Frames(1, 3, bytes)],
        Ended = End(3, bytes, at),
    };

    public static async Task<List<StoredFrames>> ReadAllAsync(this IExecutionStore store, long execution, CancellationToken stop)
    {
        var all = new List<StoredFrames>();
        while (await store.ReadAsync(execution, all.Count == 0 ? 1 : all[^1].Last + 1, 1000, stop) is { Count: > 0 } next)
        {
            all.AddRange(next);
        }

        return all;
    }

    public static void AssertSame(IEnumerable<StoredFrames> expected, IEnumerable<StoredFrames> actual) =>
        Assert.Equal(expected.Select(Text), actual.Select(Text));

    private static string Text(StoredFrames frames) => $"{frames.First}-{frames.Last} {Convert.ToHexString(frames.Packed.Span)}";
}
