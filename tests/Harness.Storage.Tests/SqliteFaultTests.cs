using System.Diagnostics;
using Harness.Executions;
using Harness.Storage.Sqlite;
using Harness.Storage.Writing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harness.Storage.Tests;

/// <summary>What happens to a data folder, and what is said about it.</summary>
public sealed class SqliteFaultTests : IDisposable
{
    private const long ReserveBytes = 768 * 1024;

    private readonly DataFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("header")]
    [InlineData("page")]
    [InlineData("schema")]
    [InlineData("truncated")]
    [InlineData("cut in the header")]
    [InlineData("empty")]
    [InlineData("text")]
    public async Task DamagedDatabaseIsRefusedAndLeftAsItIs(string damage)
    {
        var options = await FilledAsync();
        var file = FileOf(options);
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        var damaged = damage switch
        {
            "header" => [.. "SQLite format 4\0"u8, .. bytes[16..]],
            "page" => Flip(bytes, 8192 * 3, 200),
            "schema" => Flip(bytes, 100, 60),
            "truncated" => bytes[..(bytes.Length / 2)],
            "cut in the header" => bytes[..60],
            "empty" => [],
            _ => "This is no database, but a letter of some length to nobody about nothing in particular, longer than its header is."u8.ToArray(),
        };
        await File.WriteAllBytesAsync(file, damaged, Stop);
        var before = Listing(options);

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));

        Assert.StartsWith($"{file} is damaged: ", error.Message);
        Assert.Contains(".recover", error.Message);
        Assert.Equal(before, Listing(options));
        Assert.Equal(damaged, await File.ReadAllBytesAsync(file, Stop));
    }

    [Fact]
    public async Task DamageIsFoundBehindAServerThatWasKilledToo()
    {
        var options = await FilledAsync();
        var (copy, wal) = (_folder.NewOptions(), "");
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using (store)
        {
            // As a killed process leaves it: with a write-ahead log.
            await store.AppendAsync(Appends.Whole(Appends.Execution(1000)), Stop);
            Directory.CreateDirectory(copy.Data);
            wal = FileOf(copy) + "-wal";
            File.Copy(FileOf(options) + "-wal", wal);
            await File.WriteAllBytesAsync(FileOf(copy), Flip(await File.ReadAllBytesAsync(FileOf(options), Stop), 8192 * 10, 8192 * 10), Stop);
        }

        var (database, log) = (await File.ReadAllBytesAsync(FileOf(copy), Stop), await File.ReadAllBytesAsync(wal, Stop));
        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(copy, Stop));

        Assert.Contains("is damaged", error.Message);
        Assert.Equal(database, await File.ReadAllBytesAsync(FileOf(copy), Stop));
        Assert.Equal(log, await File.ReadAllBytesAsync(wal, Stop));
    }

    [Fact]
    public async Task WriteAheadLogOfAKilledServerIsTakenIn()
    {
        var (options, copy) = (_folder.NewOptions(), _folder.NewOptions());
        var (store, opening) = await Appends.OpenAsync(options, Stop);
        await using (store)
        {
            await store.AppendAsync(Appends.Created(Appends.Execution(1), Appends.Frames(1, 5)), Stop);
            Directory.CreateDirectory(copy.Data);
            File.Copy(FileOf(options), FileOf(copy));
            File.Copy(FileOf(options) + "-wal", FileOf(copy) + "-wal");
        }

        var (again, reopening) = await Appends.OpenAsync(copy, Stop);
        await using var _1 = again;

        Assert.Equal((opening.Epoch, 1L), (reopening.Epoch, reopening.LastNumber));
        Appends.AssertSame([Appends.Frames(1, 5)], await again.ReadAllAsync(1, Stop));
    }

    [Fact]
    public async Task BackupOfSqlitesOwnToolsGetsAWriteAheadLogAgain()
    {
        var copy = await BackedUpAsync();

        var (store, opening) = await Appends.OpenAsync(copy, Stop);
        await using var _1 = store;

        Assert.Equal("wal", await ExecuteAsync(copy, "PRAGMA journal_mode"));
        Assert.Equal(300, opening.LastNumber);
    }

    [Fact]
    public async Task BackupThatAToolWasKilledOnIsTakenBackToWhatItHad()
    {
        var (options, killed) = (await BackedUpAsync(), _folder.NewOptions());
        await using (var tool = new SqliteConnection($"Data Source={FileOf(options)};Pooling=false"))
        {
            // Pages go into the file before the transaction has ended.
            await tool.OpenAsync(Stop);
            SqliteDatabase.Execute(tool, "PRAGMA cache_size = 1; BEGIN; UPDATE segment SET frames = zeroblob(5000); DELETE FROM label");
            Directory.CreateDirectory(killed.Data);
            File.Copy(FileOf(options), FileOf(killed));
            File.Copy(FileOf(options) + "-journal", FileOf(killed) + "-journal");
        }

        var (store, _) = await Appends.OpenAsync(killed, Stop);
        await using var _1 = store;

        Appends.AssertSame([Appends.Frames(1, 3, 3000)], await store.ReadAllAsync(7, Stop));
    }

    [Fact]
    public async Task BackupIsNotReadAsIfNobodyCouldWriteToIt()
    {
        await using var reader = new SqliteReadOnlyDatabase(await BackedUpAsync());
        await using var other = new SqliteReadOnlyDatabase(await FilledAsync());
        await reader.OpenAsync(Stop);
        await other.OpenAsync(Stop);

        await using var connection = await reader.ConnectAsync(Stop);
        await using var closed = await other.ConnectAsync(Stop);

        Assert.DoesNotContain("immutable", connection.ConnectionString);
        Assert.Contains("immutable", closed.ConnectionString);
    }

    [Fact]
    public async Task PlaceWithoutAWriteAheadLogIsRefused()
    {
        await using var connection = new SqliteConnection("Data Source=:memory:");
        await connection.OpenAsync(Stop);

        var error = Assert.Throws<StoreException>(() => SqliteDatabase.UseWriteAheadLog(connection, "/data/harness.db"));

        Assert.StartsWith("/data/harness.db cannot have a write-ahead log (SQLite stays in the mode 'memory')", error.Message);
        Assert.Contains("--data", error.Message);
    }

    [Fact]
    public async Task NewerVersionIsRefused()
    {
        var options = await FilledAsync();
        await ExecuteAsync(options, "UPDATE meta SET version = 99");

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));

        Assert.Contains("was written by a newer version of Harness (its schema is 99", error.Message);
        Assert.Contains("--data", error.Message);
    }

    [Fact]
    public async Task OlderVersionIsBroughtUpToDate()
    {
        var options = _folder.NewOptions();
        var first = StoreSchemaScripts();
        await using (var older = new ExecutionStore(new SqliteDatabase(options, NullLogger.Instance, new StoreSchema(first)), options))
        {
            await older.OpenAsync(Stop);
            await older.AppendAsync(Appends.Whole(Appends.Execution(1)), Stop);
        }

        await ExecuteAsync(options, "UPDATE segment SET frames = CAST('just as it was given ' || hex(zeroblob(1000)) AS blob)");

        var newer = new StoreSchema([.. first, "CREATE TABLE extra (a bigint NOT NULL); INSERT INTO extra VALUES (1)"]);
        for (var opening = 0; opening < 2; opening++)
        {
            await using var store = new ExecutionStore(new SqliteDatabase(options, NullLogger.Instance, newer), options);
            Assert.Equal(1, (await store.OpenAsync(Stop)).LastNumber);
            Assert.Equal("just as it was given "u8.ToArray(), (await store.ReadAsync(1, 1, 1, Stop))[0].Packed[..21].ToArray());
        }

        var error = await Assert.ThrowsAsync<StoreException>(async () =>
        {
            await using var older = new ExecutionStore(new SqliteDatabase(options, NullLogger.Instance, new StoreSchema(first)), options);
            await older.OpenAsync(Stop);
        });
        Assert.Contains("newer version", error.Message);
    }

    [Fact]
    public async Task DatabaseOfSomethingElseIsRefused()
    {
        var options = _folder.NewOptions();
        Directory.CreateDirectory(options.Data);
        await ExecuteAsync(options, "CREATE TABLE recipe (name text)");

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));

        Assert.Contains("holds something else", error.Message);
    }

    [Fact]
    public async Task MessageToASecondServerNamesTheProcess()
    {
        var options = _folder.NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using var _1 = store;

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));

        Assert.Equal(
            $"{FileOf(options)} is used by another Harness server (process {Environment.ProcessId}); stop it, or choose another folder with --data",
            error.Message);
    }

    [Fact]
    public async Task FolderOfAnotherProcessIsRefusedUntilThatIsKilled()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/flock"), "flock is not installed");
        var options = await FilledAsync();
        using var other = Process.Start(new ProcessStartInfo("/usr/bin/flock", ["--no-fork", Path.Combine(options.Data, "harness.lock"), "sh", "-c", "echo held; exec cat"])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        await other.StandardOutput.ReadLineAsync(Stop);

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));
        other.Kill();
        await other.WaitForExitAsync(Stop);
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await store.DisposeAsync();

        Assert.Contains("is used by another Harness server", error.Message);
    }

    [Fact]
    public async Task FolderThatIsAFileIsRefused()
    {
        var options = await FilledAsync();
        options.Data = FileOf(options);

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));

        Assert.Contains("cannot be made", error.Message);
    }

    [Theory]
    [InlineData("%41")]
    [InlineData("100% of it & 'more'; no=1")]
    [InlineData("a#b ä")]
    [InlineData("a?mode=memory")]
    public async Task FolderMayHaveAnyName(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && name.Contains('?'), "Windows has no such names");
        var options = _folder.NewOptions();
        options.Data = Path.Combine(options.Data, name);
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await store.AppendAsync(Appends.Whole(Appends.Execution(1)), Stop);
        await store.DisposeAsync();

        await using var reader = StoreFactory.CreateReadOnly(options);
        await reader.OpenAsync(Stop);
        Assert.NotNull(await reader.FindAsync("exec-1", Stop));
        (store, _) = await Appends.OpenAsync(options, Stop);
        await store.DisposeAsync();
    }

    [Fact]
    public async Task NothingToReadIsSaid()
    {
        var options = _folder.NewOptions();
        await using var store = StoreFactory.CreateReadOnly(options);

        var error = await Assert.ThrowsAsync<StoreException>(() => store.OpenAsync(Stop));

        Assert.Contains("There is no store in", error.Message);
        Assert.False(Directory.Exists(options.Data));
    }

    [Fact]
    public async Task FullDatabaseFailsAppendsUntilThereIsSpaceAndLosesNothing()
    {
        var (store, _) = await Appends.OpenAsync(_folder.NewOptions(), Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Created(Appends.Execution(1), Appends.Frames(1, 1)), Stop);
        await ((ExecutionStore)store).WriteAsync("PRAGMA max_page_count = 60", Stop);

        var kept = await AppendUntilFullAsync(store);
        Assert.Single(await store.ReadAsync(1, kept, 1, Stop));

        await ((ExecutionStore)store).WriteAsync("PRAGMA max_page_count = 1000000", Stop);
        await store.AppendAsync(Appends.More(1, Appends.Frames(kept + 1, 1)) with { IsRepair = true }, Stop);
        Assert.Equal(kept + 1, (await store.FindAsync("exec-1", Stop))!.LastSequence);
    }

    [Fact]
    public async Task FullDiskFailsAppendsUntilThereIsSpaceAndLosesNothing()
    {
        using var disk = TinyDisk.Mount(_folder.NewOptions().Data);
        var (store, _) = await Appends.OpenAsync(new StoreOptions { Data = disk.Folder }, Stop);
        await using var _1 = store;
        var ballast = Path.Combine(disk.Folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[1024 * 1024], Stop);
        await store.AppendAsync(Appends.Created(Appends.Execution(1), Appends.Frames(1, 1)), Stop);

        var kept = await AppendUntilFullAsync(store);
        Assert.Single(await store.ReadAsync(1, kept, 1, Stop));

        File.Delete(ballast);
        await store.AppendAsync(Appends.More(1, Appends.Frames(kept + 1, 1)) with { IsRepair = true }, Stop);
        Assert.Equal(kept + 1, (await store.FindAsync("exec-1", Stop))!.LastSequence);
        Assert.Equal(kept + 1, (await store.ReadAllAsync(1, Stop)).Count);
    }

    [Fact]
    public async Task FullDiskCanBeSweptAndThenTakesMore()
    {
        using var disk = TinyDisk.Mount(_folder.NewOptions().Data);
        await using var store = Reserved(disk);
        await store.OpenAsync(Stop);
        var number = await FillAsync(store);
        TakeTheRest(disk);

        var swept = await store.SweepAsync(new RetentionRule(null, 10, null), Stop);

        Assert.Null(swept.Failure);
        Assert.InRange(swept.Deleted.Count, number - 12, number);
        Assert.InRange(new DirectoryInfo(disk.Folder).GetFiles("harness.db*").Sum(file => file.Length), 0, 512 * 1024);
        await store.AppendAsync(Appends.Whole(Appends.Execution(number + 1), 3000), Stop);
        Assert.Equal(ReserveBytes, new FileInfo(Path.Combine(disk.Folder, "harness.reserve")).Length);
    }

    [Fact]
    public async Task RoomToDeleteIsNotTakenByWhatIsNew()
    {
        using var disk = TinyDisk.Mount(_folder.NewOptions().Data);
        await using var store = Reserved(disk);
        await store.OpenAsync(Stop);
        await store.AppendAsync(Appends.Created(Appends.Execution(1000), Appends.Frames(1, 1)), Stop);
        var ballast = Path.Combine(disk.Folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[512 * 1024], Stop);
        var number = await FillAsync(store);
        TakeTheRest(disk);

        // The first ones may do with what the log has left.
        for (var deleted = 1; new FileInfo(Path.Combine(disk.Folder, "harness.reserve")).Length > 0; deleted++)
        {
            Assert.True(await store.DeleteAsync(deleted, Stop));
        }

        // Somebody else is faster than the reserve.
        await File.WriteAllBytesAsync(ballast, new byte[new FileInfo(ballast).Length + new DriveInfo(disk.Folder).AvailableFreeSpace - 256 * 1024], Stop);
        Assert.EndsWith("when 2 MB are free", store.Problem);
        await AssertFullAsync(store, Appends.Whole(Appends.Execution(number + 1), 100), store.Problem!);
        await AssertFullAsync(store, Appends.More(1000, Appends.Frames(2, 1)), store.Problem!);
        await store.AppendAsync(
            Appends.Created(Appends.Execution(1000), Appends.Frames(2, 1)) with { Ended = Appends.End(2, 200), IsRepair = true }, Stop);

        File.Delete(ballast);
        Assert.Null(store.Problem);
        await store.SweepAsync(new RetentionRule(null, 10, null), Stop);
        await store.AppendAsync(Appends.Whole(Appends.Execution(number + 1), 100), Stop);
    }

    [Fact]
    public async Task RoomThatWasGivenAwayToDeleteWithIsNotTakenByWhatIsNewAfterARestartEither()
    {
        using var disk = TinyDisk.Mount(_folder.NewOptions().Data);
        var ballast = Path.Combine(disk.Folder, "ballast");
        int number;
        await using (var store = Reserved(disk))
        {
            await store.OpenAsync(Stop);
            number = await FillAsync(store);
            TakeTheRest(disk);
            for (var deleted = 1; new FileInfo(Path.Combine(disk.Folder, "harness.reserve")).Length > 0; deleted++)
            {
                Assert.True(await store.DeleteAsync(deleted, Stop));
            }

            await File.WriteAllBytesAsync(ballast, new byte[new FileInfo(ballast).Length + new DriveInfo(disk.Folder).AvailableFreeSpace - 256 * 1024], Stop);
        }

        await using var again = Reserved(disk);
        await again.OpenAsync(Stop);
        await AssertFullAsync(again, Appends.Whole(Appends.Execution(number + 1), 100), again.Problem!);

        File.Delete(ballast);
        await again.SweepAsync(new RetentionRule(null, 1, null), Stop);
        await again.AppendAsync(Appends.Whole(Appends.Execution(number + 1), 100), Stop);
        Assert.Equal(ReserveBytes, new FileInfo(Path.Combine(disk.Folder, "harness.reserve")).Length);
    }

    [Fact]
    public async Task ServerStartsOnAFullDiskAndDeletes()
    {
        using var disk = TinyDisk.Mount(_folder.NewOptions().Data);
        int number;
        await using (var store = Reserved(disk))
        {
            await store.OpenAsync(Stop);
            number = await FillAsync(store);
        }

        TakeTheRest(disk);
        await using var again = Reserved(disk);
        await again.OpenAsync(Stop);
        var swept = await again.SweepAsync(new RetentionRule(null, 10, null), Stop);

        Assert.Null(swept.Failure);
        Assert.InRange(swept.Deleted.Count, number - 12, number);
    }

    [Fact]
    public async Task FullDiskIsSaidAtStart()
    {
        using var disk = TinyDisk.Mount(_folder.NewOptions().Data);
        var options = new StoreOptions { Data = disk.Folder };
        var ballast = Path.Combine(disk.Folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[3 * 1024 * 1024 - 32 * 1024], Stop);

        var error = await Assert.ThrowsAsync<StoreException>(() => Appends.OpenAsync(options, Stop));
        File.Delete(ballast);
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await store.DisposeAsync();

        Assert.Contains($"The disk that holds {disk.Folder}", error.Message);
    }

    [Fact]
    public async Task SweepThatFailsHalfwaySaysWhatIsGone()
    {
        var (store, _) = await Appends.OpenAsync(_folder.NewOptions(), Stop);
        await using var _1 = store;
        for (var number = 1; number <= 3; number++)
        {
            var frames = Enumerable.Range(1, 6).Select(first => Appends.Frames(first, 1, 1024 * 1024)).ToArray();
            await store.AppendAsync(Appends.Created(Appends.Execution(number), frames) with { Ended = Appends.End(6, 6 * 1024 * 1024) }, Stop);
        }

        await ((ExecutionStore)store).WriteAsync(
            "CREATE TRIGGER no BEFORE DELETE ON segment WHEN OLD.execution = 2 AND OLD.first_seq > 4 BEGIN SELECT RAISE(ABORT, 'no'); END", Stop);
        var swept = await store.SweepAsync(new RetentionRule(null, 0, null), Stop);

        Assert.IsType<StoreException>(swept.Failure);
        Assert.Equal([1], swept.Deleted.Select(execution => execution.Number));
        Assert.Equal([new SweptExecution(2, "exec-2", 5)], swept.Trimmed);
        Assert.Equal(10 * 1024 * 1024, swept.Bytes);
        Assert.Equal([3, 2], (await store.ListAsync(new ExecutionFilter(), long.MaxValue, 10, Stop)).Select(execution => execution.Number));

        Assert.Equal([3], (await store.SweepAsync(new RetentionRule(null, 0, null), Stop)).Deleted.Select(execution => execution.Number));
        await Assert.ThrowsAsync<StoreException>(() => store.SweepAsync(new RetentionRule(null, 0, null), Stop).AsTask());
        await ((ExecutionStore)store).WriteAsync("DROP TRIGGER no", Stop);
        var rest = await store.SweepAsync(new RetentionRule(null, 0, null), Stop);

        Assert.Null(rest.Failure);
        Assert.Empty(rest.Trimmed);
        Assert.Equal(2 * 1024 * 1024, rest.Bytes);
    }

    [Fact]
    public async Task SpaceOfWhatWasSweptGoesBackToTheDisk()
    {
        var options = _folder.NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        for (var number = 1; number <= 40; number++)
        {
            await store.AppendAsync(Appends.Whole(Appends.Execution(number), 1024 * 1024), Stop);
        }

        await store.SweepAsync(new RetentionRule(null, 1, null), Stop);
        await store.DisposeAsync();

        Assert.InRange(new FileInfo(FileOf(options)).Length, 0, 12 * 1024 * 1024);
    }

    [Fact]
    public async Task AnEighthOfTheSpaceStaysForWhatComesNext()
    {
        var options = _folder.NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        for (var number = 1; number <= 120; number++)
        {
            await store.AppendAsync(Appends.Whole(Appends.Execution(number), 1024 * 1024), Stop);
        }

        await store.DisposeAsync();
        var full = new FileInfo(FileOf(options)).Length;

        (store, _) = await Appends.OpenAsync(options, Stop);
        await store.SweepAsync(new RetentionRule(null, 108, null), Stop);
        await store.DisposeAsync();
        var swept = new FileInfo(FileOf(options)).Length;

        (store, _) = await Appends.OpenAsync(options, Stop);
        for (var number = 121; number <= 132; number++)
        {
            await store.AppendAsync(Appends.Whole(Appends.Execution(number), 1024 * 1024), Stop);
        }

        await store.DisposeAsync();
        Assert.Equal(full, swept);
        Assert.InRange(new FileInfo(FileOf(options)).Length, full, full + 1024 * 1024);
    }

    [Fact]
    public async Task WriteAheadLogStaysSmallWhileMuchIsWritten()
    {
        var options = _folder.NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using var _1 = store;
        await store.AppendAsync(Appends.Created(Appends.Execution(1)), Stop);

        for (var first = 1; first <= 1000; first++)
        {
            await store.AppendAsync(Appends.More(1, Appends.Frames(first, 1, 400_000)), Stop);
        }

        Assert.InRange(new FileInfo(FileOf(options) + "-wal").Length, 0, 280 * 1024 * 1024);
        Assert.Equal(1000, (await store.FindAsync("exec-1", Stop))!.LastSequence);
    }

    [Fact]
    public async Task LinesTakeLessOfTheDiskThanTheyAreLong()
    {
        var options = _folder.NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using (store)
        {
            await store.AppendAsync(Appends.Created(Appends.Execution(1)), Stop);
            for (var first = 1; first <= 100; first++)
            {
                await store.AppendAsync(Appends.More(1, Appends.Lines(first, 1, 100_000)), Stop);
            }
        }

        Assert.InRange(new FileInfo(FileOf(options)).Length, 0, 100 * 100_000 / 3);
    }

    [Fact]
    public async Task NothingThatIsWrittenNeedsATemporaryFile()
    {
        Assert.SkipUnless(Directory.Exists("/proc/self/fd"), "there is no /proc");
        var options = await FilledAsync();
        using var connection = new SqliteDatabase(options, NullLogger.Instance).Connect(FileOf(options));
        SqliteDatabase.Execute(connection, "BEGIN IMMEDIATE");

        var stretches = new StretchBuffer();
        var calls = Enumerable.Range(1000, 300)
            .SelectMany(number => StoreCalls.ToItem(Appends.Whole(Appends.Execution(number, labels: ("number", $"{number}")), 20_000), copies: false).Calls)
            .Concat(Enumerable.Range(1, 300).SelectMany(number => StoreCalls.Trim(number, 2, 100).Concat(StoreCalls.Delete(number))));
        foreach (var call in calls)
        {
            using var statement = new SqliteStatement(connection, call.Sql, stretches);
            statement.Run(call.Values);
        }

        // The names SQLite gives them; they have no entry in their folder any more.
        Assert.DoesNotContain(
            Directory.GetFileSystemEntries("/proc/self/fd"),
            descriptor => new FileInfo(descriptor).LinkTarget?.Contains("etilqs_", StringComparison.Ordinal) == true);
        SqliteDatabase.Execute(connection, "ROLLBACK");
    }

    private static ExecutionStore Reserved(TinyDisk disk)
    {
        var options = new StoreOptions { Data = disk.Folder };
        return new ExecutionStore(new SqliteDatabase(options, NullLogger.Instance, reserveBytes: ReserveBytes), options);
    }

    /// <summary>Ended executions until there is no room for one more, and its number.</summary>
    private static async Task<int> FillAsync(ExecutionStore store)
    {
        for (var number = 1; ; number++)
        {
            try
            {
                await store.AppendAsync(Appends.Whole(Appends.Execution(number), 3000, Appends.Noon.AddMinutes(number)), Stop);
            }
            catch (StoreException error)
            {
                Assert.Contains("is full: free some space", error.Message);
                return number;
            }
        }
    }

    private static async Task AssertFullAsync(ExecutionStore store, StoreAppend append, string problem = "is full: free some space")
    {
        var error = await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(append, Stop).AsTask());
        Assert.Contains(problem, error.Message);
        Assert.True(error.IsTransient);
    }

    private static void TakeTheRest(TinyDisk disk)
    {
        using var ballast = new FileStream(Path.Combine(disk.Folder, "ballast"), FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                ballast.Write(new byte[4096]);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    private static async Task<int> AppendUntilFullAsync(IExecutionStore store)
    {
        for (var first = 2; first < 10_000; first++)
        {
            try
            {
                await store.AppendAsync(Appends.More(1, Appends.Frames(first, 1, 20_000)), Stop);
            }
            catch (StoreException error)
            {
                Assert.Contains("is full: free some space; executions can be started again then", error.Message);
                await Assert.ThrowsAsync<StoreException>(() => store.AppendAsync(Appends.More(1, Appends.Frames(first, 1, 20_000)), Stop).AsTask());
                return first - 1;
            }
        }

        throw new InvalidOperationException("It was never full");
    }

    private async Task<StoreOptions> FilledAsync()
    {
        var options = _folder.NewOptions();
        var (store, _) = await Appends.OpenAsync(options, Stop);
        await using var _1 = store;
        await Task.WhenAll(Enumerable.Range(1, 300).Select(number =>
            store.AppendAsync(Appends.Whole(Appends.Execution(number, labels: ("number", $"{number}")), 3000), Stop).AsTask()));
        return options;
    }

    // VACUUM INTO and .dump leave out that there was a write-ahead log.
    private async Task<StoreOptions> BackedUpAsync()
    {
        var (options, copy) = (await FilledAsync(), _folder.NewOptions());
        Directory.CreateDirectory(copy.Data);
        await ExecuteAsync(options, $"VACUUM INTO '{FileOf(copy)}'");
        return copy;
    }

    private static IReadOnlyList<string> StoreSchemaScripts()
    {
        using var script = new StreamReader(typeof(ExecutionStore).Assembly.GetManifestResourceStream("Schema/Sqlite/0001-executions")!);
        return [script.ReadToEnd()];
    }

    private static async Task<object?> ExecuteAsync(StoreOptions options, string text)
    {
        await using var connection = new SqliteConnection($"Data Source={FileOf(options)};Pooling=false");
        await connection.OpenAsync(Stop);
        await using var command = new SqliteCommand(text, connection);
        return await command.ExecuteScalarAsync(Stop);
    }

    private static string FileOf(StoreOptions options) => Path.Combine(options.Data, "harness.db");

    private static string Listing(StoreOptions options) => string.Join(
        '\n',
        new DirectoryInfo(options.Data).GetFiles().Where(file => file.Name.StartsWith("harness.db", StringComparison.Ordinal)).Select(file => $"{file.Name} {file.Length}").Order());

    private static byte[] Flip(byte[] bytes, int from, int count)
    {
        var flipped = bytes.ToArray();
        for (var i = from; i < from + count; i++)
        {
            flipped[i] ^= 0xFF;
        }

        return flipped;
    }
}
