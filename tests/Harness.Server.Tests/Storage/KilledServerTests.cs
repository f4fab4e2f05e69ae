using System.Globalization;
using System.Text.Json;
using Harness.Server.Tests.Cli;
using Harness.Storage.Tests;

namespace Harness.Server.Tests.Storage;

/// <summary>
/// The server's process killed under load, again and again. HARNESS_KILLS says how often (5 unless set; PostgreSQL gets a fifth
/// of them).
/// </summary>
[Collection("PostgreSQL")]
public sealed class KilledServerTests(PostgresCluster postgres)
{
    private const int MostFramesBeforeAKill = 15_000;

    private static int Kills =>
        int.TryParse(Environment.GetEnvironmentVariable("HARNESS_KILLS"), CultureInfo.InvariantCulture, out var kills) ? kills : 5;

    [Fact]
    public async Task WhatAnyClientSawIsThereAfterEveryKillToTheByte()
    {
        using var folder = new DataFolder();
        await KillAndLookAsync(Kills, ["--data", folder.NewOptions().Data]);
    }

    [Fact]
    public async Task WhatAnyClientSawIsThereAfterEveryKillToTheByteOverPostgreSql() =>
        await KillAndLookAsync(Math.Max(1, Kills / 5), ["--store", postgres.NewSchema()]);

    private static async Task KillAndLookAsync(int kills, string[] store)
    {
        var random = new Random(kills);
        var witness = new Witness();
        for (var kill = 0; kill < kills; kill++)
        {
            var (process, address) = await HarnessExecutable.StartServerAsync(["--synthetic", .. store]);
            await using (process)
            {
                await LookAsync(address, witness, witness.TakeUnsettled());

                // Now and then before anything was asked of it.
                if (kill % 10 != 9)
                {
                    await LoadAsync(address, witness, random.Next(1, MostFramesBeforeAKill), process.Kill);
                }
                else
                {
                    process.Kill();
                }
            }
        }

        var (last, lastAddress) = await HarnessExecutable.StartServerAsync(["--synthetic", .. store]);
        await using (last)
        {
            Assert.NotEmpty(witness.Executions);
            await LookAsync(lastAddress, witness, witness.Executions);
        }
    }

    /// <summary>Executions on one connection, watched on two more, until so many frames have come; then the kill.</summary>
    private static async Task LoadAsync(Uri address, Witness witness, int frames, Action kill)
    {
        var left = frames;
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = new TaskCompletionSource<string[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        (int Lines, int Rate)[] runs = [(15_000, 0), (1_000_000, 2_000), (1_000_000, 50), (3, 0)];

        var starter = ReadAsync(address, async socket =>
        {
            foreach (var (lines, rate) in runs)
            {
                await socket.SendAsync(
                    $$$"""{"action":"execute","kind":"synthetic","idempotency_key":"{{{Guid.NewGuid()}}}","data":{"lines":{{{lines}}},"rate":{{{rate}}},"size":60}}""");
            }
        });
        Task[] watchers = [WatchAsync("\"from\":0"), WatchAsync("\"tail\":5")];
        await enough.Task.WaitAsync(TestContext.Current.CancellationToken);
        kill();
        await Task.WhenAll([starter, .. watchers]);

        async Task WatchAsync(string from)
        {
            var ids = await started.Task;
            await ReadAsync(address, async socket =>
            {
                foreach (var id in ids)
                {
                    await socket.SendAsync($$"""{"action":"subscribe","id":"{{id}}",{{from}}}""");
                }
            });
        }

        async Task ReadAsync(Uri server, Func<RawTextSocket, Task> ask)
        {
            await using var socket = await RawTextSocket.ConnectAsync(server);
            await ask(socket);
            var ids = new HashSet<string>();
            while (await socket.TryReceiveAsync() is { } frame)
            {
                if (witness.See(frame) is { } id && ids.Add(id) && ids.Count == runs.Length)
                {
                    started.TrySetResult([.. ids]);
                }

                if (Interlocked.Decrement(ref left) == 0)
                {
                    enough.SetResult();
                }
            }

            // The kill came before every run had said something: nobody is left to be waited for.
            started.TrySetResult([]);
        }
    }

    /// <summary>Everything that was seen is replayed from the first event to the result, and nothing runs.</summary>
    private static async Task LookAsync(Uri address, Witness witness, IReadOnlyCollection<string> ids)
    {
        await using var socket = await RawTextSocket.ConnectAsync(address);
        await socket.SendAsync("""{"action":"list","filter":{"status":"running"}}""");
        Assert.Equal(0, (await socket.ReceiveJsonAsync()).GetProperty("items").GetArrayLength());
        foreach (var id in ids)
        {
            await socket.SendAsync($$"""{"action":"subscribe","id":"{{id}}","from":0}""");
            var subscribed = await socket.ReceiveJsonAsync();
            Assert.Equal("subscribed", subscribed.Type());
            witness.SeeEpoch(subscribed.Text("epoch"));
            var (next, type) = (1L, "");
            while (type != "result")
            {
                var frame = await socket.TryReceiveAsync() ?? throw new InvalidOperationException("Closed");
                var json = JsonElement.Parse(frame);
                type = json.Type();
                Assert.Equal(next++, json.GetProperty("seq").GetInt64());
                witness.See(frame);
            }

            Assert.Equal("unsubscribed", (await socket.ReceiveJsonAsync()).Type());
            Assert.True(next > witness.LastOf(id));
        }
    }
}
