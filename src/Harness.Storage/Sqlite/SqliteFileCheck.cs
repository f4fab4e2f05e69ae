using System.Buffers.Binary;
using Microsoft.Data.Sqlite;

namespace Harness.Storage.Sqlite;

/// <summary>Looks at a database file before anything is written to it (sqlite.org/fileformat2.html).</summary>
internal static class SqliteFileCheck
{
    // Read whole in well under a second; a larger one only when the last server did not close it.
    private const long AlwaysCheckedBytes = 64L * 1024 * 1024;

    // Beyond this a start after a crash would take too long. Damaged frames are still noticed when they are read: they carry checksums.
    private const long NeverCheckedBytes = 1024L * 1024 * 1024;

    private const int HeaderBytes = 100;

    // The "write version".
    private const int WriteVersionAt = 18;
    private const byte WithWriteAheadLog = 2;

    private static ReadOnlySpan<byte> Magic => "SQLite format 3\0"u8;

    /// <exception cref="Harness.Executions.StoreException">It is damaged.</exception>
    public static void Check(string file)
    {
        var wal = new FileInfo(file + "-wal");
        var hasWal = wal is { Exists: true, Length: > 0 };
        var length = new FileInfo(file).Length;

        // The transaction of a killed process lies half in the file, and is taken back when the file is opened: until then it says nothing.
        var isHalf = new FileInfo(file + "-journal") is { Exists: true, Length: > 0 };
        CheckHeader(file, length, isWhole: !hasWal && !isHalf);
        if (isHalf)
        {
            return;
        }

        if (length > (hasWal ? NeverCheckedBytes : AlwaysCheckedBytes))
        {
            return;
        }

        try
        {
            using var connection = new SqliteConnection(ReadOnly(file, isImmutable: !hasWal));
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA quick_check(1)";
            command.CommandTimeout = 0;
            if (command.ExecuteScalar() is not "ok" and var found)
            {
                throw SqliteErrors.Damaged(file, $"{found}".ReplaceLineEndings(" "));
            }
        }
        catch (SqliteException error)
        {
            throw SqliteErrors.Explain(error, file);
        }
    }

    /// <summary>
    /// True when the database has a write-ahead log beside it whenever it is open. Not to be asked while this process has it open: closing a
    /// file ends SQLite's locks on it.
    /// </summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static bool HasWriteAheadLog(string file)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        return ReadHeader(file, header) == header.Length && header[WriteVersionAt] == WithWriteAheadLog;
    }

    /// <summary>How a file is opened without changing anything; immutable also without leaving files beside it.</summary>
    public static string ReadOnly(string file, bool isImmutable) => new SqliteConnectionStringBuilder
    {
        DataSource = isImmutable ? $"{UriOf(file)}?immutable=1" : file,
        Mode = SqliteOpenMode.ReadOnly,
        Pooling = false,
    }.ToString();

    private static void CheckHeader(string file, long length, bool isWhole)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        int read;
        try
        {
            read = ReadHeader(file, header);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new Harness.Executions.StoreException($"{file} cannot be read ({error.Message})", error);
        }

        if (read < header.Length)
        {
            throw SqliteErrors.Damaged(file, $"it is cut off after {length} bytes");
        }

        if (!header.StartsWith(Magic))
        {
            throw SqliteErrors.Damaged(file, "it does not begin as a SQLite database does");
        }

        var pageSize = BinaryPrimitives.ReadUInt16BigEndian(header[16..]);
        var pages = BinaryPrimitives.ReadUInt32BigEndian(header[28..]);
        var isCounted = header[24..28].SequenceEqual(header[92..96]);
        var expected = pages * (pageSize == 1 ? 65536L : pageSize);
        if (isWhole && isCounted && length < expected)
        {
            throw SqliteErrors.Damaged(file, $"it is cut off: {length} bytes are there of {expected}");
        }
    }

    // .NET's own URIs leave a % as it is when two hexadecimal digits follow, and SQLite reads the three as one character.
    private static string UriOf(string file)
    {
        var path = string.Join('/', file.Split(Path.DirectorySeparatorChar).Select(Uri.EscapeDataString));
        return path.StartsWith('/') ? $"file://{path}" : $"file:///{path}";
    }

    private static int ReadHeader(string file, Span<byte> header)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
    }
}
