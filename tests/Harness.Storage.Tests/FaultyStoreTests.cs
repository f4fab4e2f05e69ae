using Harness.Executions;

namespace Harness.Storage.Tests;

/// <summary>The store that fails for tests fails as it is told.</summary>
public sealed class FaultyStoreTests : IDisposable
{
    private readonly DataFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task FailsStandsStillAndHeals()
    {
        var (sqlite, _) = await Appends.OpenAsync(_folder.NewOptions(), Stop);
        await using var store = new FaultyStore(sqlite);
        var full = new StoreException("full");

        store.FailAppends(full, times: 2);
        await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(Appends.Whole(Appends.Execution(1)), Stop).AsTask());
        store.FailAppends(full, times: 1, keepsFirst: true);
        await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(Appends.Whole(Appends.Execution(1)), Stop).AsTask());
        Assert.NotNull(await store.FindAsync("exec-1", Stop));

        store.FailReads(full);
        await Assert.ThrowsAsync<StoreException>(() => store.FindAsync("exec-1", Stop).AsTask());
        store.Heal();
        store.Block();
        var blocked = store.AppendAsync(Appends.Whole(Appends.Execution(2)), Stop).AsTask();
        Assert.False(blocked.IsCompleted);
        store.Release();
        await blocked;
    }
}
