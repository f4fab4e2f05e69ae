using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Harness.Storage.Sqlite;

/// <summary>
/// A file that does nothing but take room. On a full disk SQLite cannot delete either: the write-ahead log has to grow for that, and to empty it the
/// database may have to. Then this file becomes empty, and is made again when there is room: an empty one tells the next process, too, that what there is
/// was given away to delete with. For the one thread that opens, then for the one that
/// writes, but for what is said to be from any.
/// </summary>
/// <param name="folder">Where the database is.</param>
/// <param name="bytes">How much it takes: what the database may grow by when a write-ahead log of usual size is emptied.</param>
/// <param name="logger">Is told when it goes and comes back.</param>
internal sealed partial class SqliteReserve(string folder, long bytes, ILogger logger)
{
    /// <summary>Twice the growth after which the write-ahead log is emptied.</summary>
    public const long UsualBytes = 32L * 1024 * 1024;

    // It is made when there is that much room for each byte of it.
    private const int RoomFactor = 2;
    private const int BlockBytes = 1024 * 1024;

    private readonly string _file = Path.Combine(folder, "harness.reserve");
    private volatile bool _isOut;

    /// <summary>True while there was no room to make it again: only what frees space, or ends what runs, is to be written.</summary>
    public bool IsOut => _isOut;

    /// <summary>Why nothing new is taken, in a sentence; null while it is, or would be if it came: from any thread.</summary>
    public string? Problem => _isOut && !HasRoom()
        ? $"The disk that holds {folder} has too little room: free some space; executions can be started again when {Megabytes(bytes * RoomFactor)} MB are free"
        : null;

    /// <summary>Gives the room away. False: it was given away before, or never made.</summary>
    public bool Release()
    {
        try
        {
            if (new FileInfo(_file) is not { Exists: true, Length: > 0 })
            {
                return false;
            }

            Empty();
            _isOut = true;
            LogReleased(folder);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Bytes that the disk has free.</summary>
    public long Free() => new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(folder)! : folder).AvailableFreeSpace;

    /// <summary>Takes the room unless it is taken. False: there is none.</summary>
    public bool TryMake()
    {
        try
        {
            var there = new FileInfo(_file);
            if (!there.Exists || there.Length != bytes)
            {
                if (there.Exists)
                {
                    _isOut |= there.Length == 0;
                    Empty();
                }

                var free = Free();
                if (free < bytes * RoomFactor)
                {
                    return false;
                }

                Write(free);
            }

            if (_isOut)
            {
                _isOut = false;
                LogMade(folder);
            }

            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }

    private static long Megabytes(long bytes) => (bytes + (1 << 20) - 1) >> 20;

    private bool HasRoom()
    {
        try
        {
            return Free() >= bytes * RoomFactor;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }

    private void Empty()
    {
        using var stream = new FileStream(_file, FileMode.Create, FileAccess.Write);
    }

    private void Write(long free)
    {
        using var stream = new FileStream(_file, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, PreallocationSize = bytes });
        try
        {
            stream.SetLength(bytes);
            if (free - Free() < bytes / 2)
            {
                // A file system that gives room only to what is written, and to zeros perhaps none.
                Fill(stream);
            }
        }
        catch (IOException)
        {
            stream.Dispose();
            Empty();
            throw;
        }
    }

    private void Fill(FileStream stream)
    {
        var block = RandomNumberGenerator.GetBytes((int)Math.Min(BlockBytes, bytes));
        for (var left = bytes; left > 0; left -= block.Length)
        {
            stream.Write(block, 0, (int)Math.Min(block.Length, left));
        }

        stream.Flush();
    }

    [LoggerMessage(104, LogLevel.Warning, "The disk that holds {Folder} is full: the store's reserve is used to delete, and nothing new is kept until there is room for it again")]
    private partial void LogReleased(string folder);

    [LoggerMessage(105, LogLevel.Information, "The disk that holds {Folder} has room again, and the store its reserve")]
    private partial void LogMade(string folder);
}
