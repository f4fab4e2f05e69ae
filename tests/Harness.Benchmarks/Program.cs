using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Harness.Benchmarks;
using Harness.Benchmarks.Measurements;
using Harness.Benchmarks.Streams;
using Harness.Benchmarks.Transports;

const string Help = """
    What docs/performance.md claims, measured.

      dotnet run -c Release --project tests/Harness.Benchmarks -- COMMAND [options]

      transports      Delivery over real sockets, beside rivals; --quick shows in less than a minute that it works
      streams         Streams of generations, watchers of workflows
      store           What keeping executions costs
      memory          What an execution costs in memory
      --filter NAMES  Single pieces, with BenchmarkDotNet: '*' for all, '*Pack*' for some, --list flat for their names

    Each command tells its options: COMMAND --help
    """;

// Servers are processes of this program, too.
switch (args)
{
    case [StreamServer.Command, ..]:
        return await StreamServer.RunAsync();
    case [NaiveServer.Command, var port, ..]:
        await NaiveServer.RunAsync(port);
        return 0;
    case [ReadyBlocksServer.Command, var port, ..]:
        await ReadyBlocksServer.RunAsync(port);
        return 0;
    case [EmbeddedServer.Command, var port, var difference, .. var store]:
        await EmbeddedServer.RunAsync(port, difference, store);
        return 0;
}

try
{
    switch (args)
    {
        case ["--help"]:
            Console.WriteLine(Help);
            return 0;
        case [TransportMeasurement.Command, .. var options]:
            return TransportMeasurement.Run(options);
        case [StreamMeasurement.Command, .. var options]:
            await StreamMeasurement.RunAsync(options);
            return 0;
        case [StoreMeasurement.Command, .. var options]:
            await StoreMeasurement.RunAsync(options);
            return 0;
        case [MemoryMeasurement.Command, .. var options]:
            await MemoryMeasurement.RunAsync(options);
            return 0;
        case [var command, ..] when !command.StartsWith('-'):
            throw new OptionException($"'{command}' is no command; --help tells them.");
    }
}
catch (OptionException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

// In this process: what is measured is warmed up by the benchmark itself, and nothing has to be generated or built.
var config = DefaultConfig.Instance.AddJob(
    Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(5).WithIterationCount(9));
BenchmarkSwitcher.FromAssembly(typeof(LogBenchmarks).Assembly).Run(args, config);
return 0;
