using System.Data.Common;
using Harness.Executions;

namespace Harness.Storage;

/// <summary>The numbered scripts that make a database this version's, each applied once, in order.</summary>
/// <param name="scripts">The first makes version 1 of an empty database, the next version 2 of that, and so on.</param>
internal sealed class StoreSchema(IReadOnlyList<string> scripts)
{
    /// <summary>Scripts of a database by the name of its folder.</summary>
    public static StoreSchema Of(string folder)
    {
        var assembly = typeof(StoreSchema).Assembly;
        var names = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith($"Schema/{folder}/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
        return new StoreSchema([.. names.Select(name =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return reader.ReadToEnd();
        })]);
    }

    /// <summary>Brings a database up to date in one transaction.</summary>
    /// <param name="connection">To the database.</param>
    /// <param name="tables">Lists its tables.</param>
    /// <param name="place">What messages call it.</param>
    /// <param name="cancellationToken">Leaves it as it was.</param>
    public async Task ApplyAsync(DbConnection connection, string tables, string place, CancellationToken cancellationToken)
    {
        var version = await VersionAsync(connection, tables, place, cancellationToken);
        if (version == scripts.Count)
        {
            return;
        }

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        for (var next = version; next < scripts.Count; next++)
        {
            await ExecuteAsync(connection, transaction, scripts[next], cancellationToken);
        }

        var epoch = LogEpoch.New();
        await ExecuteAsync(
            connection,
            transaction,
            version == 0
                ? $"INSERT INTO meta (version, epoch, owner, last_number) VALUES ({scripts.Count}, '{epoch}', 0, 0)"
                : $"UPDATE meta SET version = {scripts.Count}",
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Refuses a database that is not exactly of this version, for one that must not be changed.</summary>
    public async Task CheckAsync(DbConnection connection, string tables, string place, CancellationToken cancellationToken)
    {
        var version = await VersionAsync(connection, tables, place, cancellationToken);
        if (version == 0)
        {
            throw new StoreException($"{place} is empty: no Harness server has kept anything there");
        }

        if (version < scripts.Count)
        {
            throw new StoreException($"{place} was written by an older version of Harness; start a server on it once, which brings it up to date");
        }
    }

    private async Task<int> VersionAsync(DbConnection connection, string tables, string place, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = tables;
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                names.Add(reader.GetString(0));
            }
        }

        if (!names.Contains("meta"))
        {
            return names.Count == 0
                ? 0
                : throw new StoreException($"{place} holds something else: it has tables, but none of Harness's; choose another place");
        }

        await using var read = connection.CreateCommand();
        read.CommandText = "SELECT version FROM meta";
        var version = Convert.ToInt32(await read.ExecuteScalarAsync(cancellationToken), System.Globalization.CultureInfo.InvariantCulture);
        return version <= scripts.Count
            ? version
            : throw new StoreException(
                $"{place} was written by a newer version of Harness (its schema is {version}, this one knows {scripts.Count}); "
                + "use that version, or another place (--data)");
    }

    private static async Task ExecuteAsync(DbConnection connection, DbTransaction transaction, string text, CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = text;

        // A large database takes what it takes.
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
