using System.Data.Common;
using Harness.Executions;

namespace Harness.Storage;

/// <summary>Rows as both drivers give them. What one cannot mean is left out: it is not to take the others of a list with it.</summary>
internal static class StoredRow
{
    /// <summary>An execution from <see cref="StoreSql.Columns"/>.</summary>
    public static StoredExecution Read(DbDataReader row)
    {
        var last = row.GetInt64(16);
        var bytes = row.GetInt64(17);
        var labels = StoredText.LabelsOrNull(row.GetString(5));
        var startedAt = row.GetInt64(8);
        return new StoredExecution
        {
            Number = row.GetInt64(0),
            Id = row.GetString(1),
            Epoch = row.GetString(2),
            Kind = row.GetString(3),
            Name = row.GetString(4),
            Labels = labels ?? [],
            IdempotencyKey = TextOrNull(row, 6),
            Request = row.GetString(7),
            StartedAt = TimeOf(startedAt),
            FirstSequence = row.GetInt64(9),
            LastSequence = last,
            Bytes = bytes,
            IsDamaged = labels is null || !IsTime(startedAt) || (!row.IsDBNull(11) && !IsTime(row.GetInt64(11))),
            End = row.IsDBNull(11) ? null : ReadEnd(row, last, bytes),
        };
    }

    private static StoredEnd ReadEnd(DbDataReader row, long last, long bytes) => new(
        ExecutionStatusWords.Parse(row.GetString(10)) ?? ExecutionStatus.Failed,
        TimeOf(row.GetInt64(11)),
        TextOrNull(row, 12),
        TextOrNull(row, 13),
        TextOrNull(row, 14),
        row.IsDBNull(15) ? default(ReadOnlyMemory<byte>) : row.GetFieldValue<byte[]>(15),
        last,
        bytes);

    private static bool IsTime(long ticks) => TimeOf(ticks).Ticks == ticks;

    private static DateTimeOffset TimeOf(long ticks) => new(Math.Clamp(ticks, 0, DateTimeOffset.MaxValue.Ticks), TimeSpan.Zero);

    private static string? TextOrNull(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
