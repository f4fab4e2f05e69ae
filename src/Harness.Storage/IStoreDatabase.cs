using System.Data.Common;
using Harness.Storage.Writing;

namespace Harness.Storage;

/// <summary>One of the databases: how it is opened, taken possession of, written and read. What is written is <see cref="StoreSql"/>.</summary>
internal interface IStoreDatabase : IAsyncDisposable
{
    /// <summary>What waits to be written; null: it can only be read.</summary>
    WriteQueue? Writes { get; }

    /// <summary>As <see cref="Harness.Executions.IExecutionStore.Problem"/>.</summary>
    string? Problem => null;

    /// <summary>Opens it, refuses what cannot be used, brings the schema up to date and begins to write what is queued.</summary>
    Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>A connection to read with, which goes back to a pool when it is disposed.</summary>
    ValueTask<DbConnection> ConnectAsync(CancellationToken cancellationToken);

    /// <summary>What a driver's error means for people.</summary>
    Harness.Executions.StoreException Explain(Exception error);

    /// <summary>True when a read that failed like this should be tried once more on another connection.</summary>
    bool IsLostConnection(Exception error);

    /// <summary>
    /// Gives space that deletions have left back to the disk, in steps between which others write. What cannot be given back now stays for
    /// the next time: that is no failure.
    /// </summary>
    Task GiveBackAsync(CancellationToken cancellationToken);
}
