using Harness.Executions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Harness.Benchmarks.Measurements;

/// <summary>
/// What an execution costs while it runs and after its end, in live bytes of this process, and what the collector has to do for it.
/// </summary>
internal static class MemoryMeasurement
{
    /// <summary>The argument that asks for it.</summary>
    public const string Command = "memory";

    private const string Help = """
        What an execution of 0, 3, 10 and 200 lines costs while it runs and after its end, in live bytes of this process.

          dotnet run -c Release --project tests/Harness.Benchmarks -- memory

        It has no options and takes some three minutes.
        """;

    private const int Executions = 5_000;

    // A process in which nothing happens gives back what it has kept for the next executions.
    private static readonly TimeSpan UntilIdle = TimeSpan.FromSeconds(21);
    private static readonly byte[] Line = [.. Enumerable.Repeat((byte)'x', 100)];

    /// <summary>Measures, and prints a line for each number of lines.</summary>
    /// <exception cref="OptionException">It has no options but <c>--help</c>.</exception>
    public static async Task RunAsync(IReadOnlyList<string> args)
    {
        if (new GivenOptions(args, []).WantsHelp)
        {
            Console.WriteLine(Help);
            return;
        }

        foreach (var lines in (int[])[0, 3, 10, 200])
        {
            await MeasureAsync(lines);
            var (running, ended, allocated) = await MeasureAsync(lines);
            Console.WriteLine(
                $"{lines,4} lines of 100 characters: {running:N0} bytes each while they run, {ended:N0} after their end, {allocated:N0} allocated in all");
        }
    }

    private static async Task<(long Running, long Ended, long Allocated)> MeasureAsync(int lines)
    {
        var options = new ExecutionOptions { MaxConcurrent = Executions, MaxFinished = Executions, TotalWindowBytes = 1L << 32 };
        using var registry = new ExecutionRegistry(
            Options.Create(options), new MemoryOnlyStore(), TimeProvider.System, NullLogger<ExecutionRegistry>.Instance);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var allocatedBefore = GC.GetTotalAllocatedBytes();
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var unwritten = Executions;
        for (var i = 0; i < Executions; i++)
        {
            registry.Start(new ExecutionPlan(new ExecutionRequest { Kind = "measurement", Name = "lines" }, async (log, stop) =>
            {
                for (var line = 0; line < lines; line++)
                {
                    await log.WriteAsync(Line, stop);
                }

                if (Interlocked.Decrement(ref unwritten) == 0)
                {
                    written.SetResult();
                }

                await end.Task;
                return new ExecutionResult(ExecutionStatus.Completed);
            }));
        }

        await written.Task;
        var all = registry.List();
        while (all.Any(execution => execution.Log.LastSequence <= lines))
        {
            await Task.Yield();
        }

        var running = GC.GetTotalMemory(forceFullCollection: true) - before;
        end.SetResult();
        await Task.WhenAll(all.Select(execution => execution.Completion));
        var allocated = GC.GetTotalAllocatedBytes() - allocatedBefore;
        all = [];
        await Task.Delay(UntilIdle);
        var ended = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(registry);
        return (running / Executions, ended / Executions, allocated / Executions);
    }
}
