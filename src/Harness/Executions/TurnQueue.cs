using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <summary>
/// Where work stands in line that would else fill the pool's queue: <c>await TurnQueue.ToGoOn</c> goes on when its turn comes. However many
/// stand here, only one of them at a time is in the pool's queue, behind everything that came meanwhile: requests, log writers and readers never
/// wait for more than one turn of each thread. A turn that blocks holds up nobody but itself. Thread-safe.
/// </summary>
internal sealed class TurnQueue : IThreadPoolWorkItem
{
    // Bounded by the executions that run: each has one turn at a time.
    private readonly ConcurrentQueue<Action> _waiting = new();
    private int _isQueued;

    private TurnQueue()
    {
    }

    /// <summary>
    /// For bodies that begin: of a thousand that come together each is encoded and sent while its lines are still in the processor's cache, and its
    /// memory serves the next. All at once they would fill a thousand logs before the first is read.
    /// </summary>
    public static TurnQueue ToBegin { get; } = new();

    /// <summary>For readers that have much to send: <see cref="LogCursor.WaitForTurnAsync"/>.</summary>
    public static TurnQueue ToSend { get; } = new();

    /// <summary>For work that never waits by itself, and lets others go first now and then.</summary>
    public static TurnQueue ToGoOn { get; } = new();

    public Awaiter GetAwaiter() => new(this);

    void IThreadPoolWorkItem.Execute()
    {
        var isTurn = _waiting.TryDequeue(out var turn);

        // With a fence: who comes now either finds nobody in the pool's queue, or is seen below.
        Interlocked.Exchange(ref _isQueued, 0);

        // Before the turn, which may take long: the next is another thread's, if there is one.
        if (!_waiting.IsEmpty)
        {
            Queue();
        }

        if (isTurn)
        {
            turn!();
        }
    }

    private void Add(Action turn)
    {
        _waiting.Enqueue(turn);
        Queue();
    }

    private void Queue()
    {
        if (Interlocked.Exchange(ref _isQueued, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>What <c>await</c> asks for: never done at once.</summary>
    public readonly struct Awaiter(TurnQueue queue) : ICriticalNotifyCompletion
    {
        public bool IsCompleted => false;

        public void GetResult()
        {
        }

        public void OnCompleted(Action continuation)
        {
            // Only hand-written code comes here; `await` flows its context itself.
            var context = ExecutionContext.Capture();
            queue.Add(context is null ? continuation : () => ExecutionContext.Run(context, static turn => ((Action)turn!)(), continuation));
        }

        public void UnsafeOnCompleted(Action continuation) => queue.Add(continuation);
    }
}
