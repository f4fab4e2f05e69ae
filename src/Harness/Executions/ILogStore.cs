namespace Harness.Executions;

/// <summary>
/// Where frames are kept beyond memory. Frames reach readers only after <see cref="AppendAsync"/> returned, so that nothing a client
/// has seen can be lost. Appends of one execution come one at a time and in order; different executions append at once.
/// </summary>
public interface ILogStore
{
    /// <summary>Keeps ready WebSocket frames of one execution.</summary>
    /// <param name="executionId">Whose frames.</param>
    /// <param name="firstSequence">Sequence of the first frame.</param>
    /// <param name="lastSequence">Sequence of the last frame.</param>
    /// <param name="frames">The very bytes readers get, in order; valid only until the call returns.</param>
    /// <param name="cancellationToken">Ends the wait; the frames may or may not be kept.</param>
    ValueTask AppendAsync(
        string executionId,
        long firstSequence,
        long lastSequence,
        IReadOnlyList<ReadOnlyMemory<byte>> frames,
        CancellationToken cancellationToken);
}

/// <summary>Keeps nothing: memory is all there is.</summary>
public sealed class MemoryOnlyLogStore : ILogStore
{
    /// <inheritdoc/>
    public ValueTask AppendAsync(
        string executionId,
        long firstSequence,
        long lastSequence,
        IReadOnlyList<ReadOnlyMemory<byte>> frames,
        CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
