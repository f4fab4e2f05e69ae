namespace Harness.Executions;

/// <summary>
/// Ticks a millisecond apart. .NET's timers look at a clock that moves every 4 ms on most Linux kernels: what is due every millisecond comes four at
/// once with them. A sleeping thread is woken in time. There is one for all who wait, while anyone does. Thread-safe.
/// </summary>
/// <param name="patience">After so many ticks for nobody the thread ends; the next who waits gets a new one.</param>
internal sealed class FineTicks(int patience)
{
    /// <summary>The ones of this process.</summary>
    public static readonly FineTicks Shared = new(1_000);

    private readonly Lock _gate = new();
    private TaskCompletionSource? _next;
    private bool _isTicking;

    /// <summary>Whether its thread is there.</summary>
    public bool IsTicking
    {
        get
        {
            lock (_gate)
            {
                return _isTicking;
            }
        }
    }

    /// <summary>Completes within about a millisecond, or at once as cancelled.</summary>
    public Task NextAsync(CancellationToken cancellationToken)
    {
        Task next;
        lock (_gate)
        {
            if (!_isTicking)
            {
                _isTicking = true;
                new Thread(Tick) { IsBackground = true, Name = "Harness ticks" }.Start();
            }

            next = (_next ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        return next.WaitAsync(cancellationToken);
    }

    private void Tick()
    {
        for (var ticksForNobody = 0; ; ticksForNobody++)
        {
            Thread.Sleep(1);
            TaskCompletionSource? due;
            lock (_gate)
            {
                (due, _next) = (_next, null);
                _isTicking = due is not null || ticksForNobody < patience;
                if (!_isTicking)
                {
                    return;
                }
            }

            if (due is not null)
            {
                due.SetResult();
                ticksForNobody = 0;
            }
        }
    }
}
