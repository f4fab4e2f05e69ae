namespace Harness.Storage.Tests;

/// <summary>A folder that is gone with the test.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("harness-store-");
    private int _stores;

    /// <summary>Options of a SQLite store that is not there yet.</summary>
    public StoreOptions NewOptions() => new() { Data = Path.Combine(_folder.FullName, $"data {++_stores}") };

    public void Dispose() => _folder.Delete(recursive: true);
}
