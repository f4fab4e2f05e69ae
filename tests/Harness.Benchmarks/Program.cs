using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Harness.Benchmarks.Measurements;

if (args is ["store", ..])
{
    await StoreMeasurement.RunAsync(args);
    return;
}

// In this process: what is measured is warmed up by the benchmark itself, and nothing has to be generated or built.
var config = DefaultConfig.Instance.AddJob(
    Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(5).WithIterationCount(9));
BenchmarkSwitcher.FromAssembly(typeof(Harness.Benchmarks.LogBenchmarks).Assembly).Run(args, config);
