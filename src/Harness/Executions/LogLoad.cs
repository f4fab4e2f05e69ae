namespace Harness.Executions;

/// <summary>A stretch on its way from the store to one cursor. It is taken once, or abandoned; either way its memory goes back.</summary>
internal sealed class LogLoad : IDisposable
{
    private readonly CancellationTokenSource _abandoned = new();
    private readonly Lock _gate = new();
    private LogSegment? _segment;
    private StoreException? _failure;
    private volatile bool _isDone;

    private LogLoad()
    {
    }

    /// <summary>True when <see cref="Take"/> has the answer.</summary>
    public bool IsDone => _isDone;

    /// <summary>Starts loading.</summary>
    /// <param name="archive">From where.</param>
    /// <param name="from">First sequence wanted.</param>
    /// <param name="once">False: a store that cannot be read now is asked again, until it can.</param>
    /// <param name="done">Called once when it is there, unless it was abandoned before.</param>
    public static LogLoad Start(LogArchive archive, long from, bool once, Action done)
    {
        var load = new LogLoad();
        _ = load.RunAsync(archive, from, once, done);
        return load;
    }

    /// <summary>What came, held for the caller; null: nothing is left from there on.</summary>
    /// <exception cref="StoreException">It was tried once, and the store cannot be read now.</exception>
    public LogSegment? Take()
    {
        lock (_gate)
        {
            if (_failure is { } failure)
            {
                throw failure;
            }

            var segment = _segment;
            _segment = null;
            return segment;
        }
    }

    /// <summary>Nobody waits any more: what comes, or came and was not taken, goes back.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _abandoned.Cancel();
            _segment?.Release();
            _segment = null;
        }

        _abandoned.Dispose();
    }

    private async Task RunAsync(LogArchive archive, long from, bool once, Action done)
    {
        LogSegment? segment = null;
        StoreException? failure = null;
        try
        {
            segment = await (once ? archive.LoadOnceAsync(from, _abandoned.Token) : archive.LoadAsync(from, _abandoned.Token));
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (StoreException e)
        {
            failure = e;
        }
        catch (Exception)
        {
            // What cannot be read or understood is gone for this reader, and it is told so.
        }

        lock (_gate)
        {
            if (_abandoned.IsCancellationRequested)
            {
                segment?.Release();
                return;
            }

            (_segment, _failure) = (segment, failure);
            _isDone = true;
        }

        // What was done must be visible before the cursor is found not parked: TryPark has the other half of this fence.
        Interlocked.MemoryBarrier();
        done();
    }
}
