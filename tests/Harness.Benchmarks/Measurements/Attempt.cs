using System.Diagnostics;
using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>One measurement of one contender in one round.</summary>
internal sealed record Attempt(Report Report, IMeasurement Measurement, Contender Contender, int Round)
{
    /// <summary>Makes it and says so.</summary>
    /// <param name="start">Gives the server, started and warmed up as it has to be.</param>
    /// <returns>False: the server was not able to do it.</returns>
    public bool Make(Func<MeasuredServer> start)
    {
        var began = Stopwatch.GetTimestamp();
        double[]? values = null;
        string outcome;
        try
        {
            values = Measurement.Measure(Contender, start());
            outcome = Report.Describe(Measurement, values);
        }
        catch (Exception e) when (e is TimeoutException or IOException or InvalidDataException or System.Net.Sockets.SocketException)
        {
            outcome = e.Message;
        }

        Report.Add(Measurement, Contender, values);
        Console.Error.WriteLine(
            $"round {Round}, {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s: {Measurement.Title} | {Contender.Name} | {outcome}");
        return values is not null;
    }
}
