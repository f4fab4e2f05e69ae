using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <summary>Told when a parked cursor has something to read.</summary>
public interface ILogWatcher
{
    /// <summary>
    /// Called at most once for each successful <see cref="LogCursor.TryPark"/>, on the log writer's thread or the pool's: it only passes the
    /// word on and returns at once.
    /// </summary>
    void OnAppended();
}

/// <summary>What a cursor took in one go.</summary>
/// <param name="Frames">Ready WebSocket frames, whole and in order; empty when <paramref name="IsTruncated"/>.</param>
/// <param name="First">Sequence of the first event.</param>
/// <param name="Last">Sequence of the last event.</param>
/// <param name="IsTruncated">These events are gone: they were taken by retention, or by the memory's limit where there is no store.</param>
/// <param name="HasEvents">Typed events may be among the frames: who did not ask for them steps over them (<see cref="LogEvent"/>).</param>
public readonly record struct LogRange(ReadOnlyMemory<byte> Frames, long First, long Last, bool IsTruncated, bool HasEvents = false);

/// <summary>
/// One reader's place in a log. In memory reading is lock-free and copies nothing; behind what memory keeps, the same bytes come from the
/// store, and the reader notices nothing but that it is told to wait. A reader that stands still costs one segment in at most two formats, or two segments.
/// For one thread at a time.
/// </summary>
public sealed class LogCursor : IDisposable
{
    // Fewer bytes are sooner sent than stood in line for.
    private const int WorthATurn = 16 * 1024;

    private readonly ExecutionLog _log;
    private readonly ILogWatcher _watcher;
    private LogSegment? _segment;
    private LogSegment? _before;
    private LogLoad? _load;
    private FrameText? _text;
    private (long First, int Offset) _taken;
    private int _offset;
    private long _next;
    private long _wanted;
    private int _parked;
    private bool _isAttached;

    internal LogCursor(ExecutionLog log, ILogWatcher watcher, long from, LogSegment? segment)
    {
        _log = log;
        _watcher = watcher;
        _next = _wanted = from;
        IsWhole = from >= log.FirstSequence;
        if (segment is not null)
        {
            Enter(segment);
        }
    }

    /// <summary>Sequence of the event it takes next.</summary>
    public long Next => Math.Max(_next, _wanted);

    /// <summary>True when nothing of what it was opened for was gone already.</summary>
    public bool IsWhole { get; }

    /// <summary>True when everything up to the result has been taken: nothing will come any more.</summary>
    public bool IsAtEnd => _log.IsSealed && Next > _log.LastSequence;

    /// <summary>True when everything that is there has been taken and the log has no end yet, which in this process may never come.</summary>
    public bool IsUpToDate => !_log.IsSealed && Next > _log.LastSequence;

    /// <summary>
    /// True: a <see cref="TryTake"/> that needs a store which cannot be read now fails with its <see cref="StoreException"/>. Else the store is
    /// asked again and again, and nothing is there meanwhile.
    /// </summary>
    public bool TriesStoreOnce { get; set; }

    /// <summary>True while it waits for the store: a <see cref="TryTake"/> that gives nothing then does not mean that there is nothing.</summary>
    public bool IsLoading => _load is not null;

    /// <summary>Bytes that are there for the next take at most, as far as memory has them: what is left of this segment and all of the one behind it.</summary>
    public int ReadyBytes => _segment is { } segment ? segment.Committed.Length - _offset + (segment.Next?.Committed.Length ?? 0) : 0;

    /// <summary>
    /// Takes everything that is there, up to a segment's end. The memory stays valid until the next call or <see cref="Dispose"/>.
    /// </summary>
    /// <returns>False when there is nothing now: see <see cref="IsAtEnd"/>, or park.</returns>
    public bool TryTake(out LogRange range)
    {
        Interlocked.Exchange(ref _before, null)?.Release();
        while (TryEnter(out range) && _segment is { } segment)
        {
            if (_next < segment.FirstSequence)
            {
                range = Miss(segment.FirstSequence - 1);
                return true;
            }

            var (length, frames) = segment.Committed;
            if (_offset < length)
            {
                var last = segment.FirstSequence + frames - 1;
                SkipUnwanted(segment, last);
                range = Take(segment, length, last);
                if (range.Frames.Length > 0)
                {
                    return true;
                }

                continue;
            }

            if (!TryLeave(segment))
            {
                break;
            }
        }

        return range.IsTruncated;
    }

    /// <summary>
    /// Takes what is there in the next segment, when that begins where the last <see cref="TryTake"/> ended: both can be sent in one write. The memory of
    /// both stays valid until the next <see cref="TryTake"/> or <see cref="Dispose"/>.
    /// </summary>
    /// <returns>False when there is no such segment, or it was done since the last <see cref="TryTake"/>.</returns>
    public bool TryTakeMore(out LogRange range)
    {
        range = default;

        // The link came after the last commit here.
        if (_before is not null || _segment is not { Next: { } next } segment || segment.Committed.Length > _offset
            || Next != next.FirstSequence || !next.TryHold())
        {
            return false;
        }

        LeaveText();
        _before = segment;
        Enter(next);
        var (length, frames) = next.Committed;
        range = Take(next, length, next.FirstSequence + frames - 1);
        return true;
    }

    /// <summary>True while so many read the log that <see cref="TryRender"/> may have something for them.</summary>
    public bool IsShared => _text is not null || _log.HasReadersThatShare;

    /// <summary>
    /// Some of the frames that the last <see cref="TryTake"/> gave, in another format: made once for all who read the log. The memory stays
    /// valid until the next call or <see cref="Dispose"/>.
    /// </summary>
    /// <param name="format">The format.</param>
    /// <param name="first">Sequence of the first frame.</param>
    /// <param name="last">Sequence of the last.</param>
    /// <param name="text">What the format writes of them, one after the other.</param>
    /// <returns>False when this is not shared: few read the log, the memory is used up. Write it yourself then.</returns>
    public bool TryRender(IFrameFormat format, long first, long last, out ReadOnlyMemory<byte> text)
    {
        text = default;
        if (format.Key is null || _segment is not { } segment)
        {
            return false;
        }

        if (_text?.Is(segment, format) != true)
        {
            LeaveText();
            _text = _log.HoldText(segment, format, _taken.First, _taken.Offset);
        }

        return _text is not null && _text.TryGet(first, last, out text);
    }

    /// <summary>
    /// For readers that make something of what they take and have others send it: done at once when there is little to send or nobody else reads the
    /// log, and else when it is their turn. Then what one has made is sent while it is in the processor's cache, and its memory serves the next; a
    /// hundred that were woken together would else make a hundred copies before the first is sent. It takes no token: the line moves whatever becomes of
    /// those who stand in it.
    /// </summary>
    /// <param name="pending">Bytes that were taken and are still to be sent.</param>
    public ValueTask WaitForTurnAsync(int pending) => IsWorthATurn(pending) ? TakeTurnAsync() : ValueTask.CompletedTask;

    /// <summary>Whether <see cref="WaitForTurnAsync"/> waits.</summary>
    internal bool IsWorthATurn(int pending) => pending + ReadyBytes >= WorthATurn && _log.ReaderCount > 1;

    /// <summary>Asks to be told of the next append, or of what comes from the store. False when something has come meanwhile: take it instead.</summary>
    public bool TryPark()
    {
        Interlocked.Exchange(ref _parked, 1);
        if (!HasMore() && (!_log.IsSealed || IsLoading))
        {
            return true;
        }

        // When the writer has rung already, its call is on the way and counts as the answer to this parking.
        return Interlocked.CompareExchange(ref _parked, 0, 1) == 0;
    }

    /// <summary>Lets go of the log. A call of <see cref="ILogWatcher.OnAppended"/> may still be on its way.</summary>
    public void Dispose()
    {
        Interlocked.Exchange(ref _parked, 0);
        Interlocked.Exchange(ref _load, null)?.Dispose();
        LeaveText();
        Interlocked.Exchange(ref _segment, null)?.Release();
        Interlocked.Exchange(ref _before, null)?.Release();
        _log.Close(this);
        Detach();
    }

    /// <summary>Called by the log writer when something was appended, and by a load when it is done.</summary>
    internal void Ring()
    {
        if (Volatile.Read(ref _parked) == 1 && Interlocked.CompareExchange(ref _parked, 0, 1) == 1)
        {
            _watcher.OnAppended();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask TakeTurnAsync() => await TurnQueue.ToSend;

    private void Detach()
    {
        if (_isAttached)
        {
            _isAttached = false;
            _log.Archive!.Detach();
        }
    }

    private void LeaveText() => Interlocked.Exchange(ref _text, null)?.Release();

    private bool HasMore() => _load is { } load
        ? load.IsDone
        : _segment is { } segment
            ? segment.Committed.Length > _offset || segment.Next is not null || segment.IsLoaded
            : Next <= _log.LastSequence;

    // Finds the segment to read in. False, with nothing to say, when there is none now; with a range that is gone when it is that.
    private bool TryEnter(out LogRange range)
    {
        range = default;
        if (_load is { } load)
        {
            if (!load.IsDone)
            {
                return false;
            }

            _load = null;
            using var done = load;
            if (load.Take() is not { } loaded)
            {
                // Nothing is left in the store from here on; memory may still have what follows.
                range = Miss((_log.FirstInMemory ?? _log.LastSequence + 1) - 1);
                return false;
            }

            Enter(loaded);
        }

        if (_segment is not null)
        {
            return true;
        }

        if (_log.HoldAt(Next) is { } segment)
        {
            // It has caught up: what was loaded for it need not be kept for the rest of a long watch.
            Detach();
            Enter(segment);
            return true;
        }

        if (Next > _log.LastSequence)
        {
            return false;
        }

        if (_log.Archive is not { } archive || Math.Max(archive.FirstSequence, Next) > _log.LastSequence)
        {
            range = Miss(_log.LastSequence);
            return false;
        }

        if (!_isAttached)
        {
            _isAttached = true;
            archive.Attach();
        }

        _load = LogLoad.Start(archive, Math.Max(archive.FirstSequence, Next), TriesStoreOnce, Ring);
        return false;
    }

    private void Enter(LogSegment segment)
    {
        _segment = segment;
        _offset = 0;
        if (segment.FirstSequence <= Next)
        {
            (_wanted, _next) = (Next, segment.FirstSequence);
        }
    }

    // True when there may be something behind this segment.
    private bool TryLeave(LogSegment segment)
    {
        if (segment.IsLoaded)
        {
            LeaveText();
            _segment = null;
            segment.Release();
            return true;
        }

        if (segment.Next is not { } next)
        {
            return false;
        }

        // The link came after the last commit here: look once more before leaving.
        if (segment.Committed.Length > _offset)
        {
            return true;
        }

        LeaveText();
        _segment = null;
        if (next.TryHold())
        {
            Enter(next);
        }

        segment.Release();
        return true;
    }

    private LogRange Take(LogSegment segment, int length, long last)
    {
        _taken = (_next, _offset);
        (_offset, _next) = (length, last + 1);
        return new LogRange(segment.Bytes.AsMemory(_taken.Offset, length - _taken.Offset), _taken.First, last, IsTruncated: false, segment.HasEvents);
    }

    private LogRange Miss(long last)
    {
        var range = new LogRange(default, Next, last, IsTruncated: true);
        (_next, _offset) = (last + 1, 0);
        return range;
    }

    // Only after a seek into the middle of a segment, or to a sequence that had not come yet.
    private void SkipUnwanted(LogSegment segment, long last)
    {
        while (_next < _wanted && _next <= last)
        {
            var (start, length) = WebSocketFrame.Measure(segment.Bytes.AsSpan(_offset));
            _offset += start + length;
            _next++;
        }
    }
}
