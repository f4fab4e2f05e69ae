using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;

namespace Harness.Benchmarks.Transports;

/// <summary>A server process under measurement, on the first core where the system can be told so.</summary>
internal sealed class MeasuredServer : IDisposable
{
    private const string NodeServer = "node-ws.mjs";

    private readonly Process _process;

    private MeasuredServer(string name, Process process, int port, bool isHub) => (Name, _process, Port, IsHub) = (name, process, port, isHub);

    public string Name { get; }

    public int Port { get; }

    /// <summary>Whether it is spoken to as a SignalR hub.</summary>
    public bool IsHub { get; }

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

    /// <summary>Harness itself, with arguments that name a store.</summary>
    public static Task<MeasuredServer> HarnessAsync(string name, params string[] store) => StartAsync(name, isHub: false, port =>
        ["dotnet", Path.Combine(AppContext.BaseDirectory, "Harness.Cli.dll"), "server", "--port", port, "--synthetic", .. store]);

    /// <summary>What one writes with ASP.NET in an afternoon (<see cref="NaiveServer"/>).</summary>
    public static Task<MeasuredServer> NaiveAsync(string name, bool isHub) => StartAsync(name, isHub, port =>
        ["dotnet", Assembly.GetExecutingAssembly().Location, "naive", port]);

    /// <summary>Node with the package ws, each line encoded and framed once.</summary>
    /// <param name="folder">The one that has <c>node_modules/ws</c>.</param>
    public static Task<MeasuredServer> NodeAsync(string folder) => StartAsync("Node ws", isHub: false, port =>
        ["node", Path.Combine(AppContext.BaseDirectory, "Transports", NodeServer), port, Path.GetFullPath(folder)]);

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private static async Task<MeasuredServer> StartAsync(string name, bool isHub, Func<string, string[]> commandOf)
    {
        var port = FreePort();
        var command = commandOf(port.ToString(CultureInfo.InvariantCulture));
        if (OperatingSystem.IsLinux() && Environment.ProcessorCount > 1)
        {
            command = ["taskset", "-c", "0", .. command];
        }

        var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        for (var since = Stopwatch.StartNew(); ;)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return new MeasuredServer(name, process, port, isHub);
            }
            catch (SocketException) when (!process.HasExited && since.Elapsed < TimeSpan.FromSeconds(30))
            {
                await Task.Delay(100);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
