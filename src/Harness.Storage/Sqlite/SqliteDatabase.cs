using System.Data.Common;
using Harness.Executions;
using Harness.Storage.Writing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Harness.Storage.Sqlite;

/// <summary>One file in one folder, in the possession of one server.</summary>
internal sealed partial class SqliteDatabase : IStoreDatabase
{
    /// <summary>Lists the tables of a database.</summary>
    public const string Tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";

    private const string FileName = "harness.db";

    // Made beside and renamed when it is whole, so that an empty file is always a damaged one.
    private const string NewName = "harness.new";

    // What may stay free of what was deleted: pages in any case, and a share of those that are used.
    private const long LeastFreePages = 1024;
    private const long ShareOfFree = 8;

    private readonly StoreOptions _options;
    private readonly ILogger _logger;
    private readonly StoreSchema _schema;
    private readonly string _folder;
    private readonly string _readers;
    private readonly SqliteReserve _reserve;
    private FolderLock? _lock;
    private SqliteWriter? _writer;

    public SqliteDatabase(StoreOptions options, ILogger logger, StoreSchema? schema = null, long reserveBytes = SqliteReserve.UsualBytes)
    {
        _options = options;
        _logger = logger;
        _schema = schema ?? StoreSchema.Of("Sqlite");
        _folder = Path.GetFullPath(options.Data);
        File = FileIn(options);
        _reserve = new SqliteReserve(_folder, reserveBytes, logger);
        _readers = new SqliteConnectionStringBuilder
        {
            DataSource = File,
            Mode = SqliteOpenMode.ReadOnly,
            DefaultTimeout = Seconds(options),
        }.ToString();
        Writes = new WriteQueue(options.Durability == StoreDurability.None);
    }

    public WriteQueue Writes { get; }

    /// <summary>The database itself; its write-ahead log lies beside it.</summary>
    public string File { get; }

    public static string FileIn(StoreOptions options) => Path.Combine(Path.GetFullPath(options.Data), FileName);

    /// <summary>Why there is nothing to open; null when the file is there.</summary>
    public static string? DescribeMissing(StoreOptions options) => System.IO.File.Exists(FileIn(options))
        ? null
        : $"There is no store in {Path.GetFullPath(options.Data)}: no file {FileName}; name the server's folder with --data, "
            + "or ask the server itself with --server URL";

    // Everything here works on the disk, on the thread that calls.
    public Task OpenAsync(CancellationToken cancellationToken) => Task.Run(() => OpenNowAsync(cancellationToken), cancellationToken);

    public async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(_readers);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    public string? Problem => _reserve.Problem;

    public StoreException Explain(Exception error) => SqliteErrors.Explain(error, File);

    public bool IsLostConnection(Exception error) => false;

    public async Task GiveBackAsync(CancellationToken cancellationToken)
    {
        try
        {
            await VacuumAsync(cancellationToken);
        }
        catch (Exception error) when (error is StoreException or SqliteException)
        {
            LogNotGivenBack(Explain(error).Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Writes.Close();
        using (var connection = new SqliteConnection(_readers))
        {
            SqliteConnection.ClearPool(connection);
        }

        if (_writer is not null)
        {
            // The last connection: closing it empties the write-ahead log into the database.
            await _writer.DisposeAsync();
        }

        _lock?.Dispose();
        Writes.Dispose();
    }

    /// <summary>A connection to write with.</summary>
    internal SqliteConnection Connect(string file)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = Seconds(_options),
        }.ToString());
        try
        {
            connection.Open();
            var level = _options.Durability switch
            {
                StoreDurability.Full => "FULL",
                StoreDurability.None => "OFF",
                _ => "NORMAL",
            };

            // The write-ahead log is emptied by SqliteCheckpoints: SQLite's own way stalls the writer for as long as it takes. What a statement
            // could have to take back (some deletes have that) stays in memory: it is no more than the pages of one step, and needs no
            // temporary folder.
            Execute(
                connection,
                $"PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = {level}; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; "
                + "PRAGMA temp_store = MEMORY");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    internal static void Execute(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    /// <summary>Readers and the writer work beside each other only with a write-ahead log.</summary>
    /// <exception cref="StoreException">There can be none here.</exception>
    internal static void UseWriteAheadLog(SqliteConnection connection, string file)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        if (command.ExecuteScalar() is not "wal" and var mode)
        {
            throw new StoreException(
                $"{file} cannot have a write-ahead log (SQLite stays in the mode '{mode}'), as on disks of a network; choose a folder on a disk of this "
                + "machine with --data");
        }
    }

    private async Task OpenNowAsync(CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(_folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The folder {_folder} cannot be made ({error.Message}); choose another one with --data", error);
        }

        _lock = FolderLock.Take(_folder, File);
        try
        {
            SqliteConnection connection;
            try
            {
                connection = await OpenFileAsync(cancellationToken);
            }
            catch (Exception error) when (SqliteErrors.IsFull(error) && _reserve.Release())
            {
                // To start is to be able to delete.
                connection = await OpenFileAsync(cancellationToken);
            }

            _reserve.TryMake();
            _writer = new SqliteWriter(this, connection, _reserve, _logger);
        }
        catch (Exception error) when (error is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Explain(error);
        }
        finally
        {
            if (_writer is null)
            {
                _lock.Dispose();
                _lock = null;
            }
        }
    }

    private async Task<SqliteConnection> OpenFileAsync(CancellationToken cancellationToken)
    {
        if (System.IO.File.Exists(File))
        {
            SqliteFileCheck.Check(File);
        }
        else
        {
            await MakeAsync(cancellationToken);
        }

        var connection = Connect(File);
        try
        {
            await _schema.ApplyAsync(connection, Tables, File, cancellationToken);

            // A backup by SQLite's own tools comes back without one.
            UseWriteAheadLog(connection, File);
            Execute(connection, "UPDATE meta SET owner = owner + 1");
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task MakeAsync(CancellationToken cancellationToken)
    {
        var made = Path.Combine(_folder, NewName);
        foreach (var left in new[] { made, made + "-wal", made + "-shm", File + "-shm" })
        {
            System.IO.File.Delete(left);
        }

        if (System.IO.File.Exists(File + "-wal"))
        {
            throw SqliteErrors.Damaged(File, "it is gone, but its write-ahead log is there");
        }

        await using (var connection = Connect(made))
        {
            Execute(connection, "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL");
            UseWriteAheadLog(connection, File);
            await _schema.ApplyAsync(connection, Tables, File, cancellationToken);
        }

        System.IO.File.Move(made, File);
    }

    private async Task VacuumAsync(CancellationToken cancellationToken)
    {
        const long Step = 64;
        var free = await PagesAsync("freelist_count", cancellationToken);
        var used = await PagesAsync("page_count", cancellationToken) - free;

        // What is free is written to again before the file grows: a part of it stays, and a store at its limit need not move pages for what comes next.
        // A full disk gets all of it.
        var stays = _reserve.IsOut ? 0 : Math.Max(LeastFreePages, used / ShareOfFree);
        if (free <= stays)
        {
            return;
        }

        for (; free > stays; free -= Step)
        {
            var call = new SqlCall(new SqlText($"PRAGMA incremental_vacuum({Math.Min(Step, free - stays)})"));
            await Writes.WriteAsync(new WriteItem(0, [call], 0) { IsAlone = true }, cancellationToken);
        }

        // The file gets shorter when the write-ahead log is emptied.
        if (_reserve.IsOut)
        {
            await Writes.WriteAsync(new WriteItem(0, [new SqlCall(SqliteWriter.EmptyLog)], 0) { IsAlone = true }, cancellationToken);
        }
        else
        {
            _writer!.AskForCheckpoint();
        }
    }

    private async Task<long> PagesAsync(string pragma, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(cancellationToken);
        var pages = await StoreReads.QueryAsync(
            connection, new SqlCall(new SqlText($"PRAGMA {pragma}")), row => row.GetInt64(0), cancellationToken);
        return pages[0];
    }

    private static int Seconds(StoreOptions options) => (int)Math.Ceiling(options.RetryTimeLimit.TotalSeconds);

    [LoggerMessage(103, LogLevel.Warning, "Space that was freed could not be given back to the disk; the next sweep that deletes something tries again: {Reason}")]
    private partial void LogNotGivenBack(string reason);
}
