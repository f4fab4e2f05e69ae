using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Harness.Benchmarks.Transports;

/// <summary>A server process under measurement, on the first core where the system can be told so.</summary>
internal sealed class MeasuredServer : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private MeasuredServer(string name, Process process, int port) => (Name, _process, Port) = (name, process, port);

    public string Name { get; }

    public int Port { get; }

    /// <summary>Processor time so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Memory of the process, in bytes.</summary>
    public long Memory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts a server and waits until it listens.</summary>
    /// <param name="name">What tables call it.</param>
    /// <param name="command">Its command line; <c>{port}</c> is the port it shall listen on.</param>
    public static MeasuredServer Start(string name, IReadOnlyList<string> command)
    {
        var port = FreePort();
        var process = Launch(command, port);
        for (var since = Stopwatch.StartNew(); ;)
        {
            try
            {
                using var probe = new TcpClient();
                probe.Connect(IPAddress.Loopback, port);
                return new MeasuredServer(name, process, port);
            }
            catch (SocketException) when (!process.HasExited && since.Elapsed < StartLimit)
            {
                Thread.Sleep(20);
            }
        }
    }

    /// <summary>Starts a process on the first core; what it says is not read.</summary>
    public static Process Launch(IReadOnlyList<string> command, int port)
    {
        string[] prefix = OperatingSystem.IsLinux() && Environment.ProcessorCount > 1 ? ["taskset", "-c", "0"] : [];
        string[] line = [.. prefix, .. command.Select(word => word.Replace("{port}", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal))];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };

        // The default is 10,000 connections, and idle ones are counted beside a few that came before.
        start.Environment["Harness__Server__MaxConnections"] = "20000";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>A port nobody listens on.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }
}
