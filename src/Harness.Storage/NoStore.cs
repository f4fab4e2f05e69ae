using Harness.Executions;

namespace Harness.Storage;

/// <summary>Keeps nothing, and says so.</summary>
internal sealed class NoStore : IExecutionStore
{
    public bool IsPersistent => false;

    public Task<StoreOpening> OpenAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new StoreOpening(StoreSchema.NewEpoch(), 0, []));

    public ValueTask AppendAsync(StoreAppend append, CancellationToken cancellationToken) => throw KeepsNothing();

    public ValueTask<IReadOnlyList<StoredFrames>> ReadAsync(long execution, long from, int maxBytes, CancellationToken cancellationToken) =>
        throw KeepsNothing();

    public ValueTask<IReadOnlyList<StoredFrames>> ReadBackwardAsync(
        long execution, long before, int maxBytes, CancellationToken cancellationToken) => throw KeepsNothing();

    public ValueTask<StoredExecution?> FindAsync(string id, CancellationToken cancellationToken) => throw KeepsNothing();

    public ValueTask<StoredExecution?> FindByKeyAsync(string key, CancellationToken cancellationToken) => throw KeepsNothing();

    public ValueTask<IReadOnlyList<StoredExecution>> ListAsync(
        ExecutionFilter filter, long before, int limit, CancellationToken cancellationToken) => throw KeepsNothing();

    public ValueTask<bool> DeleteAsync(long execution, CancellationToken cancellationToken) => throw KeepsNothing();

    public ValueTask<SweepOutcome> SweepAsync(RetentionRule rule, CancellationToken cancellationToken) => throw KeepsNothing();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static NotSupportedException KeepsNothing() => new("Nothing is kept here");
}
