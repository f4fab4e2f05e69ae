using System.Diagnostics;
using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>
/// Delivery over real sockets: server processes of ours and of rivals in turn, in one run, so that ratios mean something. They have a core
/// of their own and this process the others, where there are two and the system is Linux.
/// </summary>
internal static class TransportMeasurement
{
    /// <summary>The argument that asks for it.</summary>
    public const string Command = "transports";

    /// <summary>Measures and prints tables.</summary>
    /// <returns>The process's exit code: 1 when this was to show that everything works, and something does not.</returns>
    /// <exception cref="OptionException">An option is none.</exception>
    public static int Run(IReadOnlyList<string> args)
    {
        var options = new TransportOptions(args);
        if (options.WantsHelp)
        {
            Console.WriteLine(TransportOptions.Help);
            return 0;
        }

        TakeOtherCores();
        return Measure(options).IsComplete || !options.IsQuick ? 0 : 1;
    }

    private static Report Measure(TransportOptions options)
    {
        var scale = new Scale(options.IsQuick);
        var measurements = Works.All(scale).Where(measurement => options.Wants(measurement.Work)).ToList();
        var contenders = Contenders.All(options).Where(contender => options.WantsContender(contender.Name)).ToList();
        var report = new Report(measurements, contenders);
        var startUp = options.Wants(StartUpMeasurement.Work) ? StartUpMeasurement.Run(options.Executable, scale) : null;
        for (var round = 1; round <= options.Rounds; round++)
        {
            foreach (var program in contenders.GroupBy(contender => string.Join(' ', contender.Program)))
            {
                MeasureProgram([.. program], measurements, scale, (measurement, contender) => new Attempt(report, measurement, contender, round));
            }
        }

        Console.WriteLine(report);
        if (options.Plot is { } file)
        {
            new Plot(report).Write(file);
        }

        if (startUp is not null)
        {
            Console.WriteLine(startUp);
        }

        return report;
    }

    private static void MeasureProgram(
        List<Contender> contenders, List<IMeasurement> measurements, Scale scale, Func<IMeasurement, Contender, Attempt> attempt)
    {
        var all = measurements
            .SelectMany(measurement => contenders.Where(contender => contender.Works.Contains(measurement.Work)), attempt);
        using var server = new ReusedServer(scale);
        foreach (var one in all)
        {
            // Whether it works shows in any process, and starting them is what takes the time.
            var isAlone = one.Measurement.Server != ServerState.Used && !scale.IsQuick;
            if (isAlone)
            {
                server.Stop();
            }

            // One that was not able to do it still works off what was too much.
            var isDone = one.Make(() => server.Get(one.Contender, isWarm: one.Measurement.Server != ServerState.New));
            if (isAlone || !isDone)
            {
                server.Stop();
            }
        }
    }

    private static void TakeOtherCores()
    {
        if (OperatingSystem.IsLinux() && Environment.ProcessorCount > 1)
        {
            using var self = Process.GetCurrentProcess();
            self.ProcessorAffinity = (nint)((1L << Environment.ProcessorCount) - 2);
        }
    }
}
