using System.Data.Common;
using Harness.Executions;
using Harness.Storage.Sqlite;
using Harness.Storage.Writing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harness.Storage.Tests;

/// <summary>Reads whose connection is lost under way.</summary>
public sealed class LostConnectionTests : IDisposable
{
    private readonly DataFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ReadIsWholeAfterALostConnection(int lostAt)
    {
        var options = _folder.NewOptions();
        var database = new LossyDatabase(new SqliteDatabase(options, NullLogger.Instance));
        await using var store = new ExecutionStore(database, options);
        await store.OpenAsync(Stop);
        await store.AppendAsync(Appends.Created(Appends.Execution(1), Appends.Frames(1, 3), Appends.Frames(4, 3)), Stop);

        database.LoseAt(lostAt);
        Appends.AssertSame([Appends.Frames(1, 3), Appends.Frames(4, 3)], await store.ReadAsync(1, 1, 100_000, Stop));
        Assert.True(database.WasLost);

        database.LoseAt(lostAt);
        Appends.AssertSame([Appends.Frames(4, 3), Appends.Frames(1, 3)], await store.ReadBackwardAsync(1, 7, 100_000, Stop));
        Assert.True(database.WasLost);
    }

    /// <summary>Loses the connection at one of the commands that read.</summary>
    private sealed class LossyDatabase(SqliteDatabase inner) : IStoreDatabase
    {
        private int _left;

        public WriteQueue? Writes => inner.Writes;

        public bool WasLost { get; private set; }

        public void LoseAt(int command) => (_left, WasLost) = (command, false);

        public Task OpenAsync(CancellationToken cancellationToken) => inner.OpenAsync(cancellationToken);

        public async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellationToken)
        {
            var connection = new LossyConnection(this, inner.File);
            await connection.OpenAsync(cancellationToken);
            return connection;
        }

        public StoreException Explain(Exception error) => inner.Explain(error);

        public bool IsLostConnection(Exception error) => error.Message == "lost";

        public Task GiveBackAsync(CancellationToken cancellationToken) => inner.GiveBackAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private void Count()
        {
            if (_left > 0 && --_left == 0)
            {
                WasLost = true;
                throw new SqliteException("lost", 1);
            }
        }

        private sealed class LossyConnection(LossyDatabase database, string file) : SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False")
        {
            protected override DbCommand CreateDbCommand()
            {
                database.Count();
                return base.CreateDbCommand();
            }
        }
    }
}
