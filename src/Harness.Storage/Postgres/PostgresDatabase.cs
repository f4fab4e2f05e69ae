using System.Data.Common;
using Harness.Executions;
using Harness.Storage.Writing;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Harness.Storage.Postgres;

/// <summary>A schema in a PostgreSQL database, in the possession of one server.</summary>
internal sealed class PostgresDatabase : IStoreDatabase
{
    /// <summary>Lists the tables of the schema.</summary>
    public const string Tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()";

    private readonly StoreAddress _address;
    private readonly NpgsqlDataSource _readers;
    private readonly PostgresSession _session;
    private readonly PostgresWriter _writer;

    public PostgresDatabase(StoreOptions options, StoreAddress address, ILogger logger, TimeProvider time, StoreSchema? schema = null)
    {
        _address = address;
        _readers = address.Connections(options, isPooled: true);
        _session = new PostgresSession(options, address, schema ?? StoreSchema.Of("Postgres"), logger, time);
        Writes = new WriteQueue(options.Durability == StoreDurability.None);
        _writer = new PostgresWriter(Writes, _session, address);
    }

    public WriteQueue Writes { get; }

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await _session.OpenAsync(cancellationToken);
        _writer.Start();
    }

    public async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellationToken) =>
        await _readers.OpenConnectionAsync(cancellationToken);

    public StoreException Explain(Exception error) => PostgresErrors.Explain(error, _address);

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

    // Autovacuum does.
    public Task GiveBackAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        Writes.Close();
        await _writer.DisposeAsync();
        await _session.DisposeAsync();
        await _readers.DisposeAsync();
        Writes.Dispose();
    }
}
