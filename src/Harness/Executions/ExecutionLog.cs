using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;

namespace Harness.Executions;

/// <summary>
/// What one execution says: numbered frames, encoded once, read by any number of cursors. Bodies write lines into a bounded pipeline;
/// one log writer numbers and encodes them, gives them to the store, and only then shows them to readers. So a body feels the store
/// when it is slow, and never a reader. Thread-safe.
/// </summary>
public sealed partial class ExecutionLog
{
    // A transaction of the store takes no more than about this many bytes, and readers wait no longer than for that many.
    private const int MaxCommitBytes = 512 * 1024;

    private readonly string _id;
    private readonly ExecutionLogLimits _limits;
    private readonly SegmentPool _pool;
    private readonly TimeProvider _time;
    private readonly bool _hasSystemClock;

    // For the log writer only; a log that is over has none.
    private FrameEncoder _encoder = null!;

    // Bounded: when full, TryWrite is false and WriteAsync waits. That is the only back-pressure a body feels. Null when the log is over:
    // what has ended is kept for long, and small.
    private volatile Channel<LineBatch>? _batches;

    private readonly Lock _writing = new();
    private Task _writer = Task.CompletedTask;
    private LineBatch? _open;
    private bool _closed;
    private LogEnding? _ending;

    /// <summary>A log that begins, or one that was broken off and goes on.</summary>
    /// <param name="id">The execution's id, in every frame.</param>
    /// <param name="opening">The first frame; null when the log goes on after what the store has.</param>
    /// <param name="limits">Its limits.</param>
    /// <param name="pool">Its memory.</param>
    /// <param name="archive">Its part in the store; null: memory is all there is.</param>
    /// <param name="last">Sequence of the last frame the store has.</param>
    /// <param name="time">The clock of the frames.</param>
    internal ExecutionLog(
        string id, LogOpening? opening, ExecutionLogLimits limits, SegmentPool pool, LogArchive? archive, long last, TimeProvider time)
        : this(id, limits, pool, archive, last, time, isSealed: false)
    {
        _opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _encoder = new FrameEncoder(id);
        _tail = _head = _published = RentSegment(SegmentPool.SmallestSegment);
        _batches = Channel.CreateBounded<LineBatch>(
            new BoundedChannelOptions(LineBatch.MaxQueued) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _writer = RunAsync(opening);
    }

    /// <summary>A log that is over: the store has all of it, and nothing is written any more.</summary>
    internal ExecutionLog(string id, ExecutionLogLimits limits, SegmentPool pool, LogArchive? archive, long last, TimeProvider time)
        : this(id, limits, pool, archive, last, time, isSealed: true)
    {
    }

    private ExecutionLog(
        string id, ExecutionLogLimits limits, SegmentPool pool, LogArchive? archive, long last, TimeProvider time, bool isSealed)
    {
        _id = id;
        _limits = limits;
        _pool = pool;
        _time = time;
        _hasSystemClock = ReferenceEquals(time, TimeProvider.System);
        _sequence = _lastSequence = last;
        Archive = archive;
        IsSealed = isSealed;
    }

    /// <summary>
    /// Appends one line. It waits only when the pipeline is full. A line over the limit is cut and says so; a line after the end of the
    /// execution is dropped. What JSON cannot carry (lone surrogates) becomes U+FFFD.
    /// </summary>
    /// <param name="line">The line, without a line break at its end.</param>
    /// <param name="cancellationToken">Ends the wait; the line is then not written.</param>
    public ValueTask WriteAsync(string line, CancellationToken cancellationToken = default) =>
        TryWrite(line) ? ValueTask.CompletedTask : WriteWhenThereIsRoomAsync(line, cancellationToken);

    /// <summary>Appends one line of UTF-8; no string is made. As <see cref="WriteAsync(string, CancellationToken)"/>.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> utf8Line, CancellationToken cancellationToken = default) =>
        TryWrite(utf8Line.Span) ? ValueTask.CompletedTask : WriteWhenThereIsRoomAsync(utf8Line, cancellationToken);

    /// <summary>Appends one line of UTF-8 without waiting. False when the pipeline is full: see <see cref="WaitToWriteAsync"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryWrite(ReadOnlySpan<byte> utf8Line)
    {
        utf8Line = JsonText.Valid(utf8Line);
        return utf8Line.Length <= _limits.MaxLineBytes
            ? TryAdd(EntryKind.Line, utf8Line)
            : TryAdd(EntryKind.Line, CutLine(utf8Line));
    }

    /// <summary>Appends one line without waiting. False when the pipeline is full.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryWrite(ReadOnlySpan<char> line)
    {
        // Three bytes a character is the most there can be; counting them exactly pays only for long lines.
        var maxBytes = line.Length <= 512 ? line.Length * 3 : Encoding.UTF8.GetByteCount(line);
        if (maxBytes > _limits.MaxLineBytes)
        {
            return TryWrite(Encoding.UTF8.GetBytes(line.ToArray()));
        }

        lock (_writing)
        {
            if (_closed)
            {
                return true;
            }

            return (Open() is { } batch && batch.TryAdd(SinceOpening(batch), line, maxBytes))
                || (OpenNext() is { } next && next.TryAdd(0, line, maxBytes));
        }
    }

    /// <summary>Waits until there may be room again.</summary>
    public async ValueTask WaitToWriteAsync(CancellationToken cancellationToken)
    {
        if (_batches is { } batches)
        {
            await batches.Writer.WaitToWriteAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Appends a typed event: <c>{"type":"event","name":…,"data":…}</c>. It goes only to readers that asked for typed events, and is no
    /// line of the record. As <see cref="WriteAsync(string, CancellationToken)"/> it waits only when the pipeline is full.
    /// </summary>
    /// <param name="name">What happened, such as <c>step-start</c>: 1 to 64 ASCII letters, digits, dots, dashes and underscores.</param>
    /// <param name="utf8Json">One JSON value.</param>
    /// <param name="cancellationToken">Ends the wait; the event is then not written.</param>
    /// <exception cref="ArgumentException">The name or the size is not allowed, or it is no JSON: the caller's mistake.</exception>
    public async ValueTask EmitAsync(string name, ReadOnlyMemory<byte> utf8Json, CancellationToken cancellationToken = default)
    {
        var entry = LogEvent.Pack(name, utf8Json.Span);
        while (!TryAdd(EntryKind.Event, entry))
        {
            await WaitToWriteAsync(cancellationToken);
        }
    }

    /// <summary>Appends a <c>status</c> frame with this document.</summary>
    internal async ValueTask WriteStatusAsync(ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
    {
        while (!TryAdd(EntryKind.Status, document.Span))
        {
            await WaitToWriteAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Ends the log: what was written before is numbered, and then <paramref name="ending"/> gives the <c>result</c> frame. Later lines are
    /// dropped.
    /// </summary>
    internal Task SealAsync(LogEnding ending) => CloseAsync(ending);

    /// <summary>Stops writing, when what was written before is stored. The log has no end: another process goes on with it.</summary>
    internal Task LeaveAsync() => CloseAsync(ending: null);

    private async Task CloseAsync(LogEnding? ending)
    {
        lock (_writing)
        {
            _closed = true;
            _ending = ending;
        }

        _batches?.Writer.TryComplete();
        await _writer;
        _writer = Task.CompletedTask;
    }

    private async ValueTask WriteWhenThereIsRoomAsync(string line, CancellationToken cancellationToken)
    {
        do
        {
            await WaitToWriteAsync(cancellationToken);
        }
        while (!TryWrite(line));
    }

    private async ValueTask WriteWhenThereIsRoomAsync(ReadOnlyMemory<byte> utf8Line, CancellationToken cancellationToken)
    {
        do
        {
            await WaitToWriteAsync(cancellationToken);
        }
        while (!TryWrite(utf8Line.Span));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryAdd(EntryKind kind, ReadOnlySpan<byte> utf8)
    {
        lock (_writing)
        {
            if (_closed)
            {
                return true;
            }

            return (Open() is { } batch && batch.TryAdd(kind, SinceOpening(batch), utf8))
                || (OpenNext() is { } next && next.TryAdd(kind, 0, utf8));
        }
    }

    // The open batch is in the channel already: the writer takes it as it finds it, and lines that come meanwhile ride along.
    private LineBatch? Open() => _open ?? OpenNext();

    private LineBatch? OpenNext()
    {
        var batch = new LineBatch(_pool, _time.GetUtcNow(), Environment.TickCount64);
        if (_batches!.Writer.TryWrite(batch))
        {
            return _open = batch;
        }

        batch.Return();
        return null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int SinceOpening(LineBatch batch) => (int)(_hasSystemClock
        ? Environment.TickCount64 - batch.OpenedTick
        : (_time.GetUtcNow() - batch.OpenedAt).TotalMilliseconds);

    private byte[] CutLine(ReadOnlySpan<byte> line)
    {
        var note = Encoding.UTF8.GetBytes($" [cut: the line had {line.Length} bytes, the limit is {_limits.MaxLineBytes}]");
        return [.. line[..JsonText.CutAt(line, _limits.MaxLineBytes - note.Length)], .. note];
    }
}

/// <summary>Limits of one log, in bytes: see <see cref="ExecutionOptions"/>.</summary>
internal sealed record ExecutionLogLimits(int WindowBytes, int MaxLineBytes);

/// <summary>The first frame of a log: a <c>status</c>.</summary>
/// <param name="Message">Its <c>message</c>.</param>
/// <param name="Document">Its <c>data</c>.</param>
internal sealed record LogOpening(string Message, ReadOnlyMemory<byte> Document);

/// <summary>How a log ends.</summary>
/// <param name="Render">
/// Writes the document of the <c>result</c> frame and gives what the store keeps beside it. Called when every line is there; a second time when
/// the store did not take the first result. Its second argument is what went wrong with the store so far; null: nothing.
/// </param>
/// <param name="Show">Called once, right before readers can see the result.</param>
internal sealed record LogEnding(Func<ArrayBufferWriter<byte>, Exception?, ValueTask<RenderedEnd>> Render, Action Show);

/// <summary>What is known of a log's end when its document is written.</summary>
/// <param name="End">What the store keeps beside it; null: there is no store.</param>
/// <param name="Quote">Which part of the document repeats lines of the log.</param>
internal readonly record struct RenderedEnd(StoredEnd? End, LineQuote Quote);
