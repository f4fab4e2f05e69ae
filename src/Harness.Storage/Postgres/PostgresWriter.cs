using Harness.Storage.Writing;
using Npgsql;

namespace Harness.Storage.Postgres;

/// <summary>The loop that writes: a group is one batch, which is one round trip and one transaction.</summary>
internal sealed class PostgresWriter(WriteQueue writes, PostgresSession session, StoreAddress address) : IAsyncDisposable
{
    private readonly StretchBuffer _stretches = new();
    private Task _running = Task.CompletedTask;
    private bool _gaveUp;

    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Writes what is queued; after that nothing is.</summary>
    public async ValueTask DisposeAsync() => await _running;

    private async Task RunAsync()
    {
        var group = new List<WriteItem>();
        while (await writes.TakeAsync(group))
        {
            if (!await TryWriteAsync(group))
            {
                // One of them is to blame, and the others are not to fail with it.
                foreach (var item in group)
                {
                    await TryWriteAsync([item]);
                }
            }
        }
    }

    /// <summary>Writes a group. False: nothing is kept, and they are to be tried one by one.</summary>
    private async Task<bool> TryWriteAsync(List<WriteItem> group)
    {
        group.RemoveAll(writes.FailsAfterLoss);
        try
        {
            if (group.Exists(item => item.Calls.Count > 0))
            {
                await session.RetryAsync(
                    (connection, seconds) => WriteAsync(connection, group, seconds),
                    () => !_gaveUp && group.Exists(item => !item.IsAbandoned),
                    CancellationToken.None);
            }
        }
        catch (PostgresException error) when (group.Count > 1 && !PostgresErrors.IsLost(error))
        {
            return false;
        }
        catch (Exception error)
        {
            // Whatever it is: those that wait are told, and the next ones are written. Not at the end, though: that is not to take the
            // time limit again for every group that is left.
            _gaveUp |= writes.IsClosed && PostgresErrors.IsLost(error);
            var explained = PostgresErrors.Explain(error, address);
            group.ForEach(item => writes.Fail(item, explained));
            return true;
        }

        group.ForEach(writes.Complete);
        return true;
    }

    // Without a transaction of its own a batch is one: PostgreSQL commits at its end, in the same round trip.
    private async Task WriteAsync(NpgsqlConnection connection, List<WriteItem> group, int seconds)
    {
        _stretches.Clear();
        await using var batch = new NpgsqlBatch(connection) { Timeout = seconds };
        foreach (var item in group)
        {
            foreach (var call in item.Calls)
            {
                var command = new NpgsqlBatchCommand(call.Sql.Text);
                for (var i = 0; i < call.Values.Length; i++)
                {
                    command.Parameters.Add(new NpgsqlParameter(call.Sql.Names[i], ValueOf(call.Values[i])));
                }

                batch.BatchCommands.Add(command);
            }
        }

        await batch.ExecuteNonQueryAsync();
    }

    private object ValueOf(object? value) => value switch
    {
        null => DBNull.Value,
        Stretch stretch => _stretches.Compress(stretch.Given),
        _ => value,
    };
}
