using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Harness.Benchmarks;
using Harness.Benchmarks.Measurements;
using Harness.Benchmarks.Streams;
using Harness.Benchmarks.Transports;

// Not a micro-benchmark: a server in a process of its own, and clients; or the engine with its stores.
switch (args)
{
    case [StreamServer.Command, ..]:
        return await StreamServer.RunAsync();
    case ["streams", ..]:
        return await StreamMeasurement.RunAsync(args);
    case ["store", ..]:
        await StoreMeasurement.RunAsync(args);
        return 0;
    case [TransportMeasurement.Command, .. var options]:
        return TransportMeasurement.Run(options);
    case ["memory"]:
        await MemoryMeasurement.RunAsync();
        return 0;
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

// In this process: what is measured is warmed up by the benchmark itself, and nothing has to be generated or built.
var config = DefaultConfig.Instance.AddJob(
    Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(5).WithIterationCount(9));
BenchmarkSwitcher.FromAssembly(typeof(LogBenchmarks).Assembly).Run(args, config);
return 0;
