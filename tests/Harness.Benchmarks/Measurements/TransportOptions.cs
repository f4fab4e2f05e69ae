namespace Harness.Benchmarks.Measurements;

/// <summary>The words behind <c>transports</c>.</summary>
internal sealed class TransportOptions
{
    /// <summary>What <c>--help</c> says.</summary>
    public const string Help = """
        Delivery over real sockets: server processes of Harness and of rivals in turn, over loopback, in one run.

          dotnet run -c Release --project tests/Harness.Benchmarks -- transports [options]

          --only WORKS          Some of them, with commas, such as W1,W4,warm-up [default: all]. W1 to W4 are also measured through the web
                                server's stream, as with TLS or HTTP/2, W1 and W2 beside what the machine allows (ready blocks)
                                  W1  one run, 1 socket; lines as UTF-8 and as strings
                                  W2  one run, 100 and 1,000 sockets
                                  W3  1,000 runs at once, 1 socket each; lines as UTF-8 and as strings
                                  W4  1,000 lines a second to 1, 100 and 1,000 sockets
                                  W5  10,000 idle sockets
                                  W6  a slow and a stopped reader beside a fast one
                                  W7  execute to first frame, cancel to answer and to result
                                  W8  server-sent events and SignalR beside /ws, on W1 and W2
                                  warm-up   the first 500,000 lines of a new process
                                  start-up  harness --help, and from the start to the first answer
          --rounds N            How often all is done [default: 3]
          --contenders NAMES    Those whose names begin so, with commas, such as Harness,Bun [default: all]
          --harness PATH        The executable or assembly of Harness to measure [default: the one built with this program]
          --data DIR            Also Harness with SQLite in this folder
          --postgres CONNECTION Also Harness with PostgreSQL
          --rivals DIR          The folder in which the rivals' packages are installed:
                                  cp tests/Harness.Benchmarks/rivals/{package*.json,.npmrc} DIR && npm ci --prefix DIR
          --plot FILE           Draw rates and latencies too, as SVG; folders that are not there are made
          --quick               One round of everything, too small to mean anything: shows that it works, and ends with 1 if something does not
          --help                This

        Prints Markdown: the median of the rounds with the least and the most. Where it is, it says on the standard error.
        """;

    private readonly GivenOptions _given;

    /// <summary>Reads them.</summary>
    /// <exception cref="OptionException">One is not known, or has no value.</exception>
    public TransportOptions(IReadOnlyList<string> args)
    {
        _given = new GivenOptions(args, ["--only", "--rounds", "--contenders", "--harness", "--data", "--postgres", "--rivals", "--plot"], "--quick");
        Rounds = IsQuick ? 1 : _given.Rounds(usual: 3);
        Plot = _given.Value("--plot") is { } file ? Writable(file) : null;
        if (Rivals is { } folder && !Directory.Exists(folder))
        {
            throw new OptionException($"--rivals {folder}: there is no such folder.");
        }
    }

    public int Rounds { get; }

    public bool IsQuick => _given.Has("--quick");

    public bool WantsHelp => _given.WantsHelp;

    public string? Data => _given.Value("--data");

    public string? Postgres => _given.Value("--postgres");

    public string? Rivals => _given.Value("--rivals");

    public string? Plot { get; }

    /// <summary>The command line that is Harness.</summary>
    public IReadOnlyList<string> Executable => _given.Value("--harness") switch
    {
        null => [Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Harness.Cli.exe" : "Harness.Cli")],
        var path when path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) => ["dotnet", path],
        var path => [path],
    };

    /// <summary>Whether <c>--only</c> allows a work.</summary>
    public bool Wants(string work) => Allows("--only", work);

    /// <summary>Whether <c>--contenders</c> allows one.</summary>
    public bool WantsContender(string name) => Allows("--contenders", name);

    /// <summary>A file that can be written into: this shows now, and not when all has been measured.</summary>
    private static string Writable(string file)
    {
        try
        {
            var path = Path.GetFullPath(file);
            Directory.CreateDirectory(Path.GetDirectoryName(path) ?? path);
            using var opened = File.Open(path, FileMode.OpenOrCreate, FileAccess.Write);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new OptionException($"--plot {file}: {e.Message}");
        }
    }

    private bool Allows(string list, string name) =>
        _given.Value(list) is not { } wanted || wanted.Split(',', StringSplitOptions.TrimEntries).Any(
            word => name.StartsWith(word, StringComparison.OrdinalIgnoreCase));
}
