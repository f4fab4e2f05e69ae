using Harness.Executions;

namespace Harness.Server.Transports.WebSockets;

/// <summary>What one connection has said of itself, beside what it watches. For the connection's reader alone, but for <see cref="SaidHello"/>.</summary>
internal sealed class SocketSession(SocketPump pump)
{
    // Answers of one connection that may come after their turn.
    private const int MaxLate = 8;

    // Bounded by the executions that have not ended: those that have are dropped whenever it would grow.
    private readonly List<Execution> _owned = [];
    private CancellationTokenSource? _ended;
    private volatile bool _saidHello;
    private int _late;

    /// <summary>What goes out.</summary>
    public SocketPump Pump => pump;

    /// <summary>Whether the client knows frames that a client of the seed does not.</summary>
    public bool SaidHello
    {
        get => _saidHello;
        set => _saidHello = value;
    }

    /// <summary>Executions that are to be cancelled when the connection ends.</summary>
    public IReadOnlyList<Execution> Owned => _owned;

    /// <summary>Begins an answer that may come after its turn; <see cref="EndLate"/> when it is there. False: too many are on their way.</summary>
    public bool TryBeginLate()
    {
        if (Interlocked.Increment(ref _late) <= MaxLate)
        {
            return true;
        }

        EndLate();
        return false;
    }

    /// <summary>One is there. From any thread.</summary>
    public void EndLate() => Interlocked.Decrement(ref _late);

    /// <summary>Cancelled when the connection has ended.</summary>
    public CancellationToken Ended => (_ended ??= new CancellationTokenSource()).Token;

    /// <summary>Says that the connection has ended.</summary>
    public void End()
    {
        _ended?.Cancel();
        _ended?.Dispose();
    }

    /// <summary>Cancels this execution when the connection ends.</summary>
    public void Own(Execution execution)
    {
        if (_owned.Count == _owned.Capacity)
        {
            _owned.RemoveAll(owned => owned.Completion.IsCompleted);
        }

        _owned.Add(execution);
    }
}
