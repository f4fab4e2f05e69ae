namespace Harness.Server.Tests.Cli;

/// <summary>Where the sources are, for tests that run what lies beside them.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string File(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!System.IO.File.Exists(Path.Combine(folder.FullName, "Harness.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("No Harness.sln above the tests");
        }

        return folder.FullName;
    }
}
