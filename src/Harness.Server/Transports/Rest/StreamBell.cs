using System.Threading.Tasks.Sources;

namespace Harness.Server.Transports.Rest;

/// <summary>
/// Wakes the one who waits. A bell, not a queue: ringing it twice is ringing it once. A stream of tokens rings it for every one, so that it
/// allocates nothing.
/// </summary>
internal sealed class StreamBell : IValueTaskSource
{
    private const int Silent = 0;
    private const int Rung = 1;
    private const int Awaited = 2;

    // Who rings is the log's writer, and must not do the reader's work.
    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private int _state;

    /// <summary>Rings. Any thread may.</summary>
    public void Ring()
    {
        if (Interlocked.Exchange(ref _state, Rung) == Awaited)
        {
            // One that rings in between is answered too: what it has to tell was there before, and the waiter looks after this.
            Interlocked.Exchange(ref _state, Silent);
            _source.SetResult(true);
        }
    }

    /// <summary>Waits until it was rung since the last wait. For one at a time.</summary>
    public ValueTask WaitAsync()
    {
        _source.Reset();
        if (Interlocked.CompareExchange(ref _state, Awaited, Silent) == Silent)
        {
            return new ValueTask(this, _source.Version);
        }

        Interlocked.Exchange(ref _state, Silent);
        return ValueTask.CompletedTask;
    }

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
