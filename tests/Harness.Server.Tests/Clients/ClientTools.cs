using System.Diagnostics;
using Harness.Server.Tests.Cli;

namespace Harness.Server.Tests.Clients;

/// <summary>What clients are written in, where it is installed. A machine with only the SDK skips; CI (HARNESS_REQUIRE_CLIENTS=1) does not.</summary>
internal static class ClientTools
{
    private static string ClientsFolder => Repository.File("tests", "clients");

    /// <summary>Node with the packages of tests/clients.</summary>
    public static string Node()
    {
        Require(CanRun("node", "--version"), "Node is not installed");
        Require(Directory.Exists(Path.Combine(ClientsFolder, "node_modules", "ws")), "tests/clients has no packages; run: npm ci --prefix tests/clients");
        return "node";
    }

    /// <summary>A Python with the package <c>websockets</c>.</summary>
    public static string PythonWithWebSockets()
    {
        var python = new[] { "/usr/bin/python3", "python3" }.FirstOrDefault(python => CanRun(python, "-c", "import websockets"));
        Require(python is not null, "there is no Python with the package websockets (Debian: python3-websockets)");
        return python!;
    }

    public static string Python()
    {
        Require(CanRun("python3", "--version"), "Python is not installed");
        return "python3";
    }

    /// <summary>Node with its packages, and a Chromium for it to drive.</summary>
    public static string NodeWithChromium()
    {
        var node = Node();
        Require(CanRun("chromium", "--version"), "Chromium is not installed");
        return node;
    }

    public static string Curl()
    {
        Require(CanRun("curl", "--version") && CanRun("bash", "--version"), "curl is not installed");
        return "bash";
    }

    public static string Nginx()
    {
        // Where those who are not root have no path to.
        var nginx = new[] { "/usr/sbin/nginx", "nginx" }.FirstOrDefault(nginx => CanRun(nginx, "-v"));
        Require(nginx is not null, "nginx is not installed (Debian: nginx)");
        return nginx!;
    }

    public static string ClientFile(string name) => Path.Combine(ClientsFolder, name);

    private static void Require(bool isThere, string reason)
    {
        if (!isThere && Environment.GetEnvironmentVariable("HARNESS_REQUIRE_CLIENTS") == "1")
        {
            Assert.Fail($"HARNESS_REQUIRE_CLIENTS=1, but {reason}");
        }

        Assert.SkipUnless(isThere, reason);
    }

    private static bool CanRun(string file, params string[] args)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(file, args) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
