namespace Harness.Executions;

/// <summary>Keeps nothing: memory is all there is, and what is in it is gone with the process.</summary>
public sealed class MemoryOnlyStore : IExecutionStore
{
    /// <inheritdoc/>
    public bool IsPersistent => false;

    /// <inheritdoc/>
    public Task<StoreOpening> OpenAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new StoreOpening(LogEpoch.New(), LastNumber: 0, Unfinished: []));

    /// <inheritdoc/>
    public ValueTask AppendAsync(StoreAppend append, CancellationToken cancellationToken) => throw KeepsNothing();

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredFrames>> ReadAsync(long execution, long from, int maxBytes, CancellationToken cancellationToken) =>
        throw KeepsNothing();

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredFrames>> ReadBackwardAsync(
        long execution, long before, int maxBytes, CancellationToken cancellationToken) => throw KeepsNothing();

    /// <inheritdoc/>
    public ValueTask<StoredExecution?> FindAsync(string id, CancellationToken cancellationToken) => throw KeepsNothing();

    /// <inheritdoc/>
    public ValueTask<StoredExecution?> FindByKeyAsync(string key, CancellationToken cancellationToken) => throw KeepsNothing();

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoredExecution>> ListAsync(
        ExecutionFilter filter, long before, int limit, CancellationToken cancellationToken) => throw KeepsNothing();

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(long execution, CancellationToken cancellationToken) => throw KeepsNothing();

    /// <inheritdoc/>
    public ValueTask<SweepOutcome> SweepAsync(RetentionRule rule, CancellationToken cancellationToken) => throw KeepsNothing();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static NotSupportedException KeepsNothing() => new("There is no store");
}
