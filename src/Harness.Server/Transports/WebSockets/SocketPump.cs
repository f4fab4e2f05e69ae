using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using Harness.Executions;

namespace Harness.Server.Transports.WebSockets;

/// <summary>
/// All that goes out on one connection: direct replies, and what its cursors have to read. It runs on the pool only while there is
/// something to send, one write at a time, each execution in its turn. Small ranges of several executions share a write.
/// </summary>
internal sealed class SocketPump(SocketStream stream, Action<Exception> failed) : IThreadPoolWorkItem
{
    // Ranges below this are gathered; larger ones go straight from the log's memory.
    private const int SmallBytes = 8 * 1024;
    private const int GatherBytes = 32 * 1024;

    /// <summary>Replies that may wait. When there are as many, the connection reads no further command: the client feels its own haste.</summary>
    private const int MaxReplies = 32;

    private readonly Channel<byte[]> _replies = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(MaxReplies) { SingleReader = true, SingleWriter = true });

    // Bounded by the number of watches: each is in here once at most.
    private readonly ConcurrentQueue<Watch> _ready = new();
    private readonly ConcurrentDictionary<Watch, byte> _watches = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[]? _gathered;
    private int _gatheredLength;
    private int _signals;
    private volatile bool _stopped;
    private volatile bool _draining;

    /// <summary>Executions this connection watches now.</summary>
    public int WatchCount => _watches.Count;

    /// <summary>Waits until a reply would be taken.</summary>
    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken) =>
        await _replies.Writer.WaitToWriteAsync(cancellationToken);

    /// <summary>Sends one ready frame after what is being sent now. False when there is no room.</summary>
    public bool TryReply(byte[] frame)
    {
        var taken = _replies.Writer.TryWrite(frame);
        Signal();
        return taken;
    }

    /// <summary>Sends every event of an execution from a sequence on, until its result.</summary>
    public void Add(Execution execution, long from)
    {
        var watch = new Watch(this, execution, from);
        _watches.TryAdd(watch, 0);
        Enqueue(watch);
    }

    /// <summary>Waits until everything there is has been sent: call it when all executions have ended.</summary>
    public Task DrainAsync(CancellationToken cancellationToken)
    {
        _draining = true;
        Signal();
        return _drained.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Sends nothing more and lets go of all logs.</summary>
    public void Stop()
    {
        _stopped = true;
        _replies.Writer.TryComplete();
        Signal();
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    // One global first-in-first-out queue of woken pumps: a thread-local one would starve some of them.
    private void Signal()
    {
        if (Interlocked.Increment(ref _signals) == 1)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private void Enqueue(Watch watch)
    {
        _ready.Enqueue(watch);
        Signal();
    }

    // Never faults: a failed write stops the pump and is told to the connection.
    private async Task RunAsync()
    {
        while (true)
        {
            var seen = Volatile.Read(ref _signals);
            try
            {
                await SendAllAsync();
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

    private async ValueTask SendAllAsync()
    {
        while (!_stopped)
        {
            while (!_stopped && _ready.TryDequeue(out var watch))
            {
                await SendAsync(watch);
            }

            await SendRepliesAsync();
            await FlushAsync();
            if (_ready.IsEmpty)
            {
                break;
            }
        }

        if (_draining && _watches.IsEmpty)
        {
            _drained.TrySetResult();
        }
    }

    private async ValueTask SendAsync(Watch watch)
    {
        if (watch.Cursor.TryTake(out var range))
        {
            // A reply that was given before these events came is seen by now, and goes first: "cancelled" before what the body says of it.
            await SendRepliesAsync();
            await (range.IsTruncated ? GatherAsync(watch.DescribeTruncation(range)) : GatherAsync(range.Frames));
            _ready.Enqueue(watch);
        }
        else if (watch.Cursor.IsAtEnd)
        {
            _watches.TryRemove(watch, out _);
            watch.Cursor.Dispose();
        }
        else if (!watch.Cursor.TryPark())
        {
            _ready.Enqueue(watch);
        }
    }

    private async ValueTask SendRepliesAsync()
    {
        while (_replies.Reader.TryRead(out var frame))
        {
            await GatherAsync(frame);
        }
    }

    private ValueTask GatherAsync(ReadOnlyMemory<byte> frames)
    {
        if (frames.Length > SmallBytes || _gatheredLength + frames.Length > GatherBytes)
        {
            return FlushAndWriteAsync(frames);
        }

        _gathered ??= ArrayPool<byte>.Shared.Rent(GatherBytes);
        frames.CopyTo(_gathered.AsMemory(_gatheredLength));
        _gatheredLength += frames.Length;
        return ValueTask.CompletedTask;
    }

    private async ValueTask FlushAndWriteAsync(ReadOnlyMemory<byte> frames)
    {
        await FlushAsync();
        await stream.WriteAsync(frames);
    }

    private async ValueTask FlushAsync()
    {
        if (_gathered is not { } gathered)
        {
            return;
        }

        _gathered = null;
        var length = _gatheredLength;
        _gatheredLength = 0;
        try
        {
            await stream.WriteAsync(gathered.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(gathered);
        }
    }

    private void LetGo()
    {
        foreach (var (watch, _) in _watches)
        {
            if (_watches.TryRemove(watch, out _))
            {
                watch.Cursor.Dispose();
            }
        }

        _drained.TrySetResult();
    }

    /// <summary>One execution watched over this connection.</summary>
    private sealed class Watch : ILogWatcher
    {
        private readonly SocketPump _pump;
        private readonly ExecutionLog _log;

        public Watch(SocketPump pump, Execution execution, long from)
        {
            _pump = pump;
            _log = execution.Log;
            Cursor = _log.OpenCursor(from, this);
        }

        public LogCursor Cursor { get; }

        public byte[] DescribeTruncation(LogRange range) => WebSocketFrame.Of(_log.DescribeTruncation(range).Span);

        public void OnAppended() => _pump.Enqueue(this);
    }
}
