namespace Harness.Storage;

/// <summary>A statement that both databases understand, with the names of its parameters in the order of their values.</summary>
internal sealed record SqlText(string Text, params string[] Names)
{
    /// <summary>True when it looks at every execution there is.</summary>
    public bool IsLong { get; init; }
}

/// <summary>A statement with its values: long, string, ReadOnlyMemory of bytes, <see cref="Stretch"/>, or null.</summary>
internal readonly record struct SqlCall(SqlText Sql, params object?[] Values);

/// <summary>A value that writers compress when its turn comes.</summary>
internal sealed record Stretch(ReadOnlyMemory<byte> Given);

/// <summary>Everything that is written and read, once for both databases.</summary>
internal static class StoreSql
{
    // A creation that was kept although its append was said to fail comes again, and is then already there. One row without a SELECT: a
    // statement that might fail with half of its rows written has SQLite copy every page before it changes it.
    public static readonly SqlText Create = new(
        """
        INSERT INTO execution (number, id, epoch, kind, name, labels, idempotency_key, request, started_at, status, first_seq, trimmed)
        VALUES (@number, @id, @epoch, @kind, @name, @labels, CAST(@key AS text), @request, @started_at, 'running', @first_seq, 0)
        ON CONFLICT (number) DO NOTHING
        """,
        "number", "id", "epoch", "kind", "name", "labels", "key", "request", "started_at", "first_seq");

    public static readonly SqlText AddLabel = new(
        "INSERT INTO label (execution, name, value) VALUES (@execution, @name, @value) ON CONFLICT DO NOTHING",
        "execution", "name", "value");

    // The same stretch comes again when a connection was lost before it was known whether it was kept.
    public static readonly SqlText AddFrames = new(
        """
        INSERT INTO segment (execution, first_seq, last_seq, total, frames)
        VALUES (@execution, @first, @last,
            @length + COALESCE(
                (SELECT total FROM segment WHERE execution = @execution AND first_seq < @first ORDER BY first_seq DESC LIMIT 1),
                (SELECT trimmed FROM execution WHERE number = @execution),
                0),
            @frames)
        ON CONFLICT (execution, first_seq) DO NOTHING
        """,
        "execution", "first", "last", "length", "frames");

    public static readonly SqlText End = new(
        """
        UPDATE execution
        SET status = @status, completed_at = @completed_at, error = @error, cancel_reason = @cancel_reason, closing_line = @closing_line,
            details = @details, last_seq = @last_seq, bytes = @bytes, kept = @bytes - trimmed + @details_length
        WHERE number = @number
        """,
        "number", "status", "completed_at", "error", "cancel_reason", "closing_line", "details", "last_seq", "bytes", "details_length");

    public static readonly SqlText Reopen = new(
        """
        UPDATE execution
        SET status = 'running', completed_at = NULL, error = NULL, cancel_reason = NULL, closing_line = NULL, details = NULL,
            last_seq = NULL, bytes = NULL, kept = NULL
        WHERE number = @number AND completed_at IS NOT NULL
        """,
        "number");

    public static readonly SqlText DropKey = new(
        "UPDATE execution SET idempotency_key = NULL WHERE number = @number AND idempotency_key IS NOT NULL", "number");

    public static readonly SqlText DropFrames = new(
        "DELETE FROM segment WHERE execution = @execution AND first_seq >= @first", "execution", "first");

    public static readonly SqlText TrimFrames = new(
        "DELETE FROM segment WHERE execution = @execution AND first_seq < @first", "execution", "first");

    public static readonly SqlText Trim = new(
        "UPDATE execution SET first_seq = @first, kept = kept - (@trimmed - trimmed), trimmed = @trimmed WHERE number = @execution",
        "execution", "first", "trimmed");

    public static readonly SqlText RememberNumber = new(
        "UPDATE meta SET last_number = @number WHERE last_number < @number", "number");

    public static readonly SqlText DeleteLabels = new("DELETE FROM label WHERE execution = @execution", "execution");

    public static readonly SqlText DeleteFrames = new("DELETE FROM segment WHERE execution = @execution", "execution");

    public static readonly SqlText Delete = new("DELETE FROM execution WHERE number = @execution", "execution");

    /// <summary>Columns of an execution, in the order <see cref="StoredRow"/> reads them; those of a running one come from its segments.</summary>
    public const string Columns =
        """
        e.number, e.id, e.epoch, e.kind, e.name, e.labels, e.idempotency_key, e.request, e.started_at, e.first_seq, e.status,
        e.completed_at, e.error, e.cancel_reason, e.closing_line, e.details,
        COALESCE(e.last_seq, (SELECT s.last_seq FROM segment s WHERE s.execution = e.number ORDER BY s.first_seq DESC LIMIT 1), 0),
        COALESCE(e.bytes, (SELECT s.total FROM segment s WHERE s.execution = e.number ORDER BY s.first_seq DESC LIMIT 1), 0)
        """;

    /// <summary>The same without details, which may be megabytes and are not in lists.</summary>
    public static readonly string ListColumns = Columns.Replace("e.details", "NULL", StringComparison.Ordinal);

    public static readonly SqlText FindById = new($"SELECT {Columns} FROM execution e WHERE e.id = @id", "id");

    public static readonly SqlText FindByKey = new($"SELECT {Columns} FROM execution e WHERE e.idempotency_key = @key", "key");

    public static readonly SqlText Unfinished = new($"SELECT {Columns} FROM execution e WHERE e.status = 'running' ORDER BY e.number");

    public static readonly SqlText Meta = new(
        "SELECT epoch, CASE WHEN last_number > highest THEN last_number ELSE highest END FROM meta, "
        + "(SELECT COALESCE(MAX(number), 0) AS highest FROM execution) AS numbers");

    // Which stretches, without their bytes: those are fetched when it is known how many are wanted.
    public static readonly SqlText Forward = new(
        """
        SELECT first_seq, last_seq, LENGTH(frames) FROM segment
        WHERE execution = @execution
            AND first_seq >= COALESCE((SELECT MAX(first_seq) FROM segment WHERE execution = @execution AND first_seq <= @from), @from)
        ORDER BY first_seq LIMIT 256
        """,
        "execution", "from");

    public static readonly SqlText Backward = new(
        """
        SELECT first_seq, last_seq, LENGTH(frames) FROM segment WHERE execution = @execution AND first_seq < @before
        ORDER BY first_seq DESC LIMIT 256
        """,
        "execution", "before");

    public static readonly SqlText Frames = new(
        """
        SELECT first_seq, last_seq, frames FROM segment WHERE execution = @execution AND first_seq BETWEEN @first AND @last
        ORDER BY first_seq
        """,
        "execution", "first", "last");

    public static readonly SqlText FramesBackward = new(
        """
        SELECT first_seq, last_seq, frames FROM segment WHERE execution = @execution AND first_seq BETWEEN @first AND @last
        ORDER BY first_seq DESC
        """,
        "execution", "first", "last");

    public static readonly SqlText Kept = new(
        "SELECT COUNT(*), CAST(COALESCE(SUM(kept), 0) AS bigint) FROM execution WHERE completed_at IS NOT NULL")
    {
        IsLong = true,
    };

    public static readonly SqlText OldestEnded = new(
        """
        SELECT e.number, e.id, e.last_seq, e.kept, e.completed_at FROM execution e WHERE e.completed_at IS NOT NULL
        ORDER BY e.completed_at, e.number LIMIT 256
        """);

    public static readonly SqlText FindSize = new(
        "SELECT number, id, COALESCE(last_seq, 0), COALESCE(kept, 0), COALESCE(completed_at, 0) FROM execution WHERE number = @execution",
        "execution");

    public static readonly SqlText Running = new(
        """
        SELECT e.number, e.id,
            COALESCE((SELECT s.total FROM segment s WHERE s.execution = e.number ORDER BY s.first_seq DESC LIMIT 1), 0) - e.trimmed
        FROM execution e WHERE e.status = 'running'
        """);

    public static readonly SqlText OldestFrames = new(
        """
        SELECT first_seq, total, (SELECT trimmed FROM execution WHERE number = @execution) FROM segment
        WHERE execution = @execution ORDER BY first_seq LIMIT 256
        """,
        "execution");
}
