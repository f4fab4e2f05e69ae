using System.Threading.Channels;

namespace Harness.Executions;

/// <summary>Wakes one reader that waits for its cursor. A bell, not a queue: one slot, and ringing it twice is ringing it once.</summary>
public sealed class LogBell : ILogWatcher
{
    private readonly Channel<bool> _slot = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <inheritdoc/>
    public void OnAppended() => _slot.Writer.TryWrite(true);

    /// <summary>Waits until it was rung since the last wait.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken) => await _slot.Reader.ReadAsync(cancellationToken);
}
