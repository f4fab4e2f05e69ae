using System.Data.Common;
using Harness.Executions;

namespace Harness.Storage;

/// <summary>Rows as both drivers give them.</summary>
internal static class StoredRow
{
    /// <summary>An execution from <see cref="StoreSql.Columns"/>.</summary>
    public static StoredExecution Read(DbDataReader row)
    {
        var last = row.GetInt64(16);
        var bytes = row.GetInt64(17);
        return new StoredExecution
        {
            Number = row.GetInt64(0),
            Id = row.GetString(1),
            Epoch = row.GetString(2),
            Kind = row.GetString(3),
            Name = row.GetString(4),
            Labels = StoredText.Labels(row.GetString(5)),
            IdempotencyKey = TextOrNull(row, 6),
            Request = row.GetString(7),
            StartedAt = new DateTimeOffset(row.GetInt64(8), TimeSpan.Zero),
            FirstSequence = row.GetInt64(9),
            LastSequence = last,
            Bytes = bytes,
            End = row.IsDBNull(11) ? null : ReadEnd(row, last, bytes),
        };
    }

    private static StoredEnd ReadEnd(DbDataReader row, long last, long bytes) => new(
        ExecutionStatusWords.Parse(row.GetString(10)) ?? ExecutionStatus.Failed,
        new DateTimeOffset(row.GetInt64(11), TimeSpan.Zero),
        TextOrNull(row, 12),
        TextOrNull(row, 13),
        TextOrNull(row, 14),
        row.IsDBNull(15) ? default(ReadOnlyMemory<byte>) : row.GetFieldValue<byte[]>(15),
        last,
        bytes);

    private static string? TextOrNull(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
