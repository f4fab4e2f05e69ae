using System.Diagnostics.CodeAnalysis;
using Harness.Executions;

namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// All that goes out on one connection: direct replies, and what its cursors have to read. It runs only while there is something to
/// send, one write at a time, each execution in its turn. Small ranges of several executions share a write.
/// </summary>
internal sealed partial class SocketPump(SocketStream stream, PumpQueue queue, Action<Exception> failed)
{
    // A turn is one write for each execution that is ready, and for so many at most: a log that grows as fast as its reader takes it would
    // else keep a thread for good, and the last line of one socket would wait for the long results of others.
    private const int WatchesInATurn = 8;

    // A short run is an opening, its lines and a result, in a segment each: one write for all. A long result has a write of its own, in the next turn.
    private const int RangesInAWrite = 3;

    private static readonly TimeSpan LastWordTimeLimit = TimeSpan.FromSeconds(1);

    private readonly ReplyQueue _replies = new();
    private readonly FrameWriter _writer = new(stream);

    // Guards what follows, which is made when it is needed: most sockets are idle, and there are many.
    private readonly Lock _gate = new();

    // Bounded by the number of watches: each is in here once, and once more when it was closed.
    private Queue<SocketWatch>? _ready;
    private TaskCompletionSource? _drained;
    private TaskCompletionSource? _letGo;
    private byte[]? _lastWord;
    private int _signals;
    private volatile bool _stopped;
    private volatile bool _draining;
    private volatile bool _logsAreOver;
    private bool _hasDrained;
    private bool _hasLetGo;

    /// <summary>True when what it writes is with the system at once, and nobody else has to send it.</summary>
    public bool IsDirect => stream.IsDirect;

    private bool SendsLogs => !_stopped && !_logsAreOver;

    /// <summary>Waits until a reply would be taken.</summary>
    public Task WaitForRoomAsync(CancellationToken cancellationToken) => _replies.WaitForRoomAsync(cancellationToken);

    /// <summary>Sends one ready frame after what is being sent now. False when there is no room.</summary>
    /// <param name="frame">The answer.</param>
    /// <param name="isLate">As in <see cref="ReplyQueue.TryAdd"/>.</param>
    public bool TryReply(byte[] frame, bool isLate = false)
    {
        var taken = _replies.TryAdd(frame, isLate);
        Signal();
        return taken;
    }

    /// <summary>
    /// Sends everything there is and then nothing more of the logs: call it when all executions have ended. Those that outlive this process
    /// have no end to wait for. Does not throw.
    /// </summary>
    /// <param name="lastWord">A frame to send at last; null: none.</param>
    /// <param name="limit">How long everything may take; then the last word is sent in place of the rest.</param>
    /// <param name="cancellationToken">Ends the wait at once.</param>
    public async Task DrainAsync(byte[]? lastWord, TimeSpan limit, CancellationToken cancellationToken)
    {
        _lastWord = lastWord;
        _draining = true;
        Signal();
        var drained = WhenSet(ref _drained, in _hasDrained);
        await drained.WaitAsync(limit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!drained.IsCompleted)
        {
            _logsAreOver = true;
            Signal();
            await drained.WaitAsync(LastWordTimeLimit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Ends, after <see cref="Stop"/>, when the last write has ended and all logs are let go.</summary>
    public Task Stopped => WhenSet(ref _letGo, in _hasLetGo);

    /// <summary>Sends nothing more after the write under way, and lets go of all logs.</summary>
    public void Stop()
    {
        _stopped = true;
        _replies.Complete();
        Signal();
    }

    /// <summary>Sends some of what there is; for the queue alone. RunAsync never faults.</summary>
    public void TakeTurn() => _ = RunAsync();

    private void Signal()
    {
        if (Interlocked.Increment(ref _signals) == 1)
        {
            queue.Add(this);
        }
    }

    internal void Enqueue(SocketWatch watch)
    {
        PutReady(watch);
        Signal();
    }

    private void PutReady(SocketWatch watch)
    {
        lock (_gate)
        {
            (_ready ??= new Queue<SocketWatch>()).Enqueue(watch);
        }
    }

    private bool TryTakeReady([NotNullWhen(true)] out SocketWatch? watch)
    {
        lock (_gate)
        {
            watch = null;
            return _ready is not null && _ready.TryDequeue(out watch);
        }
    }

    private int ReadyCount()
    {
        lock (_gate)
        {
            return _ready?.Count ?? 0;
        }
    }

    private Task WhenSet(ref TaskCompletionSource? source, in bool isSet)
    {
        lock (_gate)
        {
            return isSet ? Task.CompletedTask : (source ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private void Set(ref TaskCompletionSource? source, ref bool isSet)
    {
        lock (_gate)
        {
            isSet = true;
            source?.TrySetResult();
        }
    }

    // Never faults: a failed write stops the pump and is told to the connection.
    private async Task RunAsync()
    {
        while (true)
        {
            var seen = Volatile.Read(ref _signals);
            try
            {
                if (!await SendAllAsync())
                {
                    queue.Add(this);
                    return;
                }
            }
            catch (Exception e)
            {
                _stopped = true;
                failed(e);
            }

            if (_stopped)
            {
                LetGo();
            }

            if (Interlocked.Add(ref _signals, -seen) == 0)
            {
                return;
            }
        }
    }

    // False when there is more, and the turn is over.
    private async ValueTask<bool> SendAllAsync()
    {
        if (!_stopped)
        {
            for (var left = Math.Min(ReadyCount(), WatchesInATurn); left > 0 && SendsLogs && TryTakeReady(out var watch); left--)
            {
                await SendAsync(watch);
            }

            await SendRepliesAsync();
            await _writer.FlushAsync();
            if (SendsLogs && ReadyCount() > 0)
            {
                return false;
            }
        }

        if (_draining && (_logsAreOver || IsUpToDate))
        {
            _logsAreOver = true;
            if (!_stopped && Interlocked.Exchange(ref _lastWord, null) is { } lastWord)
            {
                await _writer.WriteAsync(lastWord);
                await _writer.FlushAsync();
            }

            Set(ref _drained, ref _hasDrained);
        }

        return true;
    }

    private async ValueTask SendAsync(SocketWatch watch)
    {
        if (watch.IsClosed)
        {
            watch.Cursor.Dispose();
            return;
        }

        var hasRange = watch.Cursor.TryTake(out var range);

        // A reply that was given before these events came is seen by now, and goes first: "cancelled" before what the body says of it,
        // "subscribed" before the first event, and nothing after "unsubscribed".
        await SendRepliesAsync();
        for (var left = RangesInAWrite; hasRange && !watch.IsClosed; left--)
        {
            await SendAsync(watch, range);
            hasRange = left > 1 && !_writer.IsEmpty && watch.Cursor.ReadyBytes is > 0 and < FrameWriter.WriteBytes
                && (_writer.HasBorrowed ? watch.Cursor.TryTakeMore(out range) : watch.Cursor.TryTake(out range));
            await SendRepliesAsync();
        }

        await _writer.FlushBorrowedAsync();
        if (watch.Cursor.IsAtEnd)
        {
            await EndAsync(watch);
        }
        else if (!watch.Cursor.TryPark())
        {
            PutReady(watch);
        }
    }

    private async ValueTask SendAsync(SocketWatch watch, LogRange range)
    {
        if (range.IsTruncated)
        {
            await _writer.WriteAsync(watch.DescribeTruncation(range));
            return;
        }

        if (!range.HasEvents || watch.WantsEvents)
        {
            await _writer.WriteAsync(range.Frames);
            return;
        }

        var frames = range.Frames;
        while (LogEvent.TakeOthers(ref frames) is { IsEmpty: false } others)
        {
            await _writer.WriteAsync(others);
        }
    }

    private async ValueTask SendRepliesAsync()
    {
        while (_replies.TryTake(out var frame))
        {
            await _writer.WriteAsync(frame);
        }
    }

    private void LetGo()
    {
        while (TryTakeReady(out var watch))
        {
            watch.Cursor.Dispose();
        }

        foreach (var watch in TakeWatches())
        {
            watch.Cursor.Dispose();
        }

        Set(ref _drained, ref _hasDrained);
        Set(ref _letGo, ref _hasLetGo);
    }
}
