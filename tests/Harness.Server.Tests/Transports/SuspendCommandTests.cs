using System.Net;
using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Server.Tests.Dialects.VoltAgent.Workflows;
using Harness.Workflows;

namespace Harness.Server.Tests.Transports;

/// <summary>Suspending and resuming over /ws and REST, whatever the kind.</summary>
public sealed class SuspendCommandTests : IAsyncLifetime
{
    private WorkflowApp _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await WorkflowApp.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task SocketSuspendsAndResumes()
    {
        using var socket = await SocketClient.ConnectAsync(_server.App);
        var execution = await _server.StartLongAsync();

        var suspended = await socket.AskJsonAsync($$"""{"action":"suspend","id":"{{execution.Id}}","reason":"lunch","ref":"r1"}""");
        var resumed = await socket.AskJsonAsync($$"""{"action":"resume","id":"{{execution.Id}}","ref":"r2"}""");
        await execution.Completion.WaitAsync(Stop);
        var late = await socket.AskJsonAsync($$"""{"action":"resume","id":"{{execution.Id}}","ref":"r3"}""");
        var gone = await socket.AskJsonAsync($$"""{"action":"suspend","id":"{{execution.Id}}"}""");

        Assert.Equal("suspended", suspended.GetProperty("data").Text("status"));
        Assert.Equal("lunch", suspended.GetProperty("data").GetProperty("suspension").Text("reason"));
        Assert.Equal("r1", suspended.Text("ref"));
        Assert.Contains(resumed.GetProperty("data").Text("status"), new[] { "running", "completed" });
        Assert.Equal("Cannot resume: execution is not suspended (current status: completed)", late.Text("message"));
        Assert.Equal("not_suspended", late.Text("code"));
        Assert.Equal("Cannot suspend: execution is not running (current status: completed)", gone.Text("message"));
    }

    [Fact]
    public async Task BodyThatTakesLongToStandStillHoldsUpNeitherPongsNorACancel()
    {
        await using var app = await HarnessApp.StartAsync(services => services.AddSingleton<IExecutionKind>(new BusyKind()));
        using var socket = await SocketClient.ConnectAsync(app);
        var id = (await socket.AskJsonAsync("""{"action":"execute","kind":"busy","watch":false}""")).Text("id");

        await socket.SendAsync($$"""{"action":"suspend","id":"{{id}}","ref":"s"}""");
        var pong = await socket.AskJsonAsync("""{"action":"ping","ref":"p"}""");
        await socket.SendAsync($$"""{"action":"cancel","id":"{{id}}","ref":"c"}""");
        var answers = new[] { await socket.ReceiveAsync(), await socket.ReceiveAsync() };

        Assert.Equal(("pong", "p"), (pong.Type(), pong.Text("ref")));
        Assert.Equal("cancelled", answers.Single(answer => answer.Text("ref") == "c").GetProperty("data").Text("status"));
        Assert.Equal("not_running", answers.Single(answer => answer.Text("ref") == "s").Text("code"));
    }

    [Fact]
    public async Task ResumeThatThereIsNoRoomForIsRefusedForNow()
    {
        await using var server = await WorkflowApp.StartAsync(("Harness:Executions:MaxConcurrent", "1"), ("Harness:Executions:MaxPending", "0"));
        using var socket = await SocketClient.ConnectAsync(server.App);
        var suspended = await server.StartLongAsync();
        await socket.AskJsonAsync($$"""{"action":"suspend","id":"{{suspended.Id}}"}""");
        await server.StartLongAsync();

        var overSocket = await socket.AskJsonAsync($$"""{"action":"resume","id":"{{suspended.Id}}"}""");
        var (status, body) = await server.PostAsync($"/api/v1/executions/{suspended.Id}/resume", "{}");
        var (route, _) = await server.PostAsync($"/workflows/long/executions/{suspended.Id}/resume", "{}");

        Assert.Equal("overloaded", overSocket.Text("code"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "overloaded"), (status, body.Text("error")));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, route);
    }

    [Fact]
    public async Task RestSuspendsAndResumes()
    {
        var execution = await _server.StartLongAsync();

        var (suspendedStatus, suspended) = await PostAsync(execution, "suspend", """{"reason":"lunch"}""");
        var (resumedStatus, _) = await PostAsync(execution, "resume", "{}");
        await execution.Completion.WaitAsync(Stop);
        var (lateStatus, late) = await PostAsync(execution, "resume", "{}");

        Assert.Equal(HttpStatusCode.OK, suspendedStatus);
        Assert.Equal("suspended", suspended.Text("status"));
        Assert.Equal(HttpStatusCode.OK, resumedStatus);
        Assert.Equal(HttpStatusCode.Conflict, lateStatus);
        Assert.Equal("not_suspended", late.Text("error"));
    }

    [Fact]
    public async Task ResumeThatIsSentTwiceDoesNotAnswerTheNextSuspension()
    {
        // A clock that stands still: the times of two suspensions differ all the same.
        await using var app = await HarnessApp.StartAsync(services => services.AddSingleton<TimeProvider>(new StillClock()).AddWorkflow(AsksTwice()));
        using var socket = await SocketClient.ConnectAsync(app);
        await socket.SendAsync("""{"action":"execute","kind":"workflow","data":{"workflow":"twice"}}""");
        var (id, first) = await SuspendedAsync(socket);
        var (_, accepted) = await PostAsync(app, id, "resume", $$"""{"suspended_at":"{{first}}"}""");
        var (_, second) = await SuspendedAsync(socket);

        var (status, refusal) = await PostAsync(app, id, "resume", $$"""{"suspended_at":"{{first}}"}""");
        var overSocket = await socket.AskJsonAsync($$"""{"action":"resume","id":"{{id}}","suspended_at":"{{first}}"}""");
        var (wrong, why) = await PostAsync(app, id, "resume", """{"suspended_at":"yesterday"}""");
        var (empty, _) = await PostAsync(app, id, "resume", """{"suspended_at":""}""");
        var (last, _) = await PostAsync(app, id, "resume", $$"""{"suspended_at":"{{second}}"}""");

        Assert.Equal(id, accepted.Text("id"));
        Assert.Equal((HttpStatusCode.Conflict, "not_suspended"), (status, refusal.Text("error")));
        Assert.Equal("Cannot resume: execution has been resumed, and is suspended for something else now; its status says for what", overSocket.Text("message"));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_field"), (wrong, why.Text("error")));
        Assert.Equal(HttpStatusCode.BadRequest, empty);
        Assert.Equal(HttpStatusCode.OK, last);
    }

    [Fact]
    public async Task DataThatCannotBeUsedIsRefused()
    {
        var started = await _server.OrderAsync(15000);
        Assert.True(_server.App.Executions.TryFind(started.Text("executionId"), out var execution));

        var (status, body) = await PostAsync(execution, "resume", """{"data":{"approved":7}}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("Cannot resume: Invalid resume data: resumeData.approved must be a boolean, not a number", body.Text("message"));
        Assert.Equal(ExecutionStatus.Suspended, execution.State.Status);
    }

    private static Workflow AsksTwice() => Workflow.Begin<JsonElement>("twice")
        .AndThen<int>("one", (_, context, _) => Task.FromResult<StepOutcome<int>>(context.IsResumed ? 1 : context.Suspend("first")))
        .AndThen<int>("two", (_, context, _) => Task.FromResult<StepOutcome<int>>(context.IsResumed ? 2 : context.Suspend("second")))
        .End();

    private static async Task<(string Id, string At)> SuspendedAsync(SocketClient socket)
    {
        while (true)
        {
            var frame = await socket.ReceiveAsync();
            if (frame.Type() == "status" && frame.GetProperty("data").TryGetProperty("suspension", out var suspension))
            {
                return (frame.Text("id")!, suspension.Text("suspended_at")!);
            }
        }
    }

    private Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(Execution execution, string action, string json) =>
        PostAsync(_server.App, execution.Id, action, json);

    private static async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(HarnessApp app, string id, string action, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await app.Client.PostAsync($"/api/v1/executions/{id}/{action}", content, Stop);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsByteArrayAsync(Stop)));
    }

    private sealed class StillClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;
    }

    /// <summary>Can be suspended, and does not hear of it.</summary>
    private sealed class BusyKind : IExecutionKind
    {
        public string Name => "busy";

        public ExecutionPlan Plan(JsonElement data) => new(new ExecutionRequest { Kind = Name, Name = "busy" }, async (_, _, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return new ExecutionResult(ExecutionStatus.Completed);
        });
    }
}
