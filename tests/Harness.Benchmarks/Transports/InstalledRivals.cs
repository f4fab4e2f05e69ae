using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Harness.Benchmarks.Measurements;

namespace Harness.Benchmarks.Transports;

/// <summary>Rivals in other languages. One that is not installed is passed over, and that is said.</summary>
internal static class InstalledRivals
{
    private static readonly string[] Works = ["W1", "W2", "W3", "W4", "W5", "W7", "warm-up"];
    private static readonly string[] Pythons = ["/usr/bin/python3", "python3"];

    /// <summary>Those that can be measured here.</summary>
    public static IEnumerable<Contender> All(TransportOptions options) =>
        ((Contender?[])[
            OfNode("Node ws", "ws", "ws.mjs", options, () => new SocketProtocol()),
            OfNode("Node, ready frames", "ws", "ready-frames.mjs", options, () => new SocketProtocol()),
            OfNode("Socket.IO", "socket.io", "socket-io.mjs", options, () => new SocketIoProtocol()),
            OfBun("Bun", "publish", options),
            OfBun("Bun, send", "send", options),
            OfPython(),
        ]).OfType<Contender>();

    private static Contender? OfNode(string name, string package, string script, TransportOptions options, Func<ILoadProtocol> protocol) =>
        VersionOf(package, options) is { } version && Answer("node", "--version") is not null
            ? new($"{name} {version}", ["node", PathOf(script), "{port}", Path.GetFullPath(options.Rivals!)], protocol, Works)
            : Skip(name, $"needs Node and, in the folder --rivals names, the package {package}");

    // uWebSockets in C++, under Bun.
    private static Contender? OfBun(string name, string way, TransportOptions options)
    {
        var bun = Path.Combine(Path.GetFullPath(options.Rivals ?? "."), "node_modules", ".bin", "bun");
        return VersionOf("bun", options) is not null && Answer(bun, "--version") is { } version
            ? new($"{name} {version}", [bun, PathOf("bun.mjs"), "{port}", way], () => new SocketProtocol(), Works)
            : Skip(name, "needs, in the folder --rivals names, the package bun with its executable");
    }

    private static Contender? OfPython()
    {
        foreach (var python in Pythons)
        {
            if (Answer(python, "-c", "import websockets; print(websockets.__version__)") is { } version)
            {
                return new($"Python websockets {version}", [python, PathOf("broadcast.py"), "{port}"], () => new SocketProtocol(), Works);
            }
        }

        return Skip("Python websockets", "needs Python with the package websockets");
    }

    private static Contender? Skip(string name, string reason)
    {
        Console.Error.WriteLine($"{name} is not measured: it {reason}");
        return null;
    }

    private static string? VersionOf(string package, TransportOptions options)
    {
        var description = Path.Combine(options.Rivals ?? ".", "node_modules", package, "package.json");
        return options.Rivals is not null && File.Exists(description)
            ? JsonElement.Parse(File.ReadAllBytes(description)).GetProperty("version").GetString()
            : null;
    }

    private static string PathOf(string script) => Path.Combine(AppContext.BaseDirectory, "rivals", script);

    private static string? Answer(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var answer = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? answer : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
