using System.Globalization;
using Harness.Executions;

namespace Harness.Storage.Sqlite;

/// <summary>
/// A folder in the possession of one server. The system ends the possession with the process, however that ends. Who has it stands in a file
/// beside the lock, since a locked file cannot be read everywhere.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private const string LockName = "harness.lock";
    private const string OwnerName = "harness.pid";

    private readonly FileStream _lock;

    private FolderLock(FileStream held) => _lock = held;

    /// <exception cref="StoreException">Another server has it, or nothing can be written there.</exception>
    public static FolderLock Take(string folder, string database)
    {
        var path = Path.Combine(folder, LockName);
        FileStream held;
        try
        {
            held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (IsSharingViolation(error))
        {
            throw new StoreException(
                $"{database} is used by another Harness server{OwnerOf(folder)}; stop it, or choose another folder with --data", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The folder {folder} cannot be written to ({error.Message}); choose another one with --data", error);
        }

        try
        {
            File.WriteAllText(Path.Combine(folder, OwnerName), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Only the message to a second server is poorer for it.
        }

        return new FolderLock(held);
    }

    public void Dispose()
    {
        try
        {
            File.Delete(Path.Combine(Path.GetDirectoryName(_lock.Name)!, OwnerName));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // As above.
        }

        _lock.Dispose();
    }

    // Unix says EWOULDBLOCK (11; 35 on macOS), Windows ERROR_SHARING_VIOLATION.
    private static bool IsSharingViolation(IOException error) =>
        error is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException)
        && (error.HResult is 11 or 35 or unchecked((int)0x80070020));

    private static string OwnerOf(string folder)
    {
        try
        {
            return $" (process {int.Parse(File.ReadAllText(Path.Combine(folder, OwnerName)), CultureInfo.InvariantCulture)})";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            return "";
        }
    }
}
