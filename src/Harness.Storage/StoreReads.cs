using System.Data.Common;
using System.Runtime.CompilerServices;

namespace Harness.Storage;

/// <summary>Queries on connections from the pool.</summary>
internal sealed class StoreReads(IStoreDatabase database)
{
    // What a statement has on PostgreSQL is a share of the time limit: all of it.
    private const int LongFactor = Postgres.StoreAddress.Shares;

    /// <summary>All rows of a query.</summary>
    public Task<List<T>> QueryAsync<T>(SqlCall call, Func<DbDataReader, T> read, CancellationToken cancellationToken) =>
        RunAsync(connection => QueryAsync(connection, call, read, cancellationToken), cancellationToken);

    /// <summary>Work on one connection; a connection that was lost meanwhile is replaced once.</summary>
    public async Task<T> RunAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            try
            {
                return await RunOnceAsync(work, cancellationToken);
            }
            catch (DbException error) when (database.IsLostConnection(error))
            {
                return await RunOnceAsync(work, cancellationToken);
            }
        }
        catch (Exception error) when (error is DbException or IOException or InvalidOperationException or TimeoutException)
        {
            throw database.Explain(error);
        }
    }

    /// <summary>All rows of a query on a connection.</summary>
    public static async Task<List<T>> QueryAsync<T>(
        DbConnection connection, SqlCall call, Func<DbDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        await foreach (var row in EnumerateAsync(connection, call, read, cancellationToken))
        {
            rows.Add(row);
        }

        return rows;
    }

    /// <summary>The rows of a query on a connection, as many as are asked for.</summary>
    public static async IAsyncEnumerable<T> EnumerateAsync<T>(
        DbConnection connection, SqlCall call, Func<DbDataReader, T> read, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = call.Sql.Text;
        command.CommandTimeout *= call.Sql.IsLong ? LongFactor : 1;
        for (var i = 0; i < call.Values.Length; i++)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = call.Sql.Names[i];
            parameter.Value = call.Values[i];
            command.Parameters.Add(parameter);
        }

        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            yield return read(reader);
        }
    }

    private async Task<T> RunOnceAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = await database.ConnectAsync(cancellationToken);
        return await work(connection);
    }
}
