using System.Diagnostics;
using Harness.Executions;
using Harness.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Harness.Benchmarks.Measurements;

/// <summary>
/// What keeping executions costs: the engine with each store in turn, in one process and one run, so that ratios mean something.
/// </summary>
internal static class StoreMeasurement
{
    /// <summary>The argument that asks for it.</summary>
    public const string Command = "store";

    private const string Help = """
        What keeping executions costs: the engine with memory, SQLite and, if there is one, PostgreSQL in turn, in one process.

          dotnet run -c Release --project tests/Harness.Benchmarks -- store [options]

          --postgres CONNECTION Also with PostgreSQL
          --rounds N            How often rates are measured [default: 5]
          --help                This

        Takes some minutes. What it writes is in the folder for temporary files, and deleted at the end.
        """;

    private const int Lines = 1_000_000;
    private const int Runs = 100;
    private const int StoredExecutions = 100_000;
    private const int ManyLines = 10_000_000;

    private const int LineBytes = 100;
    private static readonly byte[] Texts = SyntheticText.Lines(LineBytes);

    /// <summary>Measures, and prints a line for each figure.</summary>
    /// <exception cref="OptionException">An option is none.</exception>
    public static async Task RunAsync(IReadOnlyList<string> args)
    {
        var options = new GivenOptions(args, ["--postgres", "--rounds"]);
        if (options.WantsHelp)
        {
            Console.WriteLine(Help);
            return;
        }

        var rounds = options.Rounds(usual: 5);
        var folder = Directory.CreateTempSubdirectory("harness-measurement-");
        try
        {
            var places = Places(folder.FullName, options.Value("--postgres")).ToList();

            // First, while the process is small: its figure is memory.
            await ShowManyLinesAsync(folder.FullName);
            await ShowThroughputAsync(places, rounds);
            await ShowLatencyAsync(places);
            await ShowDiskAsync(folder.FullName);
            await ShowRestartAsync(folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<(string Name, Func<IExecutionStore> Create)> Places(string folder, string? postgres)
    {
        yield return ("memory", () => new MemoryOnlyStore());
        foreach (var durability in Enum.GetValues<StoreDurability>())
        {
            yield return ($"SQLite {durability}", () => Create(new StoreOptions { Data = Path.Combine(folder, $"{durability}"), Durability = durability }));
        }

        if (postgres is not null)
        {
            yield return ("PostgreSQL Commit", () => Create(new StoreOptions { ConnectionString = postgres }));
        }
    }

    private static IExecutionStore Create(StoreOptions options) => StoreFactory.Create(options, NullLoggerFactory.Instance, TimeProvider.System);

    private static async Task<ExecutionRegistry> OpenAsync(IExecutionStore store)
    {
        var options = new ExecutionOptions();
        options.WindowBytes = store.IsPersistent ? StorageServices.StoredWindowBytes : options.WindowBytes;
        var registry = new ExecutionRegistry(Options.Create(options), store, TimeProvider.System, NullLogger<ExecutionRegistry>.Instance);
        await registry.OpenAsync(CancellationToken.None);
        return registry;
    }

    private static async Task ShowThroughputAsync(List<(string Name, Func<IExecutionStore> Create)> places, int rounds)
    {
        Console.WriteLine($"Lines of 100 characters stored and read live, million a second (median of {rounds} rounds in turn; least to most)");
        var rates = places.ToDictionary(place => place.Name, _ => (One: new List<double>(), Many: new List<double>()));
        for (var round = -1; round < rounds; round++)
        {
            foreach (var (name, create) in places)
            {
                await using var store = create();
                using var registry = await OpenAsync(store);
                var one = await RateAsync(registry, runs: 1, Lines);
                var many = await RateAsync(registry, Runs, Lines / Runs);
                if (round >= 0)
                {
                    rates[name].One.Add(one);
                    rates[name].Many.Add(many);
                }
            }
        }

        foreach (var (name, (one, many)) in rates)
        {
            Console.WriteLine($"  {name,-18} one run {Spread(one)}   {Runs} runs {Spread(many)}");
        }
    }

    private static async Task<double> RateAsync(ExecutionRegistry registry, int runs, int lines)
    {
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, runs).Select(_ => Task.Run(async () =>
        {
            var execution = registry.Start(Plan(lines));
            await CountAsync(execution.Log, 1);
            await execution.Completion;
        })));
        return runs * (double)lines / clock.Elapsed.TotalSeconds / 1e6;
    }

    private static ReadOnlyMemory<byte> Line(int number) => Texts.AsMemory(number % (Texts.Length / LineBytes) * LineBytes, LineBytes);

    private static ExecutionPlan Plan(int lines) => new(new ExecutionRequest { Kind = "measurement", Name = "lines" }, async (log, stop) =>
    {
        for (var i = 0; i < lines; i++)
        {
            if (!log.TryWrite(Line(i).Span))
            {
                await log.WriteAsync(Line(i), stop);
            }
        }

        return new ExecutionResult(ExecutionStatus.Completed);
    });

    private static async Task<long> CountAsync(ExecutionLog log, long from)
    {
        var bell = new LogBell();
        using var cursor = log.OpenCursor(from, bell);
        var events = 0L;
        while (true)
        {
            while (cursor.TryTake(out var range))
            {
                events += range.IsTruncated ? 0 : range.Last - range.First + 1;
            }

            if (cursor.IsAtEnd)
            {
                return events;
            }

            if (cursor.TryPark())
            {
                await bell.WaitAsync(CancellationToken.None);
            }
        }
    }

    private static async Task ShowLatencyAsync(List<(string Name, Func<IExecutionStore> Create)> places)
    {
        Console.WriteLine("Append to delivery, paced 1,000 lines a second for 5 s, microseconds");
        foreach (var (name, create) in places)
        {
            await using var store = create();
            using var registry = await OpenAsync(store);
            await LatencyAsync(registry, 1_000);
            var found = await LatencyAsync(registry, 5_000);
            Console.WriteLine($"  {name,-18} p50 {found[found.Count / 2],8:0}   p99 {found[found.Count * 99 / 100],8:0}   most {found[^1],8:0}");
        }
    }

    private static async Task<List<double>> LatencyAsync(ExecutionRegistry registry, int lines)
    {
        var written = new long[lines + 3];
        var found = new List<double>(lines);
        var execution = registry.Start(new ExecutionPlan(
            new ExecutionRequest { Kind = "measurement", Name = "paced" },
            async (log, stop) =>
            {
                using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
                for (var i = 0; i < lines && await timer.WaitForNextTickAsync(stop); i++)
                {
                    written[i + 2] = Stopwatch.GetTimestamp();
                    await log.WriteAsync(Line(i), stop);
                }

                return new ExecutionResult(ExecutionStatus.Completed);
            }));
        var bell = new LogBell();
        using var cursor = execution.Log.OpenCursor(2, bell);
        while (!cursor.IsAtEnd)
        {
            while (cursor.TryTake(out var range))
            {
                var now = Stopwatch.GetTimestamp();
                for (var sequence = range.First; sequence <= Math.Min(range.Last, lines + 1); sequence++)
                {
                    found.Add(Stopwatch.GetElapsedTime(written[sequence], now).TotalMicroseconds);
                }
            }

            if (!cursor.IsAtEnd && cursor.TryPark())
            {
                await bell.WaitAsync(CancellationToken.None);
            }
        }

        await execution.Completion;
        found.Sort();
        return found;
    }

    private static async Task ShowDiskAsync(string folder)
    {
        var data = Path.Combine(folder, "disk");
        await using (var store = Create(new StoreOptions { Data = data }))
        {
            using var registry = await OpenAsync(store);
            await RateAsync(registry, runs: 1, Lines);
        }

        var bytes = Directory.GetFiles(data).Sum(file => new FileInfo(file).Length);
        Console.WriteLine($"SQLite on disk: {bytes / (double)Lines:0.0} bytes per line of 100 characters ({Lines:N0} lines)");
    }

    private static async Task ShowRestartAsync(string folder)
    {
        var data = Path.Combine(folder, "restart");
        await using (var store = Create(new StoreOptions { Data = data }))
        {
            using var registry = await OpenAsync(store);
            for (var i = 0; i < StoredExecutions; i += 1_000)
            {
                await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => registry.Start(Plan(3)).Completion));
            }
        }

        var clock = Stopwatch.StartNew();
        await using var again = Create(new StoreOptions { Data = data });
        using var reopened = await OpenAsync(again);
        var opened = clock.Elapsed;
        var page = await reopened.ListAsync(new ExecutionFilter(), null, 100);
        Console.WriteLine(
            $"Restart with {StoredExecutions:N0} executions: {opened.TotalMilliseconds:0} ms to open, {(clock.Elapsed - opened).TotalMilliseconds:0} ms for the first page of {page.Items.Count}");
    }

    private static async Task ShowManyLinesAsync(string folder)
    {
        await using var store = Create(new StoreOptions { Data = Path.Combine(folder, "many") });
        using var registry = await OpenAsync(store);
        GC.Collect();
        var before = Environment.WorkingSet;
        var clock = Stopwatch.StartNew();
        var execution = registry.Start(Plan(ManyLines));
        using var sleeper = execution.Log.OpenCursor(1, new LogBell());
        sleeper.TryTake(out _);
        var live = Task.Run(() => CountAsync(execution.Log, 1));
        var most = (Log: 0L, Process: 0L);
        while (!execution.Completion.IsCompleted)
        {
            await Task.Delay(20);
            most = (Math.Max(most.Log, registry.LogBytes), Math.Max(most.Process, Environment.WorkingSet));
        }

        var (written, seen) = (clock.Elapsed, await live);
        var replay = await CountAsync(execution.Log, 1);
        most = (Math.Max(most.Log, registry.LogBytes), Math.Max(most.Process, Environment.WorkingSet));
        Console.WriteLine(
            $"{ManyLines:N0} lines of one run: written in {written.TotalSeconds:0.0} s; the live reader saw {seen:N0} events, one from the start {replay:N0} "
            + $"in {(clock.Elapsed - written).TotalSeconds:0.0} s; one stood still. Most memory of logs {most.Log / 1048576d:0} MiB, of the process "
            + $"{most.Process / 1048576d:0} MiB ({before / 1048576d:0} before)");
    }

    private static string Spread(List<double> values)
    {
        values.Sort();
        return $"{values[values.Count / 2]:0.00} ({values[0]:0.00} to {values[^1]:0.00})";
    }
}
