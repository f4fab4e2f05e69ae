using System.Globalization;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Harness.Benchmarks.Measurements;
using Harness.Benchmarks.Transports;

switch (args)
{
    case ["store", ..]:
        await StoreMeasurement.RunAsync(args);
        return;
    case ["transports", ..]:
        await TransportMeasurement.RunAsync(args);
        return;
    case ["memory"]:
        await MemoryMeasurement.RunAsync();
        return;
    case ["naive", var port]:
        await NaiveServer.RunAsync(int.Parse(port, CultureInfo.InvariantCulture));
        return;
}

// In this process: what is measured is warmed up by the benchmark itself, and nothing has to be generated or built.
var config = DefaultConfig.Instance.AddJob(
    Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(5).WithIterationCount(9));
BenchmarkSwitcher.FromAssembly(typeof(Harness.Benchmarks.LogBenchmarks).Assembly).Run(args, config);
