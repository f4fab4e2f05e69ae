using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>All that is measured on servers, in the order of the tables.</summary>
internal static class Works
{
    // A run's lines must fit into the window of a server that keeps them in memory (128 MiB).
    private static readonly Load OneSocket = new(1, 400_000);
    private static readonly Load HundredSockets = new(100, 100_000);

    public static IEnumerable<IMeasurement> All(Scale scale) =>
    [
        new DeliveryMeasurement("W1", "W1  one run, 1 socket", OneSocket, scale),
        new DeliveryMeasurement("W2", "W2  one run, 100 sockets", HundredSockets, scale),
        new DeliveryMeasurement("W2", "W2  one run, 1,000 sockets", new Load(1_000, 10_000), scale),
        new DeliveryMeasurement("W3", "W3  1,000 runs, 1 socket each", new Load(1_000, 1_000, HasRunEach: true), scale),
        new PacedMeasurement("W4  1,000 lines/s, 1 socket", new Load(1, 3_000, 1_000), scale),
        new PacedMeasurement("W4  1,000 lines/s, 100 sockets", new Load(100, 3_000, 1_000), scale),
        new PacedMeasurement("W4  1,000 lines/s, 1,000 sockets", new Load(1_000, 3_000, 1_000), scale),
        new CommandMeasurement(scale),
        new CancelMeasurement(scale),
        new DeliveryMeasurement("W8", "W8  one run, 1 connection", OneSocket, scale),
        new DeliveryMeasurement("W8", "W8  one run, 100 connections", HundredSockets, scale),
        new IdleMeasurement(scale),
        new SlowReaderMeasurement(scale),
        new WarmUpMeasurement(scale),
    ];
}
