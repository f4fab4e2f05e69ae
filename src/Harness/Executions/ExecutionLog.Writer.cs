using System.Runtime.CompilerServices;

namespace Harness.Executions;

/// <content>The log writer: takes batches out of the pipeline, numbers and encodes what is in them.</content>
public sealed partial class ExecutionLog
{
    private async Task RunAsync(ReadOnlyMemory<byte> opening, string openingMessage)
    {
        try
        {
            AppendDocument(_encoder.Head("status", openingMessage), opening.Span, _time.GetUtcNow());
            await CommitAsync(isLast: false);
            while (await _batches.Reader.WaitToReadAsync())
            {
                while (_batches.Reader.TryRead(out var batch))
                {
                    Claim(batch);
                    Append(batch);
                    batch.Return();
                    if (_uncommittedBytes >= MaxCommitBytes)
                    {
                        await CommitAsync(isLast: false);

                        // To the end of the pool's queue, behind the readers just woken: else a body that never pauses leaves them no
                        // processor, and they fall behind the window without being slow.
                        await Task.Yield();
                    }
                }

                await CommitAsync(isLast: false);
            }

            AppendDocument(_encoder.Head("result"), _renderResult!().Span, _time.GetUtcNow());
            await CommitAsync(isLast: true);
        }
        catch (Exception)
        {
            Abandon();
            throw;
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

    // The store failed. Lines are dropped from here on, and readers end after what was committed.
    private void Abandon()
    {
        lock (_writing)
        {
            _closed = true;
            _open = null;
        }

        _batches.Writer.TryComplete();
        while (_batches.Reader.TryRead(out var batch))
        {
            batch.Return();
        }

        IsSealed = true;
        Ring();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Append(LineBatch batch)
    {
        while (batch.TryRead(out var kind, out var milliseconds, out var utf8))
        {
            var at = batch.OpenedAt.AddMilliseconds(milliseconds);
            if (kind == EntryKind.Line)
            {
                var sequence = _sequence + 1;
                var size = _encoder.SizeOfLog(JsonText.EscapedLength(utf8), sequence);
                _encoder.WriteLog(Reserve(size), utf8, sequence, at);
            }
            else if (kind == EntryKind.Status)
            {
                AppendDocument(_encoder.Head("status"), utf8, at);
            }
            else
            {
                AppendDocument(_encoder.EventHead(LogEvent.NameIn(utf8)), LogEvent.DataIn(utf8), at);
                _tail.HasEvents = true;
            }
        }
    }

    private void AppendDocument(ReadOnlySpan<byte> head, ReadOnlySpan<byte> data, DateTimeOffset at)
    {
        var sequence = _sequence + 1;
        var size = FrameEncoder.SizeOfDocument(head.Length, data.Length, sequence);
        _encoder.WriteDocument(Reserve(size), head, data, sequence, at);
    }
}
