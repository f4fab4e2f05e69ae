using Harness.Executions;
using Harness.Storage.Postgres;
using Harness.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace Harness.Storage;

/// <summary>Makes stores from options. Nothing is opened here: that is <see cref="IExecutionStore.OpenAsync"/>.</summary>
public static class StoreFactory
{
    /// <summary>The store a server works with; <see cref="StoreOptions.MemoryOnly"/> is not looked at.</summary>
    /// <exception cref="StoreException">The connection string cannot be read.</exception>
    public static IExecutionStore Create(StoreOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        var logger = loggers.CreateLogger<ExecutionStore>();
        IStoreDatabase database = string.IsNullOrWhiteSpace(options.ConnectionString)
            ? new SqliteDatabase(options, logger)
            : new PostgresDatabase(options, StoreAddress.Parse(options.ConnectionString), logger, time);
        return new ExecutionStore(database, options);
    }

    /// <summary>Where executions are kept, for people; nothing secret.</summary>
    /// <exception cref="StoreException">The connection string cannot be read.</exception>
    public static string Describe(StoreOptions options) =>
        options.MemoryOnly ? "in memory only: they are gone when the server stops"
        : string.IsNullOrWhiteSpace(options.ConnectionString) ? $"in {SqliteDatabase.FileIn(options)}"
        : $"in {StoreAddress.Parse(options.ConnectionString).Place}";

    /// <summary>
    /// Why nothing is there to open, with what to do about it; null when the file is there, or when it is PostgreSQL. For commands that work on a
    /// store as they find it: <see cref="Create"/> makes one where none is.
    /// </summary>
    public static string? DescribeMissing(StoreOptions options) =>
        string.IsNullOrWhiteSpace(options.ConnectionString) ? SqliteDatabase.DescribeMissing(options) : null;

    /// <summary>
    /// A store that can only be read, also while a server works with it: for exports. It takes no lock and changes nothing; appends and
    /// sweeps throw.
    /// </summary>
    /// <param name="options">Where it is: <see cref="StoreOptions.Data"/> or <see cref="StoreOptions.ConnectionString"/>.</param>
    /// <exception cref="StoreException">The connection string cannot be read.</exception>
    public static IExecutionStore CreateReadOnly(StoreOptions options) =>
        new ExecutionStore(
            string.IsNullOrWhiteSpace(options.ConnectionString)
                ? new SqliteReadOnlyDatabase(options)
                : new PostgresReadOnlyDatabase(options, StoreAddress.Parse(options.ConnectionString)),
            options);
}
