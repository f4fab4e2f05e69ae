using Harness.Storage.Writing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Harness.Storage.Sqlite;

/// <summary>The thread that writes: SQLite has one writer, and its calls block.</summary>
internal sealed partial class SqliteWriter : IAsyncDisposable
{
    /// <summary>For an item that is alone: the write-ahead log gives its room back, if there is room to empty it.</summary>
    public static readonly SqlText EmptyLog = new("PRAGMA wal_checkpoint(TRUNCATE)");

    private static readonly SqlText Commit = new("COMMIT");

    private readonly SqliteDatabase _database;
    private readonly SqliteReserve _reserve;
    private readonly ILogger _logger;
    private readonly SqliteCheckpoints _checkpoints;
    private readonly Dictionary<SqlText, SqliteStatement> _statements = new(ReferenceEqualityComparer.Instance);
    private readonly StretchBuffer _stretches = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SqliteConnection? _connection;
    private SqliteCommand? _begin;

    public SqliteWriter(SqliteDatabase database, SqliteConnection connection, SqliteReserve reserve, ILogger logger)
    {
        _reserve = reserve;
        _database = database;
        _connection = connection;
        _logger = logger;
        _checkpoints = new SqliteCheckpoints(database, logger);
        new Thread(Run) { IsBackground = true, Name = "Harness store" }.Start();
    }

    /// <summary>Has the write-ahead log emptied soon.</summary>
    public void AskForCheckpoint() => _checkpoints.Ask();

    public async ValueTask DisposeAsync()
    {
        await _ended.Task;
        await _checkpoints.DisposeAsync();
        Disconnect();
    }

    private void Run()
    {
        var group = new List<WriteItem>();
        while (_database.Writes.Take(group))
        {
            if (!TryWrite(group) && group.Count > 1)
            {
                // One of them is to blame, and the others are not to fail with it.
                var one = new List<WriteItem>(1);
                foreach (var item in group)
                {
                    one.Clear();
                    one.Add(item);
                    TryWrite(one);
                }
            }

            _checkpoints.Pace(_connection);
        }

        _ended.SetResult();
    }

    /// <summary>Writes a group in one transaction. False: nothing is kept; a single item has been told so.</summary>
    private bool TryWrite(List<WriteItem> group)
    {
        group.RemoveAll(_database.Writes.FailsAfterLoss);
        group.RemoveAll(FailsWithoutRoom);
        try
        {
            try
            {
                Write(group);
            }
            catch (SqliteException error) when (SqliteErrors.IsFull(error) && group is [{ Execution: 0 }])
            {
                WriteWithoutRoom(group, error);
            }
        }
        catch (Exception error)
        {
            // Whatever it is: those that wait are told, and the next ones are written.
            Recover(error);
            if (group.Count == 1)
            {
                _database.Writes.Fail(group[0], _database.Explain(error));
            }

            return false;
        }

        group.ForEach(_database.Writes.Complete);
        return true;
    }

    private void Write(List<WriteItem> group)
    {
        if (group is [{ IsAlone: true }])
        {
            _connection ??= _database.Connect(_database.File);
            group[0].Calls.ToList().ForEach(Maintain);
        }
        else if (group.Exists(item => item.Calls.Count > 0))
        {
            Transact(group);
        }
    }

    // What deletes makes room, and gets what there is: that of the log, if it can be emptied, and then the reserve.
    private void WriteWithoutRoom(List<WriteItem> group, SqliteException error)
    {
        Recover(error);
        try
        {
            MakeRoom();
            Write(group);
        }
        catch (SqliteException again) when (SqliteErrors.IsFull(again) && _reserve.Release())
        {
            Recover(again);
            MakeRoom();
            Write(group);
        }
    }

    // Begun without the room to end it, emptying the log would use up what is left, for nothing.
    private void MakeRoom()
    {
        _connection ??= _database.Connect(_database.File);
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        if ((long)command.ExecuteScalar()! - new FileInfo(_database.File).Length <= _reserve.Free())
        {
            _checkpoints.Truncate(_connection);
        }
    }

    // Else what runs would take the room that is there to delete with.
    private bool FailsWithoutRoom(WriteItem item)
    {
        if (!item.NeedsRoom || !_reserve.IsOut || _reserve.TryMake())
        {
            return false;
        }

        _database.Writes.Fail(item, SqliteErrors.FullDisk(_database.File, _reserve.Problem));
        return true;
    }

    private void Transact(List<WriteItem> group)
    {
        _connection ??= _database.Connect(_database.File);
        Begin(_connection);
        var saved = _stretches.Saved;
        foreach (var item in group)
        {
            foreach (var call in item.Calls)
            {
                StatementOf(call.Sql).Run(call.Values);
            }

            _checkpoints.CountAppend(item.Bytes);
        }

        StatementOf(Commit).Run([]);
        _checkpoints.CountSaved(_stretches.Saved - saved);
    }

    // Some pragmas do a part of their work with every row.
    private void Maintain(SqlCall call)
    {
        if (call.Sql == EmptyLog)
        {
            MakeRoom();
            return;
        }

        using var command = _connection!.CreateCommand();
        command.CommandText = call.Sql.Text;
        using var row = command.ExecuteReader();
        while (row.Read())
        {
        }
    }

    // ADO.NET's command waits for whoever else has the file in use, such as SQLite's own shell.
    private void Begin(SqliteConnection connection)
    {
        if (_begin is null)
        {
            _begin = connection.CreateCommand();
            _begin.CommandText = "BEGIN IMMEDIATE";
        }

        _begin.ExecuteNonQuery();
    }

    private SqliteStatement StatementOf(SqlText sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            statement = new SqliteStatement(_connection!, sql, _stretches);
            _statements.Add(sql, statement);
        }

        return statement;
    }

    // After an error of the disk the connection may be in any state: the next group gets a new one.
    private void Recover(Exception error)
    {
        if (_connection is null || !SqliteErrors.IsOfTheItem(error))
        {
            LogReopened(error.Message);
            Disconnect();
            return;
        }

        try
        {
            SqliteDatabase.Execute(_connection, "ROLLBACK");
        }
        catch (SqliteException)
        {
            // It was rolled back already, as after a full disk.
        }
    }

    private void Disconnect()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _statements.Clear();
        _begin?.Dispose();
        _begin = null;
        try
        {
            _connection?.Dispose();
        }
        catch (SqliteException error)
        {
            LogReopened(error.Message);
        }

        _connection = null;
    }

    [LoggerMessage(101, LogLevel.Warning, "The store's connection is opened anew: {Reason}")]
    private partial void LogReopened(string reason);
}
