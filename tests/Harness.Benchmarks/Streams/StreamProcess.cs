using System.Diagnostics;
using System.Net;

namespace Harness.Benchmarks.Streams;

/// <summary>The server in a process of its own, on the first core where there are two and the system can be told so.</summary>
internal sealed class StreamProcess : IDisposable
{
    private readonly Process _process;

    private StreamProcess(Process process, IPEndPoint address) => (_process, Address) = (process, address);

    public IPEndPoint Address { get; }

    /// <summary>Processor time so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Memory of the process, in MiB.</summary>
    public double Memory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1024d / 1024;
        }
    }

    public static async Task<StreamProcess> StartAsync(CancellationToken stop)
    {
        // Where the program runs as a library of dotnet, that is what to start.
        string[] command = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? [Environment.ProcessPath!, typeof(StreamProcess).Assembly.Location, StreamServer.Command]
            : [Environment.ProcessPath!, StreamServer.Command];
        if (OperatingSystem.IsLinux() && Environment.ProcessorCount > 1)
        {
            command = ["taskset", "-c", "0", .. command];
        }

        var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
        try
        {
            while (await process.StandardOutput.ReadLineAsync(stop) is { } line)
            {
                if (line.StartsWith("listening ", StringComparison.Ordinal))
                {
                    _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
                    var uri = new Uri(line["listening ".Length..]);
                    return new StreamProcess(process, new IPEndPoint(IPAddress.Parse(uri.Host), uri.Port));
                }
            }

            throw new InvalidOperationException("The server did not start");
        }
        catch
        {
            process.Kill();
            throw;
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
