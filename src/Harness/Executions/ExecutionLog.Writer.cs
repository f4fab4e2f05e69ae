using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <content>The log writer: takes batches out of the pipeline, numbers and encodes what is in them.</content>
public sealed partial class ExecutionLog
{
    // Null once the first frame is stored.
    private volatile TaskCompletionSource? _opened;
    private volatile Exception? _failure;

    /// <summary>The log's part in the store; null when memory is all there is.</summary>
    internal LogArchive? Archive { get; }

    /// <summary>
    /// What went wrong with the store; null: nothing. From then on lines are dropped: readers were shown nothing that the store does not
    /// have, except the <c>result</c> that tells them of it.
    /// </summary>
    internal Exception? Failure => _failure;

    /// <summary>Called on the log writer's thread when <see cref="Failure"/> is set. Set it before the body runs.</summary>
    internal Action? OnFailure { get; set; }

    /// <summary>Ends, never faulted, when the first frame is stored, or when it could not be (<see cref="Failure"/>).</summary>
    internal Task Opened => _opened?.Task ?? Task.CompletedTask;

    private async Task RunAsync(LogOpening? opening)
    {
        try
        {
            await WriteAllAsync(opening);
        }
        catch (Exception e)
        {
            // A fault of our own: readers end after what was committed.
            Fail(e);
            IsSealed = true;
            Ring();
            throw;
        }
        finally
        {
            lock (_writing)
            {
                _closed = true;
            }

            TellOpened();

            // Who waits for room after a fault of our own is to find that nothing is taken any more.
            _batches?.Writer.TryComplete();

            // What has ended is kept for long.
            _batches = null;
            _uncommitted = null!;
            _stretch = null;
            _encoder = null!;
            _ending = null;
            OnFailure = null;
        }
    }

    private void TellOpened()
    {
        _opened?.TrySetResult();
        _opened = null;
    }

    private async Task WriteAllAsync(LogOpening? opening)
    {
        if (opening is not null)
        {
            Append(opening);
            await CommitAsync();
        }

        TellOpened();
        var batches = _batches!.Reader;
        while (await batches.WaitToReadAsync())
        {
            while (batches.TryRead(out var batch))
            {
                Claim(batch);
                if (_failure is null)
                {
                    Append(batch);
                }

                batch.Return();
                if (_uncommittedBytes >= MaxCommitBytes)
                {
                    await CommitAsync();

                    // To the end of the pool's queue, behind the readers just woken: else a body that never pauses leaves them no
                    // processor, and they fall behind the window without being slow.
                    await Task.Yield();
                }
            }

            // The last lines go into the store with the result, if that is known.
            if (Archive is null || !IsEnding())
            {
                await CommitAsync();
            }
        }

        // Without an ending the log is left as it is: another process goes on with it.
        if (_ending is { } ending)
        {
            await EndAsync(opening, ending);
        }
    }

    private async Task EndAsync(LogOpening? opening, LogEnding ending)
    {
        var hadFailed = _failure is not null;
        var end = await AppendResultAsync(opening, ending);
        if (await TryStoreAsync(end, isRepair: hadFailed))
        {
            Publish(ending.Show);
            return;
        }

        // Readers are told what they would else wait for in vain; the archive keeps it until the store takes it.
        if (!hadFailed)
        {
            end = await AppendResultAsync(opening, ending);
            await TryStoreAsync(end, isRepair: true);
        }

        Publish(ending.Show);
    }

    private async ValueTask<StoredEnd?> AppendResultAsync(LogOpening? opening, LogEnding ending)
    {
        if (_sequence == 0 && opening is not null)
        {
            Append(opening);
        }

        var document = SpareDocument.Rent();
        var (end, quote) = await ending.Render(document, _failure);
        AppendDocument(_encoder.Head("result"), document.WrittenSpan, _time.GetUtcNow(), isLast: true, quote);
        SpareDocument.Return(document);
        return end is null ? null : end with { LastSequence = _sequence };
    }

    private bool IsEnding()
    {
        lock (_writing)
        {
            return _ending is not null;
        }
    }

    private void Claim(LineBatch batch)
    {
        lock (_writing)
        {
            if (ReferenceEquals(_open, batch))
            {
                _open = null;
            }
        }
    }

    // What was not stored was shown to nobody: it is taken back, and lines are dropped from here on.
    private void Fail(Exception failure)
    {
        lock (_writing)
        {
            _closed = true;
            _open = null;
        }

        _failure = failure;
        Interlocked.MemoryBarrier();
        Rewind();
        OnFailure?.Invoke();
    }

    private void Append(LogOpening opening) => AppendDocument(_encoder.Head("status", opening.Message), opening.Document.Span, _time.GetUtcNow());

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Append(LineBatch batch)
    {
        while (batch.TryRead(out var kind, out var milliseconds, out var utf8))
        {
            var at = batch.OpenedAt.AddMilliseconds(milliseconds);
            if (kind == EntryKind.Line)
            {
                var sequence = _sequence + 1;
                var size = _encoder.SizeOfLog(JsonText.EscapedLength(utf8), sequence);
                var line = _encoder.WriteLog(Reserve(size, batch), utf8, sequence, at);
                _stretch?.AddLine(line, at.ToUnixTimeMilliseconds(), size);
            }
            else if (kind == EntryKind.Status)
            {
                AppendDocument(_encoder.Head("status"), utf8, at);
            }
            else
            {
                AppendDocument(_encoder.EventHead(LogEvent.NameIn(utf8)), LogEvent.DataIn(utf8), at);
                _tail.HasEvents = true;
                _stretch?.HasEvents = true;
            }
        }
    }

    private void AppendDocument(ReadOnlySpan<byte> head, ReadOnlySpan<byte> data, DateTimeOffset at, bool isLast = false, LineQuote quote = default)
    {
        var sequence = _sequence + 1;
        var size = FrameEncoder.SizeOfDocument(head.Length, data.Length, sequence);
        var json = _encoder.WriteDocument(Reserve(size, isLast: isLast), head, data, sequence, at);
        _quote = quote with { At = head.Length + quote.At };
        _stretch?.AddWhole(json, size, _quote);
    }
}
