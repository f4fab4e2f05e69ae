using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Harness.Executions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Harness.Benchmarks;

/// <summary>
/// What one line costs from the body to a reader, per line: the naive way serialises an object for each subscriber, ours encodes once
/// and hands out ranges of the same memory.
/// </summary>
[MemoryDiagnoser]
public class LogBenchmarks : IDisposable
{
    private const int Lines = 100_000;
    private static readonly string Line = new('x', 100);
    private static readonly byte[] Utf8Line = Encoding.UTF8.GetBytes(Line);

    private readonly ExecutionRegistry _registry = new(
        Options.Create(new ExecutionOptions { MaxFinished = 0 }),
        new MemoryOnlyStore(),
        TimeProvider.System,
        NullLogger<ExecutionRegistry>.Instance);

    /// <summary>Readers of the one execution.</summary>
    [Params(1, 100)]
    public int Readers { get; set; }

    /// <summary>An object made and serialised for every reader and line.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Lines)]
    public long NaiveJsonForEachReader()
    {
        var id = Guid.NewGuid().ToString();
        var bytes = 0L;
        for (var line = 0; line < Lines; line++)
        {
            for (var reader = 0; reader < Readers; reader++)
            {
                bytes += JsonSerializer.SerializeToUtf8Bytes(
                    new { type = "log", id, message = Line, seq = line, ts = DateTimeOffset.UtcNow }).Length;
            }
        }

        return bytes;
    }

    /// <summary>Lines given as strings.</summary>
    [Benchmark(OperationsPerInvoke = Lines)]
    public Task<long> LogOfStrings() => RunAsync(async (log, stop) =>
    {
        for (var line = 0; line < Lines; line++)
        {
            await log.WriteAsync(Line, stop);
        }
    });

    /// <summary>Lines given as UTF-8.</summary>
    [Benchmark(OperationsPerInvoke = Lines)]
    public Task<long> LogOfUtf8() => RunAsync(async (log, stop) =>
    {
        for (var line = 0; line < Lines; line++)
        {
            await log.WriteAsync(Utf8Line, stop);
        }
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        _registry.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task<long> RunAsync(Func<ExecutionLog, CancellationToken, Task> write)
    {
        var execution = _registry.Start(new ExecutionPlan(
            new ExecutionRequest { Kind = "benchmark", Name = "lines" },
            async (log, stop) =>
            {
                await log.WaitForReadersAsync(Readers, stop);
                await write(log, stop);
                return new ExecutionResult(ExecutionStatus.Completed);
            }));
        var bytes = await Task.WhenAll(Enumerable.Range(0, Readers).Select(_ => Task.Run(() => ReadAsync(execution.Log))));
        await execution.Completion;
        return bytes.Sum();
    }

    private static async Task<long> ReadAsync(ExecutionLog log)
    {
        var bell = new LogBell();
        using var cursor = log.OpenCursor(1, bell);
        var bytes = 0L;
        while (true)
        {
            while (cursor.TryTake(out var range))
            {
                bytes += range.Frames.Length;
            }

            if (cursor.IsAtEnd)
            {
                return bytes;
            }

            if (cursor.TryPark())
            {
                await bell.WaitAsync(CancellationToken.None);
            }
        }
    }
}
