using System.Text;
using Harness.Executions;
using Harness.Storage.Writing;

namespace Harness.Storage;

/// <summary>
/// Executions in a database. All that is written goes through one queue to one writer, which puts what is there into one transaction; reads
/// go beside it on connections of their own.
/// </summary>
internal sealed partial class ExecutionStore(IStoreDatabase database, StoreOptions options) : IExecutionStore
{
    private readonly StoreReads _reads = new(database);

    public bool IsPersistent => true;

    public async Task<StoreOpening> OpenAsync(CancellationToken cancellationToken)
    {
        await database.OpenAsync(cancellationToken);
        var meta = await _reads.QueryAsync(
            new SqlCall(StoreSql.Meta), row => (Epoch: row.GetString(0), Last: row.GetInt64(1)), cancellationToken);
        var unfinished = await _reads.QueryAsync(new SqlCall(StoreSql.Unfinished), StoredRow.Read, cancellationToken);
        return new StoreOpening(meta[0].Epoch, meta[0].Last, unfinished);
    }

    public ValueTask AppendAsync(StoreAppend append, CancellationToken cancellationToken)
    {
        var writes = Writes;
        return new ValueTask(writes.AppendAsync(StoreCalls.ToItem(append, copies: writes.IsBehind), cancellationToken));
    }

    public string? Problem => database.Problem;

    public ValueTask<IReadOnlyList<StoredFrames>> ReadAsync(long execution, long from, int maxBytes, CancellationToken cancellationToken) =>
        ReadStretchesAsync(new Stretches(execution, from, IsBackward: false), maxBytes, cancellationToken);

    public ValueTask<IReadOnlyList<StoredFrames>> ReadBackwardAsync(
        long execution, long before, int maxBytes, CancellationToken cancellationToken) =>
        ReadStretchesAsync(new Stretches(execution, before, IsBackward: true), maxBytes, cancellationToken);

    public ValueTask<StoredExecution?> FindAsync(string id, CancellationToken cancellationToken) =>
        FindAsync(new SqlCall(StoreSql.FindById, StoredText.Clean(id)), cancellationToken);

    public ValueTask<StoredExecution?> FindByKeyAsync(string key, CancellationToken cancellationToken) =>
        FindAsync(new SqlCall(StoreSql.FindByKey, StoredText.Clean(key)), cancellationToken);

    public async ValueTask<IReadOnlyList<StoredExecution>> ListAsync(
        ExecutionFilter filter, long before, int limit, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        return await _reads.QueryAsync(ListCall(filter, before, limit), StoredRow.Read, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();

        // A sweep that was under way has failed by now.
        await _sweeping.WaitAsync(CancellationToken.None);
        _sweeping.Dispose();
    }

    /// <summary>For tests: statements of their own, in a transaction of the writer.</summary>
    internal Task WriteAsync(string text, CancellationToken cancellationToken) =>
        Writes.WriteAsync(new WriteItem(0, [new SqlCall(new SqlText(text))], 0) { IsAlone = true }, cancellationToken);

    private WriteQueue Writes => database.Writes ?? throw new StoreException("The store was opened for reading only");

    // What was appended is found, also when it is written behind.
    private Task SettleAsync(CancellationToken cancellationToken) =>
        options.Durability == StoreDurability.None && database.Writes is { } writes ? writes.FlushAsync(cancellationToken) : Task.CompletedTask;

    private async ValueTask<StoredExecution?> FindAsync(SqlCall call, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        var found = await _reads.QueryAsync(call, StoredRow.Read, cancellationToken);
        return found.Count > 0 ? found[0] : null;
    }

    // A label leads when there is one: its index has the executions that match, in the order of the list.
    private static SqlCall ListCall(ExecutionFilter filter, long before, int limit)
    {
        var (names, values) = (new List<string> { "before", "limit" }, new List<object?> { before, limit });
        var (tables, where) = (new StringBuilder(), new StringBuilder("e.number < @before"));
        var number = "e.number";
        foreach (var (name, value) in filter.Labels)
        {
            var label = $"l{names.Count}";
            tables.Append($"label {label}, ");
            where.Append($" AND {label}.name = @{label}n AND {label}.value = @{label}v AND {label}.execution = {number}");
            if (tables.Length > 0 && number == "e.number")
            {
                number = $"{label}.execution";
                where.Append($" AND {number} < @before");
            }

            names.AddRange([$"{label}n", $"{label}v"]);
            values.AddRange([StoredText.Clean(name), StoredText.Clean(value)]);
        }

        if (filter.Status is { } status)
        {
            where.Append(" AND e.status = @status");
            names.Add("status");
            values.Add(status.ToWire());
        }

        if (filter.Kind is { } kind)
        {
            where.Append(" AND e.kind = @kind");
            names.Add("kind");
            values.Add(kind);
        }

        var columns = filter.WithoutDetails ? StoreSql.ListColumns : StoreSql.Columns;
        var text = $"SELECT {columns} FROM {tables}execution e WHERE {where} ORDER BY {number} DESC LIMIT @limit";
        return new SqlCall(new SqlText(text, [.. names]), [.. values]);
    }

    private async ValueTask<IReadOnlyList<StoredFrames>> ReadStretchesAsync(Stretches wanted, int maxBytes, CancellationToken cancellationToken)
    {
        await SettleAsync(cancellationToken);
        return await _reads.RunAsync(
            async connection =>
            {
                // From the start when a lost connection is replaced.
                var (place, found, bytes) = (wanted, new List<StoredFrames>(), 0L);
                while (await place.NextAsync(connection, maxBytes - bytes, cancellationToken) is { } range)
                {
                    // What is compressed may be enough before the end of what its length promised.
                    var call = new SqlCall(place.IsBackward ? StoreSql.FramesBackward : StoreSql.Frames, place.Execution, range.First, range.Last);
                    await foreach (var frames in StoreReads.EnumerateAsync(connection, call, ReadFrames, cancellationToken))
                    {
                        found.Add(frames);
                        bytes += frames.Packed.Length;
                        if (bytes >= maxBytes)
                        {
                            return (IReadOnlyList<StoredFrames>)found;
                        }
                    }

                    place = place with { At = place.IsBackward ? range.First : range.End + 1 };
                }

                return found;
            },
            cancellationToken);
    }

    private static StoredFrames ReadFrames(System.Data.Common.DbDataReader row) =>
        new(row.GetInt64(0), row.GetInt64(1), StoredStretch.Read(row.GetFieldValue<byte[]>(2)));

    /// <summary>A place in the stretches of an execution, and the direction they are read in.</summary>
    private sealed record Stretches(long Execution, long At, bool IsBackward)
    {
        /// <summary>Which come next, until they are so many bytes or more; null: none.</summary>
        public async Task<(long First, long Last, long End)?> NextAsync(
            System.Data.Common.DbConnection connection, long maxBytes, CancellationToken cancellationToken)
        {
            var rows = await StoreReads.QueryAsync(
                connection,
                new SqlCall(IsBackward ? StoreSql.Backward : StoreSql.Forward, Execution, At),
                row => (First: row.GetInt64(0), Last: row.GetInt64(1), Length: row.GetInt64(2)),
                cancellationToken);
            if (!IsBackward)
            {
                // The one that begins before the place may end before it too: then it lies in a gap.
                rows.RemoveAll(row => row.Last < At);
            }

            if (rows.Count == 0)
            {
                return null;
            }

            var (count, bytes) = (1, rows[0].Length);
            for (; count < rows.Count && bytes < maxBytes; count++)
            {
                bytes += rows[count].Length;
            }

            var last = rows[count - 1];
            return IsBackward ? (last.First, rows[0].First, rows[0].Last) : (rows[0].First, last.First, last.Last);
        }
    }
}
