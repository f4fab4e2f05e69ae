using System.Net.Sockets;
using Harness.Executions;
using Npgsql;

namespace Harness.Storage.Postgres;

/// <summary>What PostgreSQL and its driver say (postgresql.org/docs/15/errcodes-appendix.html) as sentences.</summary>
internal static class PostgresErrors
{
    /// <summary>True when the connection is gone, or there is none yet: what was under way may or may not have been done.</summary>
    public static bool IsLost(Exception error) => error switch
    {
        PostgresException answer => answer.SqlState is ['5', '7', 'P', ..] or ['0', '8', ..] or PostgresErrorCodes.TooManyConnections,
        NpgsqlException or SocketException or IOException or TimeoutException => true,
        _ => false,
    };

    public static StoreException Explain(Exception error, StoreAddress address) => error switch
    {
        StoreException known => known,
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } =>
            new("An execution with the same id or idempotency key is already in the store", error) { IsForGood = true },
        PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation } =>
            new("What was to be kept belongs to an execution that is not in the store any more", error) { IsForGood = true },
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } =>
            new($"{address.Place} has no disk space left: free some; executions can be started again then", error) { IsTransient = true },
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } answer =>
            new($"{address.Place} does not let this user work in the schema '{address.Schema}': {answer.MessageText}", error),
        PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } =>
            new($"{address.Place} can only be read: it is a standby; name the primary", error),
        PostgresException answer when IsLost(error) =>
            new($"{address.Place} cannot be reached: {answer.MessageText}", error) { IsTransient = true },
        PostgresException answer => new($"{address.Place} refused: {answer.MessageText} ({answer.SqlState})", error),
        _ when IsLost(error) =>
            new($"{address.Place} cannot be reached: {Innermost(error).Message}", error) { IsTransient = true },
        _ => new StoreException($"{address.Place} cannot be used: {error.Message}", error),
    };

    private static Exception Innermost(Exception error) => error.InnerException is { } inner ? Innermost(inner) : error;
}
