using System.Data.Common;
using Harness.Executions;
using Harness.Storage.Writing;
using Microsoft.Data.Sqlite;

namespace Harness.Storage.Sqlite;

/// <summary>The same file for reading only, with or without a server at work on it.</summary>
internal sealed class SqliteReadOnlyDatabase(StoreOptions options) : IStoreDatabase
{
    private readonly string _file = SqliteDatabase.FileIn(options);
    private bool _hasWriteAheadLog;

    public WriteQueue? Writes => null;

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        if (SqliteDatabase.DescribeMissing(options) is { } missing)
        {
            throw new StoreException(missing);
        }

        try
        {
            _hasWriteAheadLog = SqliteFileCheck.HasWriteAheadLog(_file);
            await using var connection = await ConnectAsync(cancellationToken);
            await StoreSchema.Of("Sqlite").CheckAsync(connection, SqliteDatabase.Tables, _file, cancellationToken);
        }
        catch (Exception error) when (error is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Explain(error);
        }
    }

    // Without a server there is no write-ahead log; then reading must not need the right to write into the folder. A database that never has
    // one does not show who works on it.
    public async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(SqliteFileCheck.ReadOnly(_file, isImmutable: _hasWriteAheadLog && !File.Exists(_file + "-wal")));
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    public StoreException Explain(Exception error) => SqliteErrors.Explain(error, _file);

    public bool IsLostConnection(Exception error) => false;

    public Task GiveBackAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
