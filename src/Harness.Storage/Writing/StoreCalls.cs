using Harness.Executions;

namespace Harness.Storage.Writing;

/// <summary>What is written for what is to be kept.</summary>
internal static class StoreCalls
{
    // Rows and index entries beside the blobs, for the bound of a transaction.
    private const int BytesPerCall = 256;

    /// <param name="append">What is to be kept.</param>
    /// <param name="copies">True when it is written after the caller has its memory back.</param>
    public static WriteItem ToItem(StoreAppend append, bool copies)
    {
        var calls = new List<SqlCall>(append.Frames.Count + 2);
        if (append.Created is { } created)
        {
            AddCreated(calls, created);
        }

        if (append.IsRepair)
        {
            AddRepair(calls, append);
        }

        var bytes = 0;
        foreach (var frames in append.Frames)
        {
            var packed = Keep(frames.Packed, copies);
            bytes += packed.Length;
            calls.Add(new SqlCall(StoreSql.AddFrames, append.Execution, frames.First, frames.Last, (long)packed.Length, new Stretch(packed)));
        }

        if (append.Ended is { } end)
        {
            var details = Keep(end.Details, copies);
            bytes += details.Length;
            calls.Add(new SqlCall(
                StoreSql.End,
                append.Execution,
                end.Status.ToWire(),
                end.CompletedAt.UtcTicks,
                StoredText.CleanOrNull(end.Error),
                StoredText.CleanOrNull(end.CancelReason),
                StoredText.CleanOrNull(end.ClosingLine),
                details.IsEmpty ? null : (object)details,
                end.LastSequence,
                end.Bytes,
                (long)details.Length));
        }

        return new WriteItem(append.Execution, calls, bytes + BytesPerCall * calls.Count)
        {
            IsRepair = append.IsRepair,
            IsEnd = append.Ended is not null,
            NeedsRoom = append.Ended is null || (append.Created is not null && !append.IsRepair),
        };
    }

    /// <summary>Deletes an execution, whose number stays taken.</summary>
    public static SqlCall[] Delete(long execution) =>
    [
        new(StoreSql.RememberNumber, execution),
        new(StoreSql.DeleteLabels, execution),
        new(StoreSql.DeleteFrames, execution),
        new(StoreSql.Delete, execution),
    ];

    /// <summary>Deletes the frames before a sequence, <paramref name="trimmed"/> bytes with all that went before.</summary>
    public static SqlCall[] Trim(long execution, long first, long trimmed) =>
        [new(StoreSql.TrimFrames, execution, first), new(StoreSql.Trim, execution, first, trimmed)];

    private static void AddCreated(List<SqlCall> calls, StoredExecution created)
    {
        calls.Add(new SqlCall(
            StoreSql.Create,
            created.Number,
            created.Id,
            created.Epoch,
            created.Kind,
            StoredText.Clean(created.Name),
            StoredText.Labels(created.Labels),
            StoredText.CleanOrNull(created.IdempotencyKey),
            StoredText.Clean(created.Request),
            created.StartedAt.UtcTicks,
            created.FirstSequence));
        foreach (var (name, value) in created.Labels)
        {
            calls.Add(new SqlCall(StoreSql.AddLabel, created.Number, StoredText.Clean(name), StoredText.Clean(value)));
        }
    }

    private static void AddRepair(List<SqlCall> calls, StoreAppend append)
    {
        calls.Add(new SqlCall(StoreSql.Reopen, append.Execution));
        if (append.Created is { IdempotencyKey: null })
        {
            // It may be there with the key it had when it was said not to be kept, and has given back since.
            calls.Add(new SqlCall(StoreSql.DropKey, append.Execution));
        }

        if (append.Frames.Count > 0)
        {
            calls.Add(new SqlCall(StoreSql.DropFrames, append.Execution, append.Frames[0].First));
        }
    }

    private static ReadOnlyMemory<byte> Keep(ReadOnlyMemory<byte> memory, bool copies) => copies ? memory.ToArray() : memory;
}
