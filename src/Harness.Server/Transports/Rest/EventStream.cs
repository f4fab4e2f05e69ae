using System.Buffers;
using Harness.Executions;

namespace Harness.Server.Transports.Rest;

/// <summary>
/// One client of server-sent events: a place in the log, and no more memory than one batch of text. A client that does not read stops this
/// stream and nothing else.
/// </summary>
internal sealed class EventStream : ILogWatcher, IDisposable
{
    // What is written before the client must have taken it: a wake-up is one write, a backlog several.
    private const int BatchBytes = 64 * 1024;

    private readonly HttpContext _context;
    private readonly LogCursor _cursor;
    private readonly IEventText _text;

    private readonly Lock _gate = new();
    private readonly StreamBell _bell = new();
    private readonly CancellationToken _stop;
    private readonly CancellationTokenRegistration _stopping;

    // What is left of the range the cursor gave: text (that others write too, or of an event longer than a batch) before frames.
    private ReadOnlyMemory<byte> _rest;
    private ReadOnlyMemory<byte> _frames;
    private long _sequence;
    private long _writingSince;
    private long _wroteAt;
    private volatile bool _wantsHeartbeat;
    private volatile bool _finishing;
    private bool _isOver;

    public EventStream(HttpContext context, Execution execution, SubscribeCommand command, IEventText text, long now)
    {
        _context = context;
        _stop = context.RequestAborted;
        _cursor = SubscriptionStart.Open(execution, command, this).Cursor;
        _text = text;
        _wroteAt = now;
        _stopping = _stop.UnsafeRegister(static bell => ((StreamBell)bell!).Ring(), _bell);
    }

    /// <summary>Writes until the end of the execution, of the client, or of the server. Does not throw for either.</summary>
    /// <param name="time">What the heartbeat reckons by.</param>
    public async Task RunAsync(TimeProvider time)
    {
        try
        {
            _text.WriteOpening(_context.Response.BodyWriter);
            await FlushAsync(time);
            while (true)
            {
                await WaitForTurnAsync();
                while (TakeBatch())
                {
                    await FlushAsync(time);
                    await WaitForTurnAsync();
                }

                if (_cursor.IsAtEnd)
                {
                    _text.WriteEnd(_context.Response.BodyWriter);
                    await FlushAsync(time);
                    return;
                }

                if (_text.IsDone || (_finishing && _cursor.IsUpToDate))
                {
                    return;
                }

                if (_cursor.TryPark())
                {
                    await WaitAsync(time);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client or the server ended it: nobody is left to tell.
        }
    }

    /// <summary>Asks for a heartbeat when nothing was written for a while; cuts a client that has not taken a batch in time.</summary>
    public void Beat(long now, TimeSpan heartbeat, TimeSpan slowLimit)
    {
        if (Interlocked.Read(ref _writingSince) is var since and > 0)
        {
            if (now - since >= slowLimit.TotalMilliseconds)
            {
                Cut();
            }
        }
        else if (now - Interlocked.Read(ref _wroteAt) >= heartbeat.TotalMilliseconds)
        {
            _wantsHeartbeat = true;
            _bell.Ring();
        }
    }

    /// <summary>Ends after what there is now, without a word that this was all.</summary>
    public void Finish()
    {
        _finishing = true;
        _bell.Ring();
    }

    /// <summary>Ends the connection, whatever it is doing; does nothing when the request has ended, since others have its context then.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _context.Abort();
            }
        }
    }

    public void OnAppended() => _bell.Ring();

    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
        }

        _stopping.Dispose();
        _cursor.Dispose();
    }

    // False when there is nothing to write.
    private bool TakeBatch()
    {
        var output = _context.Response.BodyWriter;
        while (output.UnflushedBytes < BatchBytes)
        {
            if (!_rest.IsEmpty)
            {
                var length = Math.Min(_rest.Length, BatchBytes);
                _rest.Span[..length].CopyTo(output.GetSpan(length));
                output.Advance(length);
                _rest = _rest[length..];
            }
            else if (!_frames.IsEmpty)
            {
                var (start, length) = WebSocketFrame.Measure(_frames.Span);
                var whole = length > BatchBytes ? new ArrayBufferWriter<byte>(length + EventText.MaxHeadBytes) : null;
                _text.Write(_frames.Span.Slice(start, length), _sequence++, (IBufferWriter<byte>?)whole ?? output);
                _rest = whole?.WrittenMemory ?? default;
                _frames = _text.IsDone ? default : _frames[(start + length)..];
            }
            else if (_text.IsDone || !_cursor.TryTake(out var range))
            {
                break;
            }
            else if (range.IsTruncated)
            {
                _text.WriteTruncation(range, output);
            }
            else if (!_cursor.TryRender(_text, range.First, range.Last, out _rest))
            {
                (_frames, _sequence) = (range.Frames, range.First);
            }
        }

        return output.UnflushedBytes > 0;
    }

    private ValueTask WaitForTurnAsync() => _cursor.WaitForTurnAsync(_rest.Length + _frames.Length);

    private async ValueTask WaitAsync(TimeProvider time)
    {
        await _bell.WaitAsync();
        _stop.ThrowIfCancellationRequested();
        if (_wantsHeartbeat)
        {
            _wantsHeartbeat = false;
            _text.WriteHeartbeat(_context.Response.BodyWriter);
            await FlushAsync(time);
        }
    }

    private async ValueTask FlushAsync(TimeProvider time)
    {
        Interlocked.Exchange(ref _writingSince, Milliseconds(time));
        var result = await _context.Response.BodyWriter.FlushAsync(_stop);
        Interlocked.Exchange(ref _wroteAt, Milliseconds(time));
        Interlocked.Exchange(ref _writingSince, 0);
        if (result.IsCompleted || result.IsCanceled)
        {
            throw new OperationCanceledException("The client is gone");
        }
    }

    /// <summary>The clock of heartbeats, in milliseconds; never 0.</summary>
    public static long Milliseconds(TimeProvider time) => 1 + (long)time.GetElapsedTime(0).TotalMilliseconds;
}
