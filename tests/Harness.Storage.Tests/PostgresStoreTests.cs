namespace Harness.Storage.Tests;

/// <summary>The contract on PostgreSQL.</summary>
[Collection(PostgresTests.Collection)]
public sealed class PostgresStoreTests(PostgresCluster cluster) : ExecutionStoreContract
{
    protected override StoreOptions NewOptions() => cluster.NewOptions();
}
