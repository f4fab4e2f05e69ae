namespace Harness.Executions;

/// <summary>
/// One log's part in the store. The log writer appends; readers that are behind what memory keeps load stretches back. Those that read the
/// same place at the same time share one load. Thread-safe.
/// </summary>
internal sealed class LogArchive
{
    // Loaded stretches kept for readers that come right behind: at most 128 KiB each while somebody reads here, none else.
    private const int MaxRecent = 4;

    // Packed frames are half as large: about one full segment's worth.
    private const int LoadBytes = SegmentPool.LargestSegment * 3 / 8;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly List<LogSegment> _recent = [];
    private readonly IExecutionStore _store;
    private readonly SegmentPool _pool;
    private readonly TimeProvider _time;
    private StoredExecution _execution;
    private bool _isNew;
    private SharedLoad? _loading;
    private volatile StoreAppend? _unsaved;
    private long _bytes;
    private long _first;
    private int _readers;

    /// <param name="store">Keeps it.</param>
    /// <param name="execution">Whose log.</param>
    /// <param name="isNew">True when the store does not know the execution yet: it goes with the first frames.</param>
    /// <param name="pool">Memory for what is loaded.</param>
    /// <param name="time">For pauses between attempts.</param>
    public LogArchive(IExecutionStore store, StoredExecution execution, bool isNew, SegmentPool pool, TimeProvider time)
    {
        _store = store;
        _execution = execution;
        _isNew = isNew;
        _pool = pool;
        _time = time;
        _bytes = execution.Bytes;
        _first = execution.FirstSequence;
    }

    /// <summary>Sequence of the oldest frame kept.</summary>
    public long FirstSequence => Interlocked.Read(ref _first);

    /// <summary>Packed bytes of all frames so far.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Keeps frames. For the log writer, one call at a time.</summary>
    /// <param name="parts">The frames, in order.</param>
    /// <param name="end">How it ended, with the last frames; <see cref="StoredEnd.Bytes"/> is filled in here.</param>
    /// <param name="isRepair">See <see cref="StoreAppend.IsRepair"/>.</param>
    public async ValueTask AppendAsync(IReadOnlyList<LogPart> parts, StoredEnd? end, bool isRepair)
    {
        var frames = new StoredFrames[parts.Count];
        var bytes = Bytes;
        for (var i = 0; i < frames.Length; i++)
        {
            frames[i] = parts[i].Stretch!.Close();
            bytes += frames[i].Packed.Length;
        }

        var append = new StoreAppend
        {
            Execution = _execution.Number,
            Created = _isNew || isRepair ? _execution : null,
            Frames = frames,
            Ended = end is null ? null : end with { Bytes = bytes },
            IsRepair = isRepair,
        };

        try
        {
            await _store.AppendAsync(append, CancellationToken.None);
        }
        catch
        {
            if (_isNew)
            {
                // Who started it is told that it was not: the next one with this key is a new one, and the store takes only one of them.
                _execution = _execution with { IdempotencyKey = null };
            }

            if (end is not null)
            {
                // Without its end the execution would be taken for one that runs: kept until the store takes it, longer than this memory is ours.
                _unsaved = append with
                {
                    Created = _execution,
                    Frames = [.. frames.Select(part => part with { Packed = part.Packed.ToArray() })],
                    IsRepair = true,
                };
            }

            throw;
        }

        _unsaved = null;
        Interlocked.Exchange(ref _bytes, bytes);
        _isNew = false;
    }

    /// <summary>True while the store does not have the end of this log, which readers have seen.</summary>
    public bool IsUnsaved => _unsaved is not null;

    /// <summary>Gives the store the end once more. For one caller at a time, when the log writer is through.</summary>
    /// <exception cref="StoreException">It is still not taken.</exception>
    public async ValueTask SaveAsync(CancellationToken cancellationToken)
    {
        if (_unsaved is { } append)
        {
            await _store.AppendAsync(append, cancellationToken);
            _unsaved = null;
        }
    }

    /// <summary>Takes note that older frames are gone.</summary>
    public void Trim(long first)
    {
        var seen = FirstSequence;
        while (seen < first)
        {
            var before = Interlocked.CompareExchange(ref _first, first, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }

    /// <summary>A reader comes: until it leaves, what is loaded is shared.</summary>
    public void Attach()
    {
        lock (_gate)
        {
            _readers++;
        }
    }

    /// <summary>A reader leaves; with the last one goes what was loaded.</summary>
    public void Detach()
    {
        LogSegment[] dropped;
        lock (_gate)
        {
            if (--_readers > 0)
            {
                return;
            }

            dropped = [.. _recent];
            _recent.Clear();
        }

        Array.ForEach(dropped, segment => segment.Release());
    }

    /// <summary>
    /// The frames from <paramref name="from"/> on, or from the oldest later one; held for the caller. Null: there are none any more. While
    /// the store cannot be read it is tried again, until the token says that nobody waits.
    /// </summary>
    public async Task<LogSegment?> LoadAsync(long from, CancellationToken cancellationToken)
    {
        var pause = TimeSpan.FromMilliseconds(20);
        while (true)
        {
            try
            {
                return await LoadOnceAsync(from, cancellationToken);
            }
            catch (StoreException)
            {
                await Task.Delay(pause, _time, cancellationToken);
                pause = pause < LongestPause ? 2 * pause : LongestPause;
            }
        }
    }

    /// <summary>As <see cref="LoadAsync"/>, tried once.</summary>
    /// <exception cref="StoreException">It cannot be read now.</exception>
    public async Task<LogSegment?> LoadOnceAsync(long from, CancellationToken cancellationToken)
    {
        SharedLoad load;
        lock (_gate)
        {
            if (_recent.Find(segment => segment.Contains(from)) is { } recent)
            {
                // It is ours as long as it is in the list.
                recent.TryHold();
                return recent;
            }

            if (_loading is not { IsDone: false } loading || loading.From != from)
            {
                var begun = loading = new SharedLoad(from);

                // A driver may read on the caller's thread, which is a reader's.
                loading.Segment = Task.Run(() => ReadAsync(begun), CancellationToken.None);
                _loading = loading;
            }

            loading.Waiters++;
            load = loading;
        }

        try
        {
            return await load.Segment.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = ReleaseAsync(load.Segment);
            throw;
        }
    }

    /// <summary>The newest stretch that begins before a sequence; held for the caller, who does not share it. Null: there is none.</summary>
    /// <exception cref="StoreException">It cannot be read now.</exception>
    public async Task<LogSegment?> LoadBackwardAsync(long before, CancellationToken cancellationToken)
    {
        while (await _store.ReadBackwardAsync(_execution.Number, before, 1, cancellationToken) is { Count: > 0 } stretches)
        {
            if (FramePacker.TryReadHeader(stretches[0], out var header))
            {
                // Only its lines are wanted, not the result that may repeat them.
                return Unpack([(stretches[0], header)], default);
            }

            before = stretches[0].First;
        }

        return null;
    }

    private async Task<LogSegment?> ReadAsync(SharedLoad load)
    {
        try
        {
            var segment = await ReadStretchesAsync(load.From);
            LogSegment? dropped = segment;
            lock (_gate)
            {
                load.IsDone = true;
                for (var waiter = 0; waiter < load.Waiters; waiter++)
                {
                    segment?.TryHold();
                }

                if (_readers > 0 && segment is not null)
                {
                    _recent.Add(segment);
                    dropped = _recent.Count > MaxRecent ? _recent[0] : null;
                    _recent.RemoveRange(0, dropped is null ? 0 : 1);
                }
            }

            dropped?.Release();
            return segment;
        }
        finally
        {
            lock (_gate)
            {
                load.IsDone = true;
            }
        }
    }

    // Who no longer waits gives back what was held for it.
    private static async Task ReleaseAsync(Task<LogSegment?> loading)
    {
        await ((Task)loading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (loading.IsCompletedSuccessfully)
        {
            (await loading)?.Release();
        }
    }

    private async Task<LogSegment?> ReadStretchesAsync(long from)
    {
        while (await _store.ReadAsync(_execution.Number, from, LoadBytes, CancellationToken.None) is { Count: > 0 } stretches)
        {
            var sound = Sound(stretches);
            if (sound.Count > 0)
            {
                var (last, header) = sound[^1];
                return Unpack(sound, await QuotedLines.ReadAsync(_store, _execution.Number, last, header, CancellationToken.None));
            }

            // Damaged beyond reading: the reader is told that these are gone, and goes on after them.
            from = stretches[0].Last + 1;
        }

        return null;
    }

    // As many as make one segment, and none behind a gap or a damaged one.
    private static List<(StoredFrames Stretch, PackedHeader Header)> Sound(IReadOnlyList<StoredFrames> stretches)
    {
        var (sound, bytes) = (new List<(StoredFrames, PackedHeader)>(), 0);
        foreach (var stretch in stretches)
        {
            if (!FramePacker.TryReadHeader(stretch, out var header)
                || (sound.Count > 0 && (stretch.First != sound[^1].Item1.Last + 1 || bytes + header.FrameBytes > SegmentPool.LargestSegment)))
            {
                break;
            }

            bytes += header.FrameBytes;
            sound.Add((stretch, header));
        }

        return sound;
    }

    private LogSegment Unpack(List<(StoredFrames Stretch, PackedHeader Header)> stretches, ReadOnlyMemory<byte> quoted)
    {
        var segment = _pool.Rent(stretches.Sum(part => part.Header.FrameBytes), stretches[0].Stretch.First, isLoaded: true);
        foreach (var (stretch, header) in stretches)
        {
            segment.HasEvents |= header.HasEvents;
            FramePacker.Unpack(_execution.Id, stretch, header, segment.Reserve(header.FrameBytes, header.Count), quoted.Span);
        }

        segment.Commit();
        return segment;
    }

    /// <summary>A read that several readers may wait for. The segment is held once for each of them.</summary>
    private sealed class SharedLoad(long from)
    {
        public long From => from;

        public Task<LogSegment?> Segment { get; set; } = Task.FromResult<LogSegment?>(null);

        public int Waiters { get; set; }

        public bool IsDone { get; set; }
    }
}

/// <summary>Frames that were written into a segment and are not committed yet.</summary>
/// <param name="Segment">Where.</param>
/// <param name="Stretch">The same, as the store keeps them; null: there is none.</param>
internal readonly record struct LogPart(LogSegment Segment, StretchWriter? Stretch);
