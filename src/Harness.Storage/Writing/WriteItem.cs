using Harness.Executions;

namespace Harness.Storage.Writing;

/// <summary>What is kept together or not at all; completes when that is decided.</summary>
internal sealed class WriteItem(long execution, IReadOnlyList<SqlCall> calls, int bytes)
    : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int GivenUp = 2;

    private int _state;

    /// <summary>Whose it is; 0: nobody's.</summary>
    public long Execution { get; } = execution;

    public IReadOnlyList<SqlCall> Calls { get; } = calls;

    /// <summary>About what it takes in a transaction.</summary>
    public int Bytes { get; } = bytes;

    /// <summary>True for maintenance that cannot be in a transaction: it is run between two.</summary>
    public bool IsAlone { get; init; }

    /// <summary>True for an append that replaces what an earlier one may have left.</summary>
    public bool IsRepair { get; init; }

    /// <summary>True for an append with the end of an execution: it is never written behind, since nothing comes after it that could be told of a failure.</summary>
    public bool IsEnd { get; init; }

    /// <summary>True for what can wait until there is room on the disk, unlike deletions and ends.</summary>
    public bool NeedsRoom { get; init; }

    /// <summary>True when nobody waits for it any more: then it is not tried again.</summary>
    public bool IsAbandoned => Volatile.Read(ref _state) == GivenUp;

    /// <summary>For the writer: false when it was given up before its turn came.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _state, Taken, Waiting) == Waiting;

    /// <summary>
    /// Waits until it is kept. The token ends the wait at once before its turn has come; after that the transaction is awaited, since
    /// its memory is read.
    /// </summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.Register(() =>
        {
            if (Interlocked.Exchange(ref _state, GivenUp) == Waiting)
            {
                TrySetCanceled(cancellationToken);
            }
        });
        await Task;
    }

    public void Fail(StoreException error) => TrySetException(error);
}
