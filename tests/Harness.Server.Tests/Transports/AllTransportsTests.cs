using System.Text.Json;
using Harness.Executions;
using Harness.Server.Tests.Transports.Rest;
using Harness.Server.Tests.Transports.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Harness.Server.Tests.Transports;

/// <summary>One run, watched over every transport at once.</summary>
public sealed class AllTransportsTests
{
    private const int Lines = 5_000;
    private const int LiveReaders = 9;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LiveSlowLateAndReturningReadersOfAllTransportsSeeTheSameEvents()
    {
        await using var app = await HarnessApp.StartAsync(("Synthetic", "true"));
        await using var json = await HubClient.ConnectAsync(app, "json");
        await using var messagePack = await HubClient.ConnectAsync(app, "messagepack");
        var kind = app.Services.GetServices<IExecutionKind>().Single(candidate => candidate.Name == "synthetic");
        var execution = app.Executions.Start(kind.Plan(JsonElement.Parse($$"""{"lines":{{Lines}},"watchers":{{LiveReaders}}}""")));

        var readers = await Task.WhenAll(
            ReadSocketAsync(app, execution),
            ReadSocketAsync(app, execution, pauseAfterFirst: execution.Completion),
            ReadSocketInTwoAsync(app, execution),
            ReadStreamAsync(app, execution),
            ReadStreamAsync(app, execution),
            ReadHubAsync(json, execution),
            ReadHubAsync(json, execution),
            ReadHubAsync(messagePack, execution),
            ReadHubAsync(messagePack, execution));
        var late = await Task.WhenAll(
            ReadSocketAsync(app, execution), ReadStreamAsync(app, execution), ReadHubAsync(json, execution), ReadHubAsync(messagePack, execution));

        var expected = readers[0];
        Assert.Equal(Enumerable.Range(1, Lines + 2).Select(number => (long)number), expected.Select(frame => frame.Number("seq")));
        Assert.Equal("result", expected[^1].Type());
        foreach (var events in readers.Concat(late))
        {
            Assert.Equal(expected.Count, events.Count);
            Assert.All(expected.Zip(events), pair => Assert.True(JsonElement.DeepEquals(pair.First, pair.Second), pair.Second.GetRawText()));
        }
    }

    private static async Task<List<JsonElement>> ReadSocketAsync(HarnessApp app, Execution execution, Task? pauseAfterFirst = null)
    {
        using var client = await SocketClient.ConnectAsync(app);
        await client.SendAsync($$"""{"action":"subscribe","id":"{{execution.Id}}"}""");
        Assert.Equal("subscribed", (await client.ReceiveAsync()).Type());
        var events = new List<JsonElement> { await client.ReceiveAsync() };
        await (pauseAfterFirst ?? Task.CompletedTask).WaitAsync(Stop);
        events.AddRange(await client.ReceiveUntilAsync("result"));
        return events;
    }

    private static async Task<List<JsonElement>> ReadSocketInTwoAsync(HarnessApp app, Execution execution)
    {
        List<JsonElement> events;
        using (var client = await SocketClient.ConnectAsync(app))
        {
            await client.SendAsync($$"""{"action":"subscribe","id":"{{execution.Id}}"}""");
            Assert.Equal("subscribed", (await client.ReceiveAsync()).Type());
            events = await client.ReceiveUntilAsync(frame => frame.Number("seq") == Lines / 2);

            // No goodbye: the server has not noticed when the next connection is there.
            client.Socket.Abort();
        }

        using var again = await SocketClient.ConnectAsync(app);
        await again.SendAsync($$"""{"action":"subscribe","id":"{{execution.Id}}","from":{{Lines / 2 + 1}},"epoch":"{{execution.Epoch}}"}""");
        Assert.True((await again.ReceiveAsync()).GetProperty("recovered").GetBoolean());
        events.AddRange(await again.ReceiveUntilAsync("result"));
        return events;
    }

    private static async Task<List<JsonElement>> ReadStreamAsync(HarnessApp app, Execution execution)
    {
        using var reader = await EventReader.OpenAsync(app.Client, $"/api/v1/executions/{execution.Id}/events");
        var blocks = await reader.ReadToEndAsync();
        Assert.EndsWith("\nevent: end\ndata: {}", blocks[^1], StringComparison.Ordinal);
        return [.. blocks.SkipLast(1)
            .Where(block => block.StartsWith("id: ", StringComparison.Ordinal))
            .Select(block => JsonElement.Parse(block[(block.IndexOf("data: ", StringComparison.Ordinal) + 6)..]))];
    }

    private static async Task<List<JsonElement>> ReadHubAsync(HubConnection connection, Execution execution)
    {
        var events = new List<JsonElement>();
        await foreach (var batch in connection.StreamAsync<JsonElement>("Watch", execution.Id, 0L, Stop))
        {
            events.AddRange(batch.GetProperty("events").EnumerateArray().Select(json => json.Clone()));
        }

        return events;
    }
}
