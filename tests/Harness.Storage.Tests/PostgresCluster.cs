using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Harness.Storage.Tests;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresCluster))]

namespace Harness.Storage.Tests;

/// <summary>
/// A PostgreSQL of the tests' own, made when the first test asks for it. A machine without PostgreSQL skips; CI (HARNESS_REQUIRE_CLIENTS=1)
/// does not.
/// </summary>
public sealed class PostgresCluster : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"harness-postgres-{Guid.NewGuid():N}");
    private readonly Lazy<string?> _programs = new(FindPrograms);
    private readonly Lock _gate = new();
    private int _port;
    private int _schemas;

    /// <summary>A connection string to a schema that no other test uses.</summary>
    public string NewSchema()
    {
        Start();
        return $"{ConnectionString};Search Path=test{Interlocked.Increment(ref _schemas)}";
    }

    /// <summary>Options for a store that no other test uses.</summary>
    public StoreOptions NewOptions() => new() { ConnectionString = NewSchema() };

    /// <summary>Runs a statement as the owner of everything.</summary>
    public async Task ExecuteAsync(string text, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false;Application Name=tests");
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Ends every session of a server, as an administrator would.</summary>
    public Task TerminateConnectionsAsync(CancellationToken cancellationToken) => ExecuteAsync(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'Harness'", cancellationToken);

    /// <summary>Stops it at once, without a shutdown checkpoint, as a crash would.</summary>
    public void Stop() => Control("stop", "-m", "immediate");

    public void Restart() => Control("start", "-w", "-l", Path.Combine(_folder, "log"), "-o", Settings);

    /// <summary>Stands still with all its processes until <see cref="Continue"/>.</summary>
    public void Pause() => Signal("-STOP");

    public void Continue() => Signal("-CONT");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        if (_port != 0)
        {
            Stop();
            Directory.Delete(_folder, recursive: true);
        }

        return ValueTask.CompletedTask;
    }

    private string ConnectionString => $"Host=127.0.0.1;Port={_port};Database=postgres;Username=harness;Password=not-a-secret-word";

    private string Settings => $"-p {_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=on";

    private void Start()
    {
        if (_programs.Value is null)
        {
            const string Reason = "PostgreSQL is not installed (Debian: postgresql)";
            if (Environment.GetEnvironmentVariable("HARNESS_REQUIRE_CLIENTS") == "1")
            {
                Assert.Fail($"HARNESS_REQUIRE_CLIENTS=1, but {Reason}");
            }

            Assert.Skip(Reason);
        }

        lock (_gate)
        {
            if (_port != 0)
            {
                return;
            }

            Run("initdb", "-D", _folder, "-U", "harness", "-A", "trust", "-E", "UTF8", "--locale", "C");
            var port = FreePort();
            _port = port;
            Restart();
        }
    }

    private void Control(params string[] args) => Run("pg_ctl", ["-D", _folder, .. args]);

    private void Signal(string signal)
    {
        var postmaster = int.Parse(File.ReadLines(Path.Combine(_folder, "postmaster.pid")).First(), CultureInfo.InvariantCulture);

        // The first one first: while it stands still it has no new children. Some of its old ones may be ending in this moment.
        Execute("/bin/kill", [signal, $"{postmaster}"]);
        var processes = Directory.GetDirectories("/proc")
            .Where(process => int.TryParse(Path.GetFileName(process), out _) && ParentOf(process) == postmaster)
            .Select(process => Path.GetFileName(process));
        ExitCodeOf("/bin/kill", [signal, .. processes]);
    }

    // "pid (name) state parent …"; a name may have spaces.
    private static int ParentOf(string process)
    {
        try
        {
            var stat = File.ReadAllText(Path.Combine(process, "stat"));
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private void Run(string program, params string[] args)
    {
        // It refuses to run as root.
        var file = Path.Combine(_programs.Value!, program);
        if (Environment.IsPrivilegedProcess)
        {
            Execute("runuser", ["-u", "postgres", "--", file, .. args]);
        }
        else
        {
            Execute(file, args);
        }
    }

    private static void Execute(string file, string[] args)
    {
        var exitCode = ExitCodeOf(file, args);
        Assert.True(exitCode == 0, $"{file} {string.Join(' ', args)} ended with {exitCode}");
    }

    // No pipes: what is started in the background would keep them open.
    private static int ExitCodeOf(string file, string[] args)
    {
        var quiet = new[] { "-c", "exec \"$@\" >/dev/null 2>&1 </dev/null", "sh", file };
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", [.. quiet, .. args]) { WorkingDirectory = Path.GetTempPath() })!;
        process.WaitForExit();
        return process.ExitCode;
    }

    /// <summary>A port for a program that cannot choose one itself; nothing keeps others from it until it listens.</summary>
    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string? FindPrograms()
    {
        string[] folders =
        [
            .. Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(folder => Path.Combine(folder, "bin")) : [],
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator),
        ];
        return folders.FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));
    }
}
