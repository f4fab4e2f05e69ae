using System.Text;
using Harness.Storage.Writing;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Harness.Storage.Sqlite;

/// <summary>
/// A prepared statement of the writer, which runs a few of them all day long. ADO.NET's commands would copy each blob into an array of its own and
/// ask for each parameter by its name, every time. For one thread.
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private readonly int[] _parameters;
    private readonly StretchBuffer _stretches;

    /// <param name="connection">Open as long as this is used.</param>
    /// <param name="sql">One statement.</param>
    /// <exception cref="SqliteException">It is not understood.</exception>
    /// <param name="stretches">Where it compresses; it is cleared with each run.</param>
    public SqliteStatement(SqliteConnection connection, SqlText sql, StretchBuffer stretches)
    {
        _stretches = stretches;
        _database = connection.Handle!;
        Check(raw.sqlite3_prepare_v3(_database, sql.Text, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
        _parameters = [.. sql.Names.Select(name => raw.sqlite3_bind_parameter_index(_statement, $"@{name}"))];
    }

    /// <summary>Runs it, past all rows it may give.</summary>
    /// <param name="values">One for each parameter: a long, a string, a <see cref="ReadOnlyMemory{T}"/> of bytes, a <see cref="Stretch"/>, or null.</param>
    /// <exception cref="SqliteException">It could not be done.</exception>
    public void Run(object?[] values)
    {
        try
        {
            for (var i = 0; i < values.Length; i++)
            {
                Check(Bind(_parameters[i], values[i]));
            }

            int result;
            do
            {
                result = raw.sqlite3_step(_statement);
                Check(result);
            }
            while (result == raw.SQLITE_ROW);
        }
        finally
        {
            // What it says is what the last step said.
            _ = raw.sqlite3_reset(_statement);
            _stretches.Clear();
        }
    }

    public void Dispose() => _statement.Dispose();

    private int Bind(int parameter, object? value) => value switch
    {
        null => raw.sqlite3_bind_null(_statement, parameter),
        long number => raw.sqlite3_bind_int64(_statement, parameter, number),
        string text => raw.sqlite3_bind_text(_statement, parameter, Encoding.UTF8.GetBytes(text)),
        Stretch stretch => raw.sqlite3_bind_blob(_statement, parameter, _stretches.Compress(stretch.Given).Span),
        ReadOnlyMemory<byte> bytes => raw.sqlite3_bind_blob(_statement, parameter, bytes.Span),
        _ => throw new ArgumentException($"A store's value cannot be of type {value.GetType()}", nameof(value)),
    };

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, _database);
}
