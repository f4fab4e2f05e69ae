using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>All that is measured on servers, in the order of the tables.</summary>
internal static class Works
{
    // What is not read yet must fit into the memory of a server that keeps nothing elsewhere: 128 MiB for a run, 256 for all.
    private static readonly Load OneSocket = new(1, 400_000);
    private static readonly Load HundredSockets = new(100, 100_000);
    private static readonly Load ThousandSockets = new(1_000, 40_000);
    private static readonly Load ThousandRuns = new(1_000, 250, HasRunEach: true);

    public static IEnumerable<IMeasurement> All(Scale scale) =>
    [
        new DeliveryMeasurement("W1", "W1  one run, 1 socket", OneSocket, scale),
        new DeliveryMeasurement("W2", "W2  one run, 100 sockets", HundredSockets, scale),
        new DeliveryMeasurement("W2", "W2  one run, 1,000 sockets", ThousandSockets, scale),
        new DeliveryMeasurement("W3", "W3  1,000 runs, 1 socket each", ThousandRuns, scale),
        new PacedMeasurement("W4  1,000 lines/s, 1 socket", new Load(1, 3_000, 1_000), scale),
        new PacedMeasurement("W4  1,000 lines/s, 100 sockets", new Load(100, 3_000, 1_000), scale),
        new PacedMeasurement("W4  1,000 lines/s, 1,000 sockets", new Load(1_000, 3_000, 1_000), scale),
        new CommandMeasurement(scale),
        new CancelMeasurement(scale),
        new DeliveryMeasurement("W8", "W8  one run, 1 connection", OneSocket, scale),
        new DeliveryMeasurement("W8", "W8  one run, 100 connections", HundredSockets, scale),
        new IdleMeasurement(scale),
        new SlowReaderMeasurement(scale),
        new WarmUpMeasurement(scale, TimeSpan.Zero),
        new WarmUpMeasurement(scale, TimeSpan.FromSeconds(3)),
    ];
}
