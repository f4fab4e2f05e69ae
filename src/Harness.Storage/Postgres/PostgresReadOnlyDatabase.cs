using System.Data.Common;
using Harness.Executions;
using Harness.Storage.Writing;
using Npgsql;

namespace Harness.Storage.Postgres;

/// <summary>The same schema for reading only.</summary>
internal sealed class PostgresReadOnlyDatabase(StoreOptions options, StoreAddress address) : IStoreDatabase
{
    private readonly NpgsqlDataSource _readers = address.Connections(options, isPooled: true);

    public WriteQueue? Writes => null;

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await ConnectAsync(cancellationToken);
            await StoreSchema.Of("Postgres").CheckAsync(connection, PostgresDatabase.Tables, address.Place, cancellationToken);
        }
        catch (NpgsqlException error)
        {
            throw Explain(error);
        }
    }

    public async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellationToken) =>
        await _readers.OpenConnectionAsync(cancellationToken);

    public StoreException Explain(Exception error) => PostgresErrors.Explain(error, address);

    // The others in the pool were lost with it.
    public bool IsLostConnection(Exception error)
    {
        if (!PostgresErrors.IsLost(error))
        {
            return false;
        }

        _readers.Clear();
        return true;
    }

    public Task GiveBackAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => _readers.DisposeAsync();
}
