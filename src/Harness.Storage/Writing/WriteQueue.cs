using System.Collections.Concurrent;
using Harness.Executions;

namespace Harness.Storage.Writing;

/// <summary>
/// What waits for the one writer, in order. As many items as there are logs and sweeps at most, since each waits for its own; with
/// write-behind <see cref="MaxBehindBytes"/>: when there are more, appends wait for theirs too. Thread-safe; one writer takes.
/// </summary>
internal sealed class WriteQueue(bool isBehind) : IDisposable
{
    /// <summary>Most bytes of one transaction, unless a single append has more: it bounds how long the one behind it waits.</summary>
    public const int MaxGroupBytes = 4 * 1024 * 1024;

    /// <summary>Most bytes that wait to be written behind.</summary>
    public const long MaxBehindBytes = 64 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<WriteItem> _items = new();
    private readonly SemaphoreSlim _bell = new(0);

    // With write-behind: executions of which something could not be written. They are told with every append, until their end is written all the
    // same, can never be, or they are deleted: as many at most as have not ended, or wait for that.
    private readonly ConcurrentDictionary<long, StoreException> _lost = new();

    private long _bytes;
    private bool _closed;

    /// <summary>True when an append does not wait until it is written.</summary>
    public bool IsBehind { get; } = isBehind;

    /// <summary>True when nothing comes any more.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_gate)
            {
                return _closed;
            }
        }
    }

    /// <summary>Keeps an item, and returns when it is kept, or with write-behind, unless it ends its execution, when there is room for it.</summary>
    public Task AppendAsync(WriteItem item, CancellationToken cancellationToken)
    {
        if (!IsBehind)
        {
            return WriteAsync(item, cancellationToken);
        }

        if (!item.IsRepair && _lost.TryGetValue(item.Execution, out var error))
        {
            return Task.FromException(error);
        }

        Enqueue(item);
        if (item.IsEnd || Interlocked.Read(ref _bytes) > MaxBehindBytes)
        {
            return item.WaitAsync(cancellationToken);
        }

        // What it fails with is in _lost.
        _ = item.Task.ContinueWith(static task => _ = task.Exception, TaskScheduler.Default);
        return Task.CompletedTask;
    }

    /// <summary>Keeps an item, and returns when it is kept.</summary>
    public Task WriteAsync(WriteItem item, CancellationToken cancellationToken)
    {
        Enqueue(item);
        return item.WaitAsync(cancellationToken);
    }

    /// <summary>Returns when everything that was queued before is decided.</summary>
    public Task FlushAsync(CancellationToken cancellationToken) => WriteAsync(new WriteItem(0, [], 0), cancellationToken);

    /// <summary>For the writer: waits for something to write. False: nothing is left and nothing comes.</summary>
    public async ValueTask<bool> TakeAsync(List<WriteItem> group)
    {
        while (!TryTake(group, out var isClosed))
        {
            if (isClosed)
            {
                return false;
            }

            await _bell.WaitAsync(CancellationToken.None);
        }

        return true;
    }

    /// <summary>As <see cref="TakeAsync"/>, for a writer that is a thread.</summary>
    public bool Take(List<WriteItem> group)
    {
        while (!TryTake(group, out var isClosed))
        {
            if (isClosed)
            {
                return false;
            }

            _bell.Wait(CancellationToken.None);
        }

        return true;
    }

    /// <summary>For the writer: tells an item that it is kept.</summary>
    public void Complete(WriteItem item)
    {
        Interlocked.Add(ref _bytes, -item.Bytes);
        if (item.IsRepair)
        {
            Forget(item.Execution);
        }

        item.TrySetResult();
    }

    /// <summary>Nothing more comes of this execution.</summary>
    public void Forget(long execution) => _lost.TryRemove(execution, out _);

    /// <summary>For the writer: tells an item that it is not kept.</summary>
    public void Fail(WriteItem item, StoreException error)
    {
        Interlocked.Add(ref _bytes, -item.Bytes);
        if (IsBehind && item.Execution != 0 && !item.IsEnd)
        {
            _lost.TryAdd(item.Execution, error);
        }
        else if (item.IsRepair && error.IsForGood)
        {
            Forget(item.Execution);
        }

        item.Fail(error);
    }

    /// <summary>
    /// For the writer: true when an earlier part of the same execution was not written, so that this one must not be either, and has been
    /// told so.
    /// </summary>
    public bool FailsAfterLoss(WriteItem item)
    {
        if (!IsBehind || item.IsRepair || !_lost.TryGetValue(item.Execution, out var error))
        {
            return false;
        }

        Fail(item, error);
        return true;
    }

    /// <summary>Nothing is taken in any more; what is there is still written.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
        }

        _bell.Release();
    }

    public void Dispose() => _bell.Dispose();

    private void Enqueue(WriteItem item)
    {
        lock (_gate)
        {
            if (_closed)
            {
                throw new StoreException("The store is closed: the server is stopping");
            }

            _items.Enqueue(item);
            Interlocked.Add(ref _bytes, item.Bytes);
            if (_items.Count > 1)
            {
                return;
            }
        }

        _bell.Release();
    }

    private bool TryTake(List<WriteItem> group, out bool isClosed)
    {
        group.Clear();
        lock (_gate)
        {
            isClosed = _closed;
            var bytes = 0L;
            while (_items.TryPeek(out var next)
                && (group.Count == 0 || (bytes + next.Bytes <= MaxGroupBytes && !next.IsAlone && !group[0].IsAlone)))
            {
                _items.Dequeue();
                if (next.TryTake())
                {
                    group.Add(next);
                    bytes += next.Bytes;
                }
                else
                {
                    Interlocked.Add(ref _bytes, -next.Bytes);
                }
            }
        }

        return group.Count > 0;
    }
}
