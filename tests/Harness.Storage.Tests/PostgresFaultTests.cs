using Harness.Executions;
using Npgsql;

namespace Harness.Storage.Tests;

/// <summary>A PostgreSQL that goes away, comes back, stands still or throws everybody out.</summary>
[Collection(PostgresTests.Collection)]
public sealed class PostgresFaultTests(PostgresCluster cluster)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AppendsGoOnWhereTheyWereWhenPostgresIsStoppedAndStarted()
    {
        var (store, _) = await Appends.OpenAsync(cluster.NewOptions(), Stop);
        await using var _1 = store;
        using var writing = new Writing(store, Stop);
        await writing.UntilAsync(50);

        cluster.Stop();
        cluster.Restart();

        await writing.AssertGoesOnAsync();
    }

    [Fact]
    public async Task AppendsGoOnWhenConnectionsAreTerminated()
    {
        var (store, _) = await Appends.OpenAsync(cluster.NewOptions(), Stop);
        await using var _1 = store;
        using var writing = new Writing(store, Stop);

        for (var round = 1; round <= 5; round++)
        {
            await writing.UntilAsync(40 * round);
            await cluster.TerminateConnectionsAsync(Stop);
        }

        await writing.AssertGoesOnAsync();
    }

    [Fact]
    public async Task AppendsWaitWhilePostgresStandsStill()
    {
        var (store, _) = await Appends.OpenAsync(cluster.NewOptions(), Stop);
        await using var _1 = store;
        using var writing = new Writing(store, Stop);
        await writing.UntilAsync(50);

        cluster.Pause();
        using var pause = new PeriodicTimer(TimeSpan.FromSeconds(5));
        await pause.WaitForNextTickAsync(Stop);
        cluster.Continue();

        await writing.AssertGoesOnAsync();
    }

    [Fact]
    public async Task ConnectionsThatAreSwallowedAreReplacedWithinTheTimeLimit()
    {
        var options = cluster.NewOptions();
        var address = new NpgsqlConnectionStringBuilder(options.ConnectionString);
        using var proxy = new TcpProxy(address.Port);
        address.Port = proxy.Port;
        (options.ConnectionString, options.RetryTimeLimit) = (address.ToString(), TimeSpan.FromSeconds(6));
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Created(Appends.Execution(1), Appends.Frames(1, 1)), Stop);

        proxy.Swallow();
        await store.AppendAsync(Appends.More(1, Appends.Frames(2, 1)), Stop);

        Appends.AssertSame([Appends.Frames(1, 1), Appends.Frames(2, 1)], await store.ReadAllAsync(1, Stop));
    }

    [Fact]
    public async Task AppendFailsWhenPostgresStaysAwayAndSucceedsWhenItIsBack()
    {
        var options = cluster.NewOptions();
        options.RetryTimeLimit = TimeSpan.FromSeconds(1);
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Created(Appends.Execution(1), Appends.Frames(1, 1)), Stop);

        cluster.Stop();
        var error = await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(Appends.More(1, Appends.Frames(2, 1)), Stop).AsTask());
        var reading = await Assert.ThrowsAsync<StoreException>(() => store.FindAsync("exec-1", Stop).AsTask());
        cluster.Restart();
        await store.AppendAsync(Appends.More(1, Appends.Frames(2, 1)) with { IsRepair = true }, Stop);

        Assert.True(error.IsTransient && reading.IsTransient);
        Assert.StartsWith("The PostgreSQL database 'postgres' at 127.0.0.1 cannot be reached", error.Message);
        Assert.Equal(2, (await store.FindAsync("exec-1", Stop))!.LastSequence);
    }

    [Fact]
    public async Task AppendThatTookTooLongFailsAndItsSessionNeverWritesLater()
    {
        var options = cluster.NewOptions();
        options.RetryTimeLimit = TimeSpan.FromSeconds(1);
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Created(Appends.Execution(1), Appends.Frames(1, 1)), Stop);

        cluster.Pause();
        StoreException error;
        try
        {
            error = await Assert.ThrowsAsync<StoreException>(
                () => store.AppendAsync(Appends.More(1, Appends.Frames(2, 5)), Stop).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Stop));
        }
        finally
        {
            cluster.Continue();
        }

        StoredFrames[] instead = [Appends.Frames(2, 1), Appends.Frames(3, 1)];
        await store.AppendAsync(Appends.More(1, instead) with { IsRepair = true }, Stop);

        Assert.True(error.IsTransient);
        Appends.AssertSame([Appends.Frames(1, 1), .. instead], await store.ReadAllAsync(1, Stop));
    }

    [Fact]
    public async Task ServerThatLostTheStoreToAnotherOneKeepsNothingMore()
    {
        var options = cluster.NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Created(Appends.Execution(1)), Stop);
        await cluster.TerminateConnectionsAsync(Stop);
        var (other, opening) = await Appends.OpenAsync(options, Stop);

        var error = await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(Appends.More(1, Appends.Frames(1, 1)), Stop).AsTask());
        await other.DisposeAsync();
        var later = await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(Appends.More(1, Appends.Frames(1, 1)), Stop).AsTask());

        Assert.Single(opening.Unfinished);
        Assert.Contains("used by another Harness server", error.Message);
        Assert.Contains("was taken over by another Harness server", later.Message);
        Assert.False(later.IsTransient);
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Database=shop;Username=me;Password=hunter2", "The PostgreSQL database 'shop' at 127.0.0.1 cannot be reached")]
    [InlineData("Host=nowhere.invalid;Database=shop;Password=hunter2", "The PostgreSQL database 'shop' at nowhere.invalid cannot be reached")]
    [InlineData("postgres://me:hunter2@db/shop", "cannot be read")]
    [InlineData("Server of hunter2", "cannot be read")]
    [InlineData("Host=db;Pasword=hunter2", "cannot be read")]
    public async Task UnreachableDatabaseIsNamedWithoutItsPassword(string connectionString, string expected)
    {
        var options = new StoreOptions { ConnectionString = connectionString, RetryTimeLimit = TimeSpan.FromSeconds(1) };

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));

        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain("hunter2", error.ToString());
    }

    [Fact]
    public async Task DatabaseThatIsNotThereIsSaidAtOnce()
    {
        var options = cluster.NewOptions();
        options.ConnectionString = new NpgsqlConnectionStringBuilder(options.ConnectionString) { Database = "shop" }.ToString();

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));

        Assert.Contains("database \"shop\" does not exist", error.Message);
        Assert.DoesNotContain("not-a-secret-word", error.ToString());
    }

    [Fact]
    public async Task NewerVersionIsRefused()
    {
        var options = cluster.NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await store.DisposeAsync();
        var schema = new NpgsqlConnectionStringBuilder(options.ConnectionString).SearchPath;
        await cluster.ExecuteAsync($"UPDATE {schema}.meta SET version = 99", Stop);

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));

        Assert.Contains("was written by a newer version of Harness", error.Message);
    }

    /// <summary>Ten executions that append without a pause, each frame once.</summary>
    private sealed class Writing : IDisposable
    {
        private const int Executions = 10;

        private readonly IExecutionStore _store;
        private readonly CancellationToken _stop;
        private readonly Task<long>[] _writers;
        private readonly SemaphoreSlim _appended = new(0);
        private volatile bool _enough;

        public Writing(IExecutionStore store, CancellationToken stop)
        {
            (_store, _stop) = (store, stop);
            _writers = [.. Enumerable.Range(1, Executions).Select(number => Task.Run(() => WriteAsync(number), stop))];
        }

        /// <summary>Returns when so many more appends are kept.</summary>
        public async Task UntilAsync(int appends)
        {
            for (var i = 0; i < appends; i++)
            {
                Assert.True(await _appended.WaitAsync(TimeSpan.FromSeconds(60), _stop));
            }
        }

        public async Task AssertGoesOnAsync()
        {
            await UntilAsync(200);
            _enough = true;
            var last = await Task.WhenAll(_writers);
            for (var number = 1; number <= Executions; number++)
            {
                var expected = Enumerable.Range(1, (int)last[number - 1]).Select(first => Appends.Frames(first, 1));
                Appends.AssertSame(expected, await _store.ReadAllAsync(number, _stop));
                Assert.Equal(100 * last[number - 1], (await _store.FindAsync($"exec-{number}", _stop))!.Bytes);
            }
        }

        public void Dispose()
        {
            _enough = true;
            _appended.Dispose();
        }

        private async Task<long> WriteAsync(int number)
        {
            await _store.AppendAsync(Appends.Created(Appends.Execution(number)), _stop);
            var first = 0;
            while (!_enough)
            {
                await _store.AppendAsync(Appends.More(number, Appends.Frames(++first, 1)), _stop);
                _appended.Release();
            }

            return first;
        }
    }
}
