namespace Harness.Executions;

/// <summary>Told when a parked cursor has something to read.</summary>
public interface ILogWatcher
{
    /// <summary>
    /// Called at most once for each successful <see cref="LogCursor.TryPark"/>, on the log writer's thread: it only passes the word on
    /// and returns at once.
    /// </summary>
    void OnAppended();
}

/// <summary>What a cursor took in one go.</summary>
/// <param name="Frames">Ready WebSocket frames, whole and in order; empty when <paramref name="IsTruncated"/>.</param>
/// <param name="First">Sequence of the first event.</param>
/// <param name="Last">Sequence of the last event.</param>
/// <param name="IsTruncated">These events are gone: the reader fell behind what is kept.</param>
/// <param name="HasEvents">Typed events may be among the frames: who did not ask for them steps over them (<see cref="LogEvent"/>).</param>
public readonly record struct LogRange(ReadOnlyMemory<byte> Frames, long First, long Last, bool IsTruncated, bool HasEvents = false);

/// <summary>
/// One reader's place in a log. Reading is lock-free and copies nothing; a reader that stands still costs one segment. For one thread
/// at a time.
/// </summary>
public sealed class LogCursor : IDisposable
{
    private readonly ExecutionLog _log;
    private readonly ILogWatcher _watcher;
    private LogSegment? _segment;
    private int _offset;
    private long _next;
    private long _wanted;
    private int _parked;

    internal LogCursor(ExecutionLog log, ILogWatcher watcher, long from, LogSegment? segment)
    {
        _log = log;
        _watcher = watcher;
        _wanted = from;
        _segment = segment;
        _next = segment is null ? 1 : Math.Max(1, segment.FirstSequence);
        IsWhole = segment is null ? from > log.LastSequence : segment.FirstSequence <= from;
        if (_next > _wanted)
        {
            // What was asked for is gone already: TryTake says so.
            _next = Math.Max(1, _wanted);
        }
    }

    /// <summary>Sequence of the event it takes next.</summary>
    public long Next => Math.Max(_next, _wanted);

    /// <summary>True when nothing of what it was opened for was gone already.</summary>
    public bool IsWhole { get; }

    /// <summary>True when everything up to the result has been taken: nothing will come any more.</summary>
    public bool IsAtEnd => _log.IsSealed && Next > _log.LastSequence;

    /// <summary>
    /// Takes everything that is there, up to a segment's end. The memory stays valid until the next call or <see cref="Dispose"/>.
    /// </summary>
    /// <returns>False when there is nothing now: see <see cref="IsAtEnd"/>, or park.</returns>
    public bool TryTake(out LogRange range)
    {
        while (_segment is { } segment)
        {
            if (_next < segment.FirstSequence)
            {
                range = new LogRange(default, Next, segment.FirstSequence - 1, IsTruncated: true);
                (_next, _offset) = (segment.FirstSequence, 0);
                return true;
            }

            var (length, frames) = segment.Committed;
            if (_offset < length)
            {
                var last = segment.FirstSequence + frames - 1;
                SkipUnwanted(segment, last);
                var taken = segment.Bytes.AsMemory(_offset, length - _offset);
                var first = _next;
                (_offset, _next) = (length, last + 1);
                if (taken.Length > 0)
                {
                    range = new LogRange(taken, first, last, IsTruncated: false, segment.HasEvents);
                    return true;
                }

                continue;
            }

            if (segment.Next is not { } next)
            {
                break;
            }

            // The link came after the last commit here: look once more before leaving.
            if (segment.Committed.Length > _offset)
            {
                continue;
            }

            _segment = next.TryHold() ? next : _log.HoldFirst();
            _offset = 0;
            segment.Release();
        }

        if (_segment is null && Next <= _log.LastSequence)
        {
            range = new LogRange(default, Next, _log.LastSequence, IsTruncated: true);
            _next = _log.LastSequence + 1;
            return true;
        }

        range = default;
        return false;
    }

    /// <summary>Asks to be told of the next append. False when something has come meanwhile: take it instead.</summary>
    public bool TryPark()
    {
        Interlocked.Exchange(ref _parked, 1);
        if (!HasMore() && !_log.IsSealed)
        {
            return true;
        }

        // When the writer has rung already, its call is on the way and counts as the answer to this parking.
        return Interlocked.CompareExchange(ref _parked, 0, 1) == 0;
    }

    /// <summary>Lets go of the log. A call of <see cref="ILogWatcher.OnAppended"/> may still be on its way.</summary>
    public void Dispose()
    {
        _log.Close(this);
        Interlocked.Exchange(ref _parked, 0);
        Interlocked.Exchange(ref _segment, null)?.Release();
    }

    internal void Ring()
    {
        if (Volatile.Read(ref _parked) == 1 && Interlocked.CompareExchange(ref _parked, 0, 1) == 1)
        {
            _watcher.OnAppended();
        }
    }

    private bool HasMore() =>
        _segment is { } segment ? segment.Committed.Length > _offset || segment.Next is not null : Next <= _log.LastSequence;

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
