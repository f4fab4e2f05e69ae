using System.Diagnostics;

namespace Harness.Storage.Tests;

/// <summary>A disk of 3 MiB. Only root can have one; others skip.</summary>
internal sealed class TinyDisk : IDisposable
{
    private TinyDisk(string folder) => Folder = folder;

    public string Folder { get; }

    public static TinyDisk Mount(string folder)
    {
        Directory.CreateDirectory(folder);
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && Run("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder),
            "only root can mount a small disk");
        return new TinyDisk(folder);
    }

    public void Dispose() => Run("umount", "-l", Folder);

    private static bool Run(string file, params string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(file, args) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
