using BenchmarkDotNet.Attributes;
using Harness.Executions;
using Harness.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harness.Benchmarks;

/// <summary>
/// What it costs until an append is kept, per append: of one execution after the other, and of a hundred at once, which share
/// transactions. PostgreSQL is measured where <see cref="Variable"/> has a connection string, in a schema of its own.
/// </summary>
[MemoryDiagnoser]
public class StoreBenchmarks
{
    /// <summary>The environment variable.</summary>
    public const string Variable = "HARNESS_BENCHMARK_STORE";

    private const int Appends = 2_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("harness-benchmark-").FullName;
    private IExecutionStore? _store;
    private byte[] _packed = [];
    private long _number;

    /// <summary>Where it is kept.</summary>
    [ParamsSource(nameof(Databases))]
    public string Database { get; set; } = "SQLite";

    /// <summary>Executions that append at once.</summary>
    [Params(1, 100)]
    public int Executions { get; set; }

    /// <summary>Packed bytes of one append: a line or two, and about 1,000 lines of 100 characters under load.</summary>
    [Params(200, 110_000)]
    public int Bytes { get; set; }

    /// <summary>The databases that are there.</summary>
    public static IEnumerable<string> Databases =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } ? ["SQLite", "PostgreSQL"] : ["SQLite"];

    /// <summary>Opens the store.</summary>
    [GlobalSetup]
    public async Task OpenAsync()
    {
        var options = new StoreOptions
        {
            Data = _folder,
            ConnectionString = Database == "SQLite" ? null : $"{Environment.GetEnvironmentVariable(Variable)};Search Path=harness_benchmark",
        };
        _packed = SyntheticText.Lines(100)[..Bytes];
        _store = StoreFactory.Create(options, NullLoggerFactory.Instance, TimeProvider.System);
        _number = (await _store.OpenAsync(CancellationToken.None)).LastNumber;
    }

    /// <summary>Takes back the space after every round.</summary>
    [IterationCleanup]
#pragma warning disable VSTHRD002 // BenchmarkDotNet does not await this one.
    public void Sweep() =>
        _store!.SweepAsync(new RetentionRule(null, 0, null), CancellationToken.None).AsTask().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002

    /// <summary>Appends of all executions together.</summary>
    [Benchmark(OperationsPerInvoke = Appends)]
    public Task AppendUntilKept() => Task.WhenAll(Enumerable.Range(0, Executions).Select(_ => Task.Run(AppendAsync)));

    /// <summary>Closes the store and deletes it.</summary>
    [GlobalCleanup]
    public async Task CloseAsync()
    {
        await _store!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task AppendAsync()
    {
        var number = Interlocked.Increment(ref _number);
        var appends = Appends / Executions;
        for (var sequence = 1; sequence <= appends; sequence++)
        {
            await _store!.AppendAsync(
                new StoreAppend
                {
                    Execution = number,
                    Created = sequence == 1 ? Created(number) : null,
                    Frames = [new StoredFrames(sequence, sequence, _packed)],
                    Ended = sequence == appends ? End(sequence) : null,
                },
                CancellationToken.None);
        }
    }

    private StoredEnd End(long last) =>
        new(ExecutionStatus.Completed, DateTimeOffset.UtcNow, null, null, null, default, last, last * Bytes);

    private static StoredExecution Created(long number) => new()
    {
        Number = number,
        Id = Guid.NewGuid().ToString(),
        Epoch = "abcdef",
        Kind = "benchmark",
        Name = "appends",
        Labels = new Dictionary<string, string>(),
        Request = "{}",
        StartedAt = DateTimeOffset.UtcNow,
    };
}
