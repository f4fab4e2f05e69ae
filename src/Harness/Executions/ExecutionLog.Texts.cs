namespace Harness.Executions;

/// <content>Frames in other formats, made once for all who read them.</content>
public sealed partial class ExecutionLog
{
    // Fewer readers are better off writing what they need where it goes.
    private const int ReadersThatShare = 3;

    // The newest few segments' worth: readers that follow are all there, and those far behind come by one after the other. Making one more
    // drops the oldest, whose readers keep it until they leave it.
    private const int MaxTexts = 6;

    // Under the readers' lock; replaced, never changed.
    private FrameText[] _texts = [];

    internal bool HasReadersThatShare => ReaderCount >= ReadersThatShare;

    /// <summary>
    /// The text of a segment's frames in a format, held for the caller; null when too few read this log, or when the memory of all logs is
    /// used up.
    /// </summary>
    /// <param name="segment">The segment, which the caller holds.</param>
    /// <param name="format">A format with a key.</param>
    /// <param name="first">Sequence from which on the caller needs it.</param>
    /// <param name="offset">Where that frame begins in the segment.</param>
    internal FrameText? HoldText(LogSegment segment, IFrameFormat format, long first, int offset)
    {
        if (!HasReadersThatShare)
        {
            return null;
        }

        lock (_readers)
        {
            foreach (var text in _texts)
            {
                if (text.Is(segment, format))
                {
                    return text.TryHold() ? text : null;
                }
            }

            if (!_pool.HasRoomForTexts || _cursors.Length < ReadersThatShare)
            {
                return null;
            }

            var made = new FrameText(_pool, segment, format, first, offset);
            if (_texts.Length == MaxTexts)
            {
                _texts[0].Release();
            }

            _texts = [.. _texts[Math.Max(0, _texts.Length + 1 - MaxTexts)..], made];
            made.TryHold();
            return made;
        }
    }

    // Under the readers' lock, when a reader has gone.
    private void DropTexts()
    {
        if (_cursors.Length < ReadersThatShare && _texts.Length > 0)
        {
            Array.ForEach(_texts, text => text.Release());
            _texts = [];
        }
    }
}
