using System.Text.Json;
using Harness.Executions;
using Harness.Storage;
using Harness.Storage.Tests;

namespace Harness.Server.Tests.Storage;

/// <summary>The server over a PostgreSQL that goes away: what clients saw is what is replayed, and runs go on when it is back.</summary>
[Collection("PostgreSQL")]
public sealed class PostgresOutageTests(PostgresCluster postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("connections terminated")]
    [InlineData("stopped and started")]
    [InlineData("paused for 5 s")]
    public async Task RunsRideOutAnOutageAndNothingAnybodySawIsLost(string outage)
    {
        await using var app = await StartAsync("00:01:00");
        var witness = new Witness();
        await using var socket = await RawTextSocket.ConnectAsync(app.Address);
        await socket.SendAsync("""{"action":"execute","kind":"synthetic","data":{"lines":1000000,"rate":2000}}""");
        var id = await SeeAsync(socket, witness, 100);

        for (var round = 0; round < 2; round++)
        {
            await EndureAsync(outage);
            await SeeAsync(socket, witness, 500);
        }

        await socket.SendAsync($$"""{"action":"cancel","id":"{{id}}"}""");
        await SeeToTheEndAsync(socket, witness);
        await using var again = await RawTextSocket.ConnectAsync(app.Address);
        await again.SendAsync($$"""{"action":"subscribe","id":"{{id}}","from":0}""");
        await SeeToTheEndAsync(again, witness);
        Assert.Equal(Enumerable.Range(1, (int)witness.LastOf(id)).Select(sequence => (long)sequence), witness.SequencesOf(id));
        Assert.Equal(ExecutionStatus.Canceled, (await app.Executions.FindAsync(id, Stop))!.State.Status);
    }

    [Fact]
    public async Task OutageLongerThanTheLimitFailsRunsLoudlyAndTheServerRecovers()
    {
        await using var app = await StartAsync("00:00:01");
        var witness = new Witness();
        await using var socket = await RawTextSocket.ConnectAsync(app.Address);
        await socket.SendAsync("""{"action":"execute","kind":"synthetic","data":{"lines":1000000,"rate":2000}}""");
        var id = await SeeAsync(socket, witness, 100);

        postgres.Stop();
        var result = await SeeToTheEndAsync(socket, witness);
        using var ready = await app.SendAsync(HttpMethod.Get, "/health/ready");
        postgres.Restart();
        await app.Log.WaitForAsync(line => line.Contains("The store has the results of all executions that ended", StringComparison.Ordinal));

        Assert.Equal("failed", result.GetProperty("data").Text("status"));
        Assert.StartsWith("The log could not be stored: ", result.GetProperty("data").Text("error"));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        await using var again = await RawTextSocket.ConnectAsync(app.Address);
        await again.SendAsync($$"""{"action":"subscribe","id":"{{id}}","from":0}""");
        await SeeToTheEndAsync(again, witness);
        await again.SendAsync("""{"action":"execute","kind":"synthetic","data":{"lines":3}}""");
        Assert.Equal("completed", (await SeeToTheEndAsync(again, witness)).GetProperty("data").Text("status"));
    }

    private async Task EndureAsync(string outage)
    {
        switch (outage)
        {
            case "connections terminated":
                await postgres.TerminateConnectionsAsync(Stop);
                break;
            case "stopped and started":
                postgres.Stop();
                postgres.Restart();
                break;
            default:
                postgres.Pause();
                await Task.Delay(TimeSpan.FromSeconds(5), Stop);
                postgres.Continue();
                break;
        }
    }

    private static async Task<string> SeeAsync(RawTextSocket socket, Witness witness, int events)
    {
        string? id = null;
        for (var seen = 0; seen < events; seen++)
        {
            id = witness.See(await socket.TryReceiveAsync() ?? throw new InvalidOperationException("Closed")) ?? id;
        }

        return id!;
    }

    private static async Task<JsonElement> SeeToTheEndAsync(RawTextSocket socket, Witness witness)
    {
        while (true)
        {
            var frame = await socket.TryReceiveAsync() ?? throw new InvalidOperationException("Closed");
            witness.See(frame);
            if (JsonElement.Parse(frame) is var json && json.Type() == "result")
            {
                return json;
            }
        }
    }

    private Task<HarnessApp> StartAsync(string retryTimeLimit) => HarnessApp.StartAsync(
        ("Synthetic", "true"),
        ($"{StoreOptions.Section}:{nameof(StoreOptions.MemoryOnly)}", "false"),
        ($"{StoreOptions.Section}:{nameof(StoreOptions.ConnectionString)}", postgres.NewSchema()),
        ($"{StoreOptions.Section}:{nameof(StoreOptions.RetryTimeLimit)}", retryTimeLimit));
}
