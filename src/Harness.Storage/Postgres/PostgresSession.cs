using System.Security.Cryptography;
using System.Text;
using Harness.Executions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Harness.Storage.Postgres;

/// <summary>
/// The one connection that writes. It holds an advisory lock, so whoever writes has the store to himself; a lost connection is replaced by
/// one that holds the lock again, and only if no other server had the store meanwhile. Used by one at a time.
/// </summary>
internal sealed partial class PostgresSession(
    StoreOptions options, StoreAddress address, StoreSchema schema, ILogger logger, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    // A killed server's session ends when PostgreSQL notices, which is soon on one machine.
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(5);

    // Unpooled: a pool would keep the session, and the lock with it.
    private readonly NpgsqlDataSource _connections = address.Connections(options, isPooled: false);

    private readonly long _lockKey = BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes($"Harness store {address.Schema}")));
    private NpgsqlConnection? _connection;
    private (int Process, DateTime Start) _last;
    private long? _owner;

    /// <summary>Takes possession and brings the schema up to date. What cannot be reached is tried for <see cref="StoreOptions.RetryTimeLimit"/>.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RetryAsync(
                async (connection, _) =>
                {
                    await schema.ApplyAsync(connection, PostgresDatabase.Tables, address.Place, cancellationToken);
                    _owner = await ScalarAsync<long>(connection, "UPDATE meta SET owner = owner + 1 RETURNING owner", cancellationToken);
                },
                () => true,
                cancellationToken);
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException)
        {
            throw PostgresErrors.Explain(error, address);
        }
    }

    /// <summary>
    /// Does something on the connection, and while it is lost does it again, for <see cref="StoreOptions.RetryTimeLimit"/>, and once on a new
    /// connection in any case.
    /// </summary>
    /// <param name="work">
    /// What, and how many seconds a statement of it may take: on a new connection all there are, since one that was just made is not a dead one. It may
    /// have been done already.
    /// </param>
    /// <param name="isWanted">False when nobody waits for it any more.</param>
    /// <param name="cancellationToken">Gives up between attempts, and within them.</param>
    public async Task RetryAsync(Func<NpgsqlConnection, int, Task> work, Func<bool> isWanted, CancellationToken cancellationToken)
    {
        var (pause, begun) = (FirstPause, time.GetTimestamp());
        while (true)
        {
            var isNew = _connection is null;
            try
            {
                _connection ??= await ConnectAsync(cancellationToken);
                await work(_connection, isNew ? _connection.CommandTimeout * StoreAddress.Shares : _connection.CommandTimeout);
                return;
            }
            catch (Exception error) when (PostgresErrors.IsLost(error))
            {
                await DisconnectAsync();
                if (!isWanted() || (isNew && time.GetElapsedTime(begun) + pause > options.RetryTimeLimit))
                {
                    throw;
                }

                if (pause == FirstPause)
                {
                    LogLost(address.Place, error.Message, options.RetryTimeLimit.TotalSeconds);
                }

                await Task.Delay(pause, time, cancellationToken);
                pause = 2 * pause < LongestPause ? 2 * pause : LongestPause;
            }
            catch (Exception error) when (error is not PostgresException)
            {
                // In whatever state it is now.
                await DisconnectAsync();
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DisconnectAsync();
        await _connections.DisposeAsync();
    }

    private async Task DisconnectAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
            _connection = null;
        }
    }

    private async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var connection = await _connections.OpenConnectionAsync(cancellationToken);
        try
        {
            await PrepareAsync(connection, cancellationToken);
            await LockAsync(connection, cancellationToken);
            var start = await ScalarAsync<DateTime>(
                connection, "SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()", cancellationToken);
            _last = (connection.ProcessID, start);
            if (_owner is { } owner && await ScalarAsync<long>(connection, "SELECT owner FROM meta", cancellationToken) != owner)
            {
                throw new StoreException(
                    $"{address.Place} was taken over by another Harness server while it could not be reached; stop this server, or that one and "
                    + "start this one again");
            }

            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task PrepareAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // A stricter setting of the database's owner stays.
        var commit = options.Durability == StoreDurability.None
            ? "SET synchronous_commit = off"
            : "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
        await ExecuteAsync(connection, commit, cancellationToken);
        if (await ScalarAsync<string?>(connection, "SELECT current_schema()::text", cancellationToken) is null)
        {
            await ExecuteAsync(connection, $"CREATE SCHEMA IF NOT EXISTS \"{address.Schema.Replace("\"", "\"\"")}\"", cancellationToken);
        }
    }

    private async Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        while (!await ScalarAsync<bool>(connection, $"SELECT pg_try_advisory_lock({_lockKey})", cancellationToken))
        {
            // Our own session, which lives on behind a connection that is lost here only.
            var ended = await ScalarAsync<bool?>(
                connection,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                + $"WHERE pid = {_last.Process} AND date_trunc('milliseconds', backend_start) = '{_last.Start:yyyy-MM-ddTHH:mm:ss.fff}Z'",
                cancellationToken);
            if (ended is null && time.GetElapsedTime(begun) > LockPatience)
            {
                throw new StoreException(
                    $"{address.Place} is used by another Harness server{await HolderAsync(connection, cancellationToken)}; stop it, or choose "
                    + "another database or schema (Search Path)");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
        }
    }

    private async Task<string> HolderAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var holder = await ScalarAsync<string?>(
            connection,
            "SELECT COALESCE(host(client_addr), 'a local socket') FROM pg_stat_activity JOIN pg_locks USING (pid) "
            + $"WHERE locktype = 'advisory' AND granted AND classid = {(uint)(_lockKey >> 32)} AND objid = {(uint)_lockKey} LIMIT 1",
            cancellationToken);
        return holder is null ? "" : $" (connected from {holder})";
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string text, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<T?> ScalarAsync<T>(NpgsqlConnection connection, string text, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(text, connection);
        return await command.ExecuteScalarAsync(cancellationToken) is T value ? value : default;
    }

    [LoggerMessage(111, LogLevel.Warning, "{Place} does not answer ({Reason}); it is tried again for {Seconds:0} s")]
    private partial void LogLost(string place, string reason, double seconds);
}
