namespace Harness.Storage.Tests;

/// <summary>The contract on SQLite.</summary>
public sealed class SqliteStoreTests : ExecutionStoreContract, IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    protected override StoreOptions NewOptions() => _folder.NewOptions();
}
