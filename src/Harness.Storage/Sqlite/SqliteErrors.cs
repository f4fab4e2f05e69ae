using Harness.Executions;
using Microsoft.Data.Sqlite;

namespace Harness.Storage.Sqlite;

/// <summary>SQLite's result codes (sqlite.org/rescode.html) as sentences.</summary>
internal static class SqliteErrors
{
    private const int Busy = 5;
    private const int Locked = 6;
    private const int ReadOnly = 8;
    private const int InputOutput = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int Constraint = 19;
    private const int NotADatabase = 26;
    private const int ForeignKey = 787;
    private const int SharedMemorySize = 4874;

    public static bool IsDamage(Exception error) => error is SqliteException { SqliteErrorCode: Corrupt or NotADatabase };

    /// <summary>True when only the item that was written is to blame, and the connection is as good as before.</summary>
    public static bool IsOfTheItem(Exception error) => error is SqliteException { SqliteErrorCode: Constraint or Full };

    /// <summary>True when there was no room on the disk, also for the index of the write-ahead log.</summary>
    public static bool IsFull(Exception? error) =>
        error is SqliteException { SqliteErrorCode: Full } or SqliteException { SqliteExtendedErrorCode: SharedMemorySize }
        || (error is StoreException && IsFull(error.InnerException));

    /// <summary>There is no room for what was to be kept.</summary>
    /// <param name="file">The database.</param>
    /// <param name="problem">What is known of it; null: nothing more.</param>
    /// <param name="error">What SQLite said.</param>
    public static StoreException FullDisk(string file, string? problem = null, Exception? error = null) => new(
        problem ?? $"The disk that holds {Path.GetDirectoryName(file)} is full: free some space; executions can be started again then", error)
    {
        IsTransient = true,
    };

    public static StoreException Explain(Exception error, string file)
    {
        var folder = Path.GetDirectoryName(file);
        return error switch
        {
            StoreException known => known,
            SqliteException { SqliteExtendedErrorCode: ForeignKey } =>
                new("What was to be kept belongs to an execution that is not in the store any more", error) { IsForGood = true },
            SqliteException { SqliteErrorCode: Constraint } =>
                new("An execution with the same id or idempotency key is already in the store", error) { IsForGood = true },
            _ when IsFull(error) => FullDisk(file, error: error),
            SqliteException { SqliteErrorCode: Corrupt or NotADatabase } => Damaged(file, error.Message, error),
            SqliteException { SqliteErrorCode: Busy or Locked } =>
                new($"{file} is locked by another program; close it", error) { IsTransient = true },
            SqliteException { SqliteErrorCode: ReadOnly } =>
                new($"{file} cannot be written to: give this user the right to, or choose another folder with --data", error),
            SqliteException { SqliteErrorCode: CannotOpen } =>
                new($"{file} cannot be opened: it is gone, or this user may not open it", error),
            SqliteException { SqliteErrorCode: InputOutput } or IOException =>
                new($"The disk that holds {folder} cannot be read or written ({error.Message}); check it and its free space", error)
                {
                    IsTransient = true,
                },
            _ => new StoreException($"{file} cannot be used: {error.Message}", error),
        };
    }

    public static StoreException Damaged(string file, string what, Exception? error = null) => new(
        $"{file} is damaged: {what.TrimEnd('.')}. Nothing was changed. Restore it from a backup; or try `sqlite3 {file} .recover`; or move it "
        + "away to begin empty; or start with another folder (--data)",
        error);
}
