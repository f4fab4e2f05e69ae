using System.Net;
using System.Text.Json;
using Harness.Server.Tests.Transports;
using Harness.Server.Tests.Transports.SignalR;

namespace Harness.Server.Tests.Dialects.VoltAgent.Workflows;

/// <summary>Workflows as server-sent events: one stream from the start to the end, whatever comes between.</summary>
public sealed class WorkflowStreamTests : IAsyncLifetime
{
    private const string Large = """{"input":{"orderId":"o1","amount":15000}}""";
    private const string Approved = """{"resumeData":{"approved":true,"managerId":"m"}}""";

    private WorkflowApp _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await WorkflowApp.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task ThreeStepsWithASuspensionComeOverOneStream()
    {
        using var stream = await StreamOf.PostAsync(_server.App.Client, "/workflows/order-approval/stream", Large);
        Assert.Equal("text/event-stream", stream.Response.Content.Headers.ContentType?.ToString());
        var events = await stream.ReadUntilAsync("workflow-suspended");
        var id = events[0].Text("executionId");

        var (_, resumed) = await _server.PostAsync($"/workflows/order-approval/executions/{id}/resume", Approved);
        events.AddRange(await stream.ReadToEndAsync());

        Assert.Equal("completed", resumed.GetProperty("data").Text("status"));
        Assert.Equal(
            ["workflow-start", "step-start", "step-complete", "step-start", "workflow-suspended", "workflow-resumed", "step-start", "step-complete",
             "step-start", "step-complete", "workflow-complete", "workflow-result"],
            events.Select(json => json.Text("type")));
        Assert.All(events, json => Assert.Equal(id, json.Text("executionId")));
        Assert.Equal("Order Approval Workflow", events[0].Text("from"));
        Assert.Equal("running", events[0].Text("status"));
        Assert.Equal(
            """{"type":"step-start","from":"Check order","status":"running","stepId":"check","stepIndex":0,"stepType":"func","input":{"orderId":"o1","amount":15000}}""",
            Without(events[1], "executionId", "timestamp"));
        Assert.Equal("success", events[2].Text("status"));
        Assert.Equal("suspended", events[4].Text("status"));
        Assert.Equal("Waiting for manager approval", events[4].GetProperty("metadata").Text("reason"));
        Assert.Equal(1, events[4].GetProperty("metadata").GetProperty("suspension").Number("suspendedStepIndex"));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", events[4].Text("timestamp"));
        Assert.Equal("""{"type":"workflow-result","status":"completed","result":{"approved":true,"processedBy":"m"}}""", Without(events[^1], "executionId", "endAt"));
    }

    [Fact]
    public async Task StreamEndsAtTheSuspensionForThoseWhoAskForIt()
    {
        using var stream = await StreamOf.PostAsync(_server.App.Client, "/workflows/order-approval/stream?until=suspended", Large);

        var events = await stream.ReadToEndAsync();

        Assert.Equal("workflow-suspended", events[^2].Text("type"));
        Assert.Equal("""{"type":"workflow-result","status":"suspended","result":null,"endAt":null}""", Without(events[^1], "executionId"));
    }

    [Fact]
    public async Task StreamThatIsAttachedToEndsAtTheSuspensionOfNow()
    {
        var id = (await _server.OrderAsync(15_000)).Text("executionId");
        var (_, again) = await _server.PostAsync($"/workflows/order-approval/executions/{id}/resume", """{"options":{"stepId":"check"}}""");
        Assert.Equal("suspended", again.GetProperty("data").Text("status"));

        using var stream = await StreamOf.GetAsync(_server.App.Client, $"/workflows/order-approval/executions/{id}/stream?until=suspended");
        var events = await stream.ReadToEndAsync();

        Assert.Equal(
            ["workflow-start", "step-start", "step-complete", "step-start", "workflow-suspended", "workflow-resumed", "step-start", "step-complete",
                "step-start", "workflow-suspended", "workflow-result"],
            events.Select(json => json.Text("type")));
    }

    [Fact]
    public async Task ErrorsInAStreamCarryTheirMessageAndTheStreamEnds()
    {
        using var stream = await StreamOf.PostAsync(_server.App.Client, "/workflows/broken/stream", "{}");

        var events = await stream.ReadToEndAsync();

        Assert.Equal(["workflow-start", "step-start", "step-error", "workflow-error", "workflow-result"], events.Select(json => json.Text("type")));
        Assert.Equal("out of ink", events[2].Text("error"));
        Assert.Equal("Step 'break' failed: out of ink", events[3].Text("error"));
        Assert.Equal("error", events[4].Text("status"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CancelledWorkflowEndsItsStreamsAlsoWhenItWasSuspended(bool suspended)
    {
        var execution = await _server.StartLongAsync();
        if (suspended)
        {
            await _server.PostAsync($"/workflows/long/executions/{execution.Id}/suspend", "{}");
        }

        using var stream = await StreamOf.GetAsync(_server.App.Client, $"/workflows/long/executions/{execution.Id}/stream");
        await stream.ReadUntilAsync(suspended ? "workflow-suspended" : "step-start");
        await _server.PostAsync($"/workflows/long/executions/{execution.Id}/cancel", """{"reason":"enough"}""");
        var events = await stream.ReadToEndAsync();

        Assert.Equal(["workflow-cancelled", "workflow-result"], events.Select(json => json.Text("type")));
        Assert.Equal("enough", events[0].GetProperty("metadata").Text("reason"));
        Assert.Equal("cancelled", events[1].Text("status"));
    }

    [Fact]
    public async Task AttachedStreamGoesOnAfterTheLastEventSeenAlsoAfterTheEnd()
    {
        var id = (await _server.OrderAsync(1)).Text("executionId");
        var path = $"/workflows/order-approval/executions/{id}/stream";
        using var all = await StreamOf.GetAsync(_server.App.Client, path);
        var events = await all.ReadToEndAsync();

        using var rest = await StreamOf.GetAsync(_server.App.Client, path, lastEventId: all.Ids[3]);
        using var query = await StreamOf.GetAsync(_server.App.Client, $"{path}?fromSequence={all.Ids[3]}");

        Assert.Equal("workflow-start", events[0].Text("type"));
        Assert.Equal(events[4..].Select(json => json.GetRawText()), (await rest.ReadToEndAsync()).Select(json => json.GetRawText()));
        Assert.Equal(events.Count - 4, (await query.ReadToEndAsync()).Count);
    }

    [Fact]
    public async Task ClientThatHasSeenTheEndIsToldThatNothingComesAnyMore()
    {
        var id = (await _server.OrderAsync(1)).Text("executionId");
        var path = $"/workflows/order-approval/executions/{id}/stream";
        using var all = await StreamOf.GetAsync(_server.App.Client, path);
        await all.ReadToEndAsync();

        using var header = await _server.App.SendAsync(HttpMethod.Get, path, ("Last-Event-ID", all.Ids[^1]));
        using var query = await _server.App.SendAsync(HttpMethod.Get, $"{path}?fromSequence={all.Ids[^1]}");

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NoContent), (header.StatusCode, query.StatusCode));
    }

    [Fact]
    public async Task ClientThatLeavesTheStreamLeavesTheWorkflowRunning()
    {
        var stream = await StreamOf.PostAsync(_server.App.Client, "/workflows/long/stream", """{"input":1}""");
        var id = (await stream.ReadUntilAsync("step-start"))[0].Text("executionId");
        stream.Dispose();

        var (status, _) = await _server.PostAsync($"/workflows/long/executions/{id}/suspend", "{}");

        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task SameExecutionIsWatchedOverTheSocketAcrossItsSuspension()
    {
        using var socket = await SocketClient.ConnectAsync(_server.App);
        await socket.SendAsync("""{"action":"execute","kind":"workflow","events":true,"data":{"workflow":"order-approval","input":{"orderId":"o","amount":5000}}}""");
        var frames = new List<JsonElement>();
        await ReadUntilAsync(frames, frame => frame.Type() == "status" && frame.GetProperty("data").Text("status") == "suspended");
        await _server.PostAsync($"/workflows/order-approval/executions/{frames[0].Text("id")}/resume", Approved);
        await ReadUntilAsync(frames, frame => frame.Type() == "result");

        Assert.Equal(
            ["workflow-start", "step-start", "step-complete", "step-start", "workflow-suspended", "workflow-resumed", "step-start", "step-complete", "step-start", "step-complete"],
            frames.Where(frame => frame.Type() == "event").Select(frame => frame.Text("name")));
        Assert.Equal(Enumerable.Range(1, frames.Count).Select(sequence => (long)sequence), frames.Select(frame => frame.Number("seq")));
        Assert.Equal("order-approval", frames[^1].GetProperty("data").Text("workflow"));

        async Task ReadUntilAsync(List<JsonElement> seen, Func<JsonElement, bool> isLast)
        {
            do
            {
                seen.Add(await socket.ReceiveAsync());
            }
            while (!isLast(seen[^1]));
        }
    }

    [Theory]
    [InlineData("json")]
    [InlineData("messagepack")]
    public async Task SameExecutionIsWatchedOverTheHubAcrossItsSuspension(string protocol)
    {
        await using var hub = await HubClient.ConnectAsync(_server.App, protocol);
        var id = (await _server.OrderAsync(5000)).Text("executionId");

        var watching = hub.WatchAsync(id);
        var resumed = await hub.AskAsync("Resume", new { id, data = new { approved = true, managerId = "m" } });
        var events = await watching;

        Assert.Contains(resumed.Text("status"), new[] { "running", "completed" });
        Assert.Equal(["running", "suspended", "running"], events.Where(json => json.Type() == "status").Select(json => json.GetProperty("data").Text("status")));
        Assert.Equal(Enumerable.Range(1, events.Count).Select(sequence => (long)sequence), events.Sequences());
        Assert.Equal("m", events[^1].GetProperty("data").GetProperty("output").Text("processedBy"));
    }

    [Fact]
    public async Task StoppedServerEndsTheStreamsOfSuspendedWorkflows()
    {
        using var stream = await StreamOf.PostAsync(_server.App.Client, "/workflows/order-approval/stream", Large);
        await stream.ReadUntilAsync("workflow-suspended");

        await _server.App.StopAsync();

        Assert.Equal(["workflow-cancelled", "workflow-result"], (await stream.ReadToEndAsync()).Select(json => json.Text("type")));
    }

    private static string Without(JsonElement json, params string[] names) => JsonSerializer.Serialize(
        json.EnumerateObject().Where(member => !names.Contains(member.Name)).ToDictionary(member => member.Name, member => member.Value));
}
