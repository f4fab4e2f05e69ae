using Harness.Executions;
using Npgsql;

namespace Harness.Storage.Postgres;

/// <summary>A connection string that was read. What it says of passwords never leaves it.</summary>
internal sealed class StoreAddress
{
    /// <summary>
    /// A statement on a connection that has been there before has the time limit divided by this: what does not answer may be a connection that is
    /// dead without anybody having been told, and there is to be time for another one.
    /// </summary>
    public const int Shares = 3;

    private const string DefaultSchema = "harness";

    private readonly NpgsqlConnectionStringBuilder _parts;

    private StoreAddress(NpgsqlConnectionStringBuilder parts)
    {
        _parts = parts;
        Schema = parts.SearchPath is { Length: > 0 } path ? path.Split(',')[0].Trim().Trim('"') : DefaultSchema;
        parts.SearchPath = Schema;
        parts.ApplicationName ??= "Harness";
    }

    /// <summary>The tables' schema: the first of the search path, or <c>harness</c>.</summary>
    public string Schema { get; }

    /// <summary>What messages call it.</summary>
    public string Place => $"The PostgreSQL database '{_parts.Database ?? _parts.Username}' at {_parts.Host}";

    /// <exception cref="StoreException">It is not a connection string.</exception>
    public static StoreAddress Parse(string connectionString)
    {
        NpgsqlConnectionStringBuilder parts;
        try
        {
            parts = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception error) when (error is ArgumentException or FormatException or InvalidCastException)
        {
            // The driver's words may repeat a part of it.
            parts = [];
        }

        return string.IsNullOrEmpty(parts.Host)
            ? throw new StoreException("The store's connection string cannot be read; it looks like Host=db;Database=harness;Username=harness;Password=…")
            : new StoreAddress(parts);
    }

    /// <summary>Connections with one purpose.</summary>
    public NpgsqlDataSource Connections(StoreOptions options, bool isPooled)
    {
        var seconds = (int)Math.Ceiling(options.RetryTimeLimit.TotalSeconds);
        return NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_parts.ConnectionString)
        {
            CommandTimeout = (seconds + Shares - 1) / Shares,
            Timeout = Math.Min(seconds, 15),
            CancellationTimeout = 1000,

            // Idle ones: found dead within a minute, and not forgotten by what lies between.
            TcpKeepAlive = true,
            TcpKeepAliveTime = _parts.TcpKeepAliveTime > 0 ? _parts.TcpKeepAliveTime : 15,
            TcpKeepAliveInterval = _parts.TcpKeepAliveInterval > 0 ? _parts.TcpKeepAliveInterval : 5,
            MaxAutoPrepare = 64,
            AutoPrepareMinUsages = 2,
            Pooling = isPooled,
            MaxPoolSize = Math.Min(_parts.MaxPoolSize, 20),
        });
    }
}
