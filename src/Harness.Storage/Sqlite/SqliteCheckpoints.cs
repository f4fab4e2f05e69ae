using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Harness.Storage.Sqlite;

/// <summary>
/// Empties the write-ahead log into the database on a thread and a connection of its own, while the writer goes on. Measured: SQLite's own
/// checkpoints stall the writer 13 ms each at 4 MiB, and 100 ms at 64 MiB.
/// </summary>
internal sealed partial class SqliteCheckpoints : IAsyncDisposable
{
    /// <summary>Growth after which the log is emptied.</summary>
    private const long PassiveBytes = 16L * 1024 * 1024;

    /// <summary>Growth after which the writer waits and does it itself: a disk this slow has to be waited for somewhere.</summary>
    private const long ForcedBytes = 256L * 1024 * 1024;

    // What is left to do when the writer is asked to begin the log anew: it waits for so much.
    private const long RestBytes = 1024 * 1024;
    private const int MaxRounds = 4;

    // Pages that a small append changes beside its blobs: rows, their indexes.
    private const int PagesPerItem = 4;
    private const int PageBytes = 8192;

    private readonly SqliteDatabase _database;
    private readonly ILogger _logger;
    private readonly Lock _checkpointing = new();
    private readonly SemaphoreSlim _bell = new(0);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _grown;
    private long _asked;
    private volatile bool _stopping;
    private volatile bool _restart;

    public SqliteCheckpoints(SqliteDatabase database, ILogger logger)
    {
        _database = database;
        _logger = logger;
        new Thread(Run) { IsBackground = true, Name = "Harness store checkpoints", Priority = ThreadPriority.BelowNormal }.Start();
    }

    /// <summary>For the writer: an append of so many bytes has gone into the log.</summary>
    public void CountAppend(long bytes) => _grown += bytes + PagesPerItem * PageBytes;

    /// <summary>For the writer: so many bytes less than that.</summary>
    public void CountSaved(long bytes) => _grown -= bytes;

    /// <summary>For the writer, between two transactions.</summary>
    public void Pace(SqliteConnection? connection)
    {
        if (connection is null)
        {
            return;
        }

        if (_restart || _grown >= ForcedBytes)
        {
            Restart(connection);
        }
        else if (_grown - _asked >= PassiveBytes)
        {
            _asked = _grown;
            _bell.Release();
        }
    }

    /// <summary>Has the log emptied soon, from any thread.</summary>
    public void Ask() => _bell.Release();

    /// <summary>For the writer, between two transactions: empties the log and gives its room back to the disk, as far as there is room for that.</summary>
    public void Truncate(SqliteConnection connection)
    {
        try
        {
            lock (_checkpointing)
            {
                Checkpoint(connection, "TRUNCATE");
            }
        }
        catch (SqliteException error)
        {
            LogFailed(error.Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        _bell.Release();
        await _ended.Task;
    }

    // Begins the log anew, so that its file is used again from the start. A reader that is under way makes it fail: next time, then.
    private void Restart(SqliteConnection connection)
    {
        _restart = false;
        try
        {
            lock (_checkpointing)
            {
                var (isBusy, _, _) = Checkpoint(connection, "RESTART");
                _grown = isBusy ? _grown - Math.Min(_grown, PassiveBytes) : 0;
                _asked = _grown;
            }
        }
        catch (SqliteException error)
        {
            // A full disk, mostly. The log keeps what it has.
            _grown -= Math.Min(_grown, PassiveBytes);
            _asked = _grown;
            LogFailed(error.Message);
        }
    }

    private void Run()
    {
        SqliteConnection? connection = null;
        while (!_stopping)
        {
            _bell.Wait();
            if (_stopping)
            {
                break;
            }

            try
            {
                connection ??= _database.Connect(_database.File);
                lock (_checkpointing)
                {
                    CatchUp(connection);
                }

                _restart = true;
                _ = _database.Writes.FlushAsync(CancellationToken.None).ContinueWith(static task => _ = task.Exception, TaskScheduler.Default);
            }
            catch (Exception error) when (error is SqliteException or Harness.Executions.StoreException)
            {
                LogFailed(error.Message);
                connection?.Dispose();
                connection = null;
            }
        }

        connection?.Dispose();
        _ended.SetResult();
    }

    // The writer goes on meanwhile: again, until little is left for it to wait for.
    private static void CatchUp(SqliteConnection connection)
    {
        for (var round = 0; round < MaxRounds; round++)
        {
            var (isBusy, pages, done) = Checkpoint(connection, "PASSIVE");
            if (isBusy || (pages - done) * PageBytes <= RestBytes)
            {
                return;
            }
        }
    }

    private static (bool IsBusy, long Pages, long Done) Checkpoint(SqliteConnection connection, string mode)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"PRAGMA wal_checkpoint({mode})";
        using var row = command.ExecuteReader();
        return row.Read() ? (row.GetInt64(0) != 0, row.GetInt64(1), row.GetInt64(2)) : (true, 0, 0);
    }

    [LoggerMessage(102, LogLevel.Warning, "The store's write-ahead log could not be emptied and grows until it can: {Reason}")]
    private partial void LogFailed(string reason);
}
