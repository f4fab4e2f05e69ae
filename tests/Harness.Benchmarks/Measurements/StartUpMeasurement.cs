using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Harness.Benchmarks.Transports;

namespace Harness.Benchmarks.Measurements;

/// <summary>How long a process takes until it is of use: to print its help, and to answer its first request.</summary>
internal static class StartUpMeasurement
{
    /// <summary>What <c>--only</c> calls it.</summary>
    public const string Work = "start-up";

    private const int Repetitions = 10;
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    /// <summary>Measures, in turn.</summary>
    /// <param name="executable">The command line that is Harness.</param>
    /// <param name="scale">How much is done.</param>
    /// <returns>A table.</returns>
    public static string Run(IReadOnlyList<string> executable, Scale scale)
    {
        var (help, health) = (new List<double>(), new List<double>());
        for (var i = 0; i < scale.Count(Repetitions); i++)
        {
            help.Add(MeasureHelp(executable));
            health.Add(MeasureHealth(executable));
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"start-up: help {help[^1]:0} ms, health {health[^1]:0} ms"));
        }

        return $"""
            **Start-up**

            | | ms |
            |---|---|
            | `harness --help` | {Report.Spread(help, "0")} |
            | start to the first 200 of `/health` | {Report.Spread(health, "0")} |

            """;
    }

    private static double MeasureHelp(IReadOnlyList<string> executable)
    {
        var began = Stopwatch.GetTimestamp();
        using var process = MeasuredServer.Launch([.. executable, "--help"], port: 0);
        return process.WaitForExit(TimeLimit) && process.ExitCode == 0
            ? Stopwatch.GetElapsedTime(began).TotalMilliseconds
            : throw new InvalidOperationException($"{executable[^1]} --help did not end well");
    }

    private static double MeasureHealth(IReadOnlyList<string> executable)
    {
        var port = MeasuredServer.FreePort();
        var began = Stopwatch.GetTimestamp();
        using var process = MeasuredServer.Launch([.. executable, "server", "--port", "{port}", "--memory"], port);
        try
        {
            while (!IsHealthy(port))
            {
                if (process.HasExited || Stopwatch.GetElapsedTime(began) > TimeLimit)
                {
                    throw new InvalidOperationException($"{executable[^1]} does not serve");
                }

                Thread.Sleep(1);
            }

            return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
    }

    private static bool IsHealthy(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(IPAddress.Loopback, port);
            socket.Send("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"u8);
            var answer = new byte[256];
            return answer.AsSpan(0, socket.Receive(answer)).StartsWith("HTTP/1.1 200"u8);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
