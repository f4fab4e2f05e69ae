using System.Net;
using System.Text.Json;
using Harness.Executions;
using Harness.Generations;
using Harness.Tests.Generations;
using Harness.Workflows;

namespace Harness.Server.Tests.Dialects.VoltAgent.Workflows;

/// <summary>The workflow routes: their answers, and every refusal with its code and body.</summary>
public sealed class WorkflowRoutesTests : IAsyncLifetime
{
    private WorkflowApp _server = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _server = await WorkflowApp.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task WorkflowThatWaitsForAPlaceIsRefusedToBeSuspendedWithThatStatus()
    {
        await using var server = await WorkflowApp.StartAsync(("Harness:Executions:MaxConcurrent", "1"));
        await server.StartLongAsync();
        var waiting = server.App.Executions.Start(server.App.Services.GetRequiredService<WorkflowKind>().Plan(JsonElement.Parse("""{"workflow":"long","input":2}""")));

        var (status, body) = await server.PostAsync($"/workflows/long/executions/{waiting.Id}/suspend", "{}");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("Cannot suspend workflow in pending state", body.Text("error"));
    }

    [Fact]
    public async Task WorkflowsThatAskAgentsEndAlsoWhenTheyTakeAllPlaces()
    {
        var (begun, all) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await using var app = await HarnessApp.StartAsync(
            services => services
                .AddWorkflow(Workflow.Begin<int>("asking")
                    .AndThen("begin", async (number, _, stop) =>
                    {
                        // Both have their places before either asks.
                        if (Interlocked.Increment(ref begun) == 2)
                        {
                            all.SetResult();
                        }

                        await all.Task.WaitAsync(stop);
                        return number;
                    })
                    .AndAll<string>("both", branch => branch.AndAgent("one", "a", number => $"{number}"), branch => branch.AndAgent("two", "a", number => $"{number}"))
                    .End())
                .AddHarness().AddAgent(new AgentDefinition { Id = "a", ChatModel = CodeModel.Saying("fine") }),
            ("Harness:Executions:MaxConcurrent", "2"), ("Harness:Executions:MaxPending", "4"), ("Harness:Executions:TimeLimit", "00:00:20"));
        var kind = app.Services.GetRequiredService<WorkflowKind>();

        var executions = Enumerable.Range(0, 6)
            .Select(number => app.Executions.Start(kind.Plan(JsonElement.Parse($$"""{"workflow":"asking","input":{{number}}}""")))).ToList();
        var results = await Task.WhenAll(executions.Select(execution => execution.Completion)).WaitAsync(Stop);

        Assert.All(results, result => Assert.Equal("""{"output":["fine","fine"]}""", System.Text.Encoding.UTF8.GetString(result.Details.Span)));
    }

    [Fact]
    public async Task ListHasEveryWorkflowIdle()
    {
        var (status, body) = await _server.GetAsync("/workflows");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(["broken", "long", "order-approval"], body.GetProperty("data").EnumerateArray().Select(item => item.Text("id")));
        Assert.Equal(
            """{"id":"order-approval","name":"Order Approval Workflow","purpose":"Process and approve customer orders","stepsCount":3,"status":"idle"}""",
            body.GetProperty("data")[2].GetRawText());
        Assert.Equal(3, (await _server.GetAsync("/workflows/count")).Body.GetProperty("data").Number("count"));
    }

    [Fact]
    public async Task WorkflowHasItsStepsAndSchemasAndNoSourceCode()
    {
        var (_, body) = await _server.GetAsync("/workflows/order-approval");

        var data = body.GetProperty("data");
        Assert.Equal(
            ["id", "name", "purpose", "stepsCount", "status", "steps", "inputSchema", "suspendSchema", "resumeSchema", "resultSchema"],
            data.EnumerateObject().Select(member => member.Name));
        Assert.Equal(
            ["id", "name", "purpose", "type", "stepIndex", "suspendSchema", "resumeSchema"],
            data.GetProperty("steps")[0].EnumerateObject().Select(member => member.Name));
        Assert.Equal(["Check order", "approve", "finish"], data.GetProperty("steps").EnumerateArray().Select(step => step.Text("name")));
        Assert.Equal("func", data.GetProperty("steps")[1].Text("type"));
        Assert.Equal("number", data.GetProperty("inputSchema").GetProperty("properties").GetProperty("amount").Text("type"));
        Assert.Equal("object", data.GetProperty("steps")[1].GetProperty("resumeSchema").Text("type"));
    }

    [Fact]
    public async Task ExecuteAnswersWithTheResult()
    {
        var data = await _server.OrderAsync(500);

        Assert.Equal(["executionId", "startAt", "endAt", "status", "result"], data.EnumerateObject().Select(member => member.Name));
        Assert.Equal("completed", data.Text("status"));
        Assert.Equal("""{"approved":true,"processedBy":"system"}""", data.GetProperty("result").GetRawText());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", data.Text("startAt"));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", data.Text("endAt"));
    }

    [Fact]
    public async Task SuspendedAnswerHasItsSuspensionAndResumeEndsIt()
    {
        var data = await _server.OrderAsync(15000);

        Assert.Equal("suspended", data.Text("status"));
        Assert.Equal(JsonValueKind.Null, data.GetProperty("endAt").ValueKind);
        Assert.Equal(JsonValueKind.Null, data.GetProperty("result").ValueKind);
        var suspension = data.GetProperty("suspension");
        Assert.Equal("Waiting for manager approval", suspension.Text("reason"));
        Assert.Equal(1, suspension.Number("suspendedStepIndex"));
        Assert.Equal("""{"amount":15000}""", suspension.GetProperty("suspendData").GetRawText());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", suspension.Text("suspendedAt"));

        var (status, resumed) = await _server.PostAsync(Path(data, "resume"), """{"resumeData":{"approved":true,"managerId":"mgr-456"}}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("completed", resumed.GetProperty("data").Text("status"));
        Assert.Equal(data.Text("executionId"), resumed.GetProperty("data").Text("executionId"));
        Assert.Equal(data.Text("startAt"), resumed.GetProperty("data").Text("startAt"));
        Assert.Equal("""{"approved":true,"processedBy":"mgr-456"}""", resumed.GetProperty("data").GetProperty("result").GetRawText());
    }

    [Fact]
    public async Task ResumeAtAStepRunsFromThereAndMaySuspendAgain()
    {
        var data = await _server.OrderAsync(15000);

        var (status, resumed) = await _server.PostAsync(Path(data, "resume"), """{"options":{"stepId":"check"}}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("suspended", resumed.GetProperty("data").Text("status"));
        Assert.Equal(1, resumed.GetProperty("data").GetProperty("suspension").Number("suspendedStepIndex"));
    }

    [Fact]
    public async Task ResumeOfAnotherSuspensionIsRefused()
    {
        var data = await _server.OrderAsync(15000);
        var (_, again) = await _server.PostAsync(Path(data, "resume"), """{"options":{"stepId":"check"}}""");
        string Resume(JsonElement suspended) =>
            $$$"""{"resumeData":{"approved":true},"options":{"suspendedAt":"{{{suspended.GetProperty("suspension").Text("suspendedAt")}}}"}}""";

        var (late, refusal) = await _server.PostAsync(Path(data, "resume"), Resume(data));
        var (wrong, _) = await _server.PostAsync(Path(data, "resume"), """{"options":{"suspendedAt":""}}""");
        var (status, resumed) = await _server.PostAsync(Path(data, "resume"), Resume(again.GetProperty("data")));

        Assert.Equal(HttpStatusCode.Conflict, late);
        Assert.Equal(
            $"Execution {data.Text("executionId")} has been resumed, and is suspended for something else now; its state says for what", refusal.Text("error"));
        Assert.Equal(HttpStatusCode.BadRequest, wrong);
        Assert.Equal((HttpStatusCode.OK, "completed"), (status, resumed.GetProperty("data").Text("status")));
    }

    [Fact]
    public async Task ExecutionOfAnyTransportIsSuspendedResumedAndCancelled()
    {
        var execution = await _server.StartLongAsync();
        var (status, body) = await _server.PostAsync(Path("long", execution.Id, "suspend"), """{"reason":"System maintenance required"}""");

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(["executionId", "status", "suspension"], body.GetProperty("data").EnumerateObject().Select(member => member.Name));
        Assert.Equal("suspended", body.GetProperty("data").Text("status"));
        Assert.Equal("System maintenance required", body.GetProperty("data").GetProperty("suspension").Text("reason"));
        var (_, resumed) = await _server.PostAsync(Path("long", execution.Id, "resume"));
        Assert.Equal("completed", resumed.GetProperty("data").Text("status"));

        var other = await _server.StartLongAsync();
        await _server.PostAsync(Path("long", other.Id, "suspend"));
        var (_, cancelled) = await _server.PostAsync(Path("long", other.Id, "cancel"), """{"reason":"not needed"}""");
        Assert.Equal("cancelled", cancelled.GetProperty("data").Text("status"));
        Assert.Equal("not needed", cancelled.GetProperty("data").Text("reason"));
        Assert.Equal(ExecutionStatus.Canceled, (await other.Completion.WaitAsync(Stop)).Status);
    }

    [Fact]
    public async Task ExecutionHasTheIdItsClientChoseOnce()
    {
        const string Order = """{"input":{"orderId":"o1","amount":5},"options":{"executionId":"exec_1234567890_abc123"}}""";

        var (_, first) = await _server.PostAsync("/workflows/order-approval/execute", Order);
        var (status, second) = await _server.PostAsync("/workflows/order-approval/execute", Order);
        var (stateStatus, _) = await _server.GetAsync(Path("order-approval", "exec_1234567890_abc123", "state"));
        using var stream = await StreamOf.GetAsync(_server.App.Client, Path("order-approval", "exec_1234567890_abc123", "stream"));

        Assert.Equal("exec_1234567890_abc123", first.GetProperty("data").Text("executionId"));
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Equal("Workflow execution exec_1234567890_abc123 already exists", second.Text("error"));
        Assert.Equal(HttpStatusCode.OK, stateStatus);
        Assert.All(await stream.ReadToEndAsync(), json => Assert.Equal("exec_1234567890_abc123", json.Text("executionId")));
    }

    [Fact]
    public async Task FailedStepIsTheStatusErrorWithItsMessage()
    {
        var (status, body) = await _server.PostAsync("/workflows/broken/execute", "{}");

        Assert.Equal(HttpStatusCode.OK, status);
        var data = body.GetProperty("data");
        Assert.Equal("error", data.Text("status"));
        Assert.Equal("Step 'break' failed: out of ink", data.Text("error"));
        Assert.Equal(JsonValueKind.Null, data.GetProperty("result").ValueKind);
    }

    [Fact]
    public async Task StateTellsHowFarItHasCome()
    {
        var started = await _server.OrderAsync(15000);

        var (_, body) = await _server.GetAsync(Path(started, "state"));

        var data = body.GetProperty("data");
        Assert.Equal("suspended", data.Text("status"));
        Assert.Equal("ann", data.Text("userId"));
        Assert.Equal("""{"orderId":"o1","amount":15000}""", data.GetProperty("input").GetRawText());
        Assert.Equal("approve", data.GetProperty("suspension").Text("suspendedStepId"));
        Assert.Equal(["check success", "approve suspended"], data.GetProperty("steps").EnumerateArray().Select(step => $"{step.Text("stepId")} {step.Text("status")}"));
    }

    [Fact]
    public async Task HistoryAndListAreNewestFirstAndInPages()
    {
        var first = (await _server.OrderAsync(1)).Text("executionId");
        var second = (await _server.OrderAsync(15000)).Text("executionId");
        var third = (await _server.OrderAsync(3)).Text("executionId");
        await _server.PostAsync("/workflows/broken/execute", "{}");

        var page = (await _server.GetAsync("/workflows/order-approval/history?page=1&limit=2")).Body.GetProperty("data");
        Assert.Equal([first], page.GetProperty("executions").EnumerateArray().Select(item => item.Text("id")));
        Assert.Equal("""{"page":1,"limit":2,"total":3,"totalPages":2}""", page.GetProperty("pagination").GetRawText());
        Assert.Equal(3, page.GetProperty("executions")[0].GetProperty("steps").GetArrayLength());
        Assert.Equal("""{"approved":true,"processedBy":"system"}""", page.GetProperty("executions")[0].GetProperty("output").GetRawText());
        Assert.Equal([third, first], await IdsAsync("/workflows/executions?workflowId=order-approval&status=success"));
        Assert.Equal([second], await IdsAsync("/workflows/order-approval/executions?status=suspended&userId=ann"));
        Assert.Equal([second], await IdsAsync("/workflows/order-approval/executions?limit=1&offset=1"));
        Assert.Empty(await IdsAsync("/workflows/executions?userId=bob"));
    }

    [Fact]
    public async Task ListGoesOnAsFarAsItsPageNeeds()
    {
        var kind = _server.App.Services.GetRequiredService<WorkflowKind>();
        var ids = new List<string>();
        for (var i = 0; i < 103; i++)
        {
            var user = i < 2 ? "ann" : "bob";
            var execution = _server.App.Executions.Start(kind.Plan(JsonElement.Parse(
                $$"""{"workflow":"order-approval","input":{"orderId":"o","amount":1},"userId":"{{user}}"}""")));
            await execution.Completion.WaitAsync(Stop);
            ids.Insert(0, execution.Id);
        }

        Assert.Equal(ids[..2], await IdsAsync("/workflows/executions?limit=2"));
        Assert.Equal(ids[99..102], await IdsAsync("/workflows/executions?limit=3&offset=99"));
        Assert.Equal(ids[102..], await IdsAsync("/workflows/order-approval/executions?userId=ann&offset=1"));
        Assert.Empty(await IdsAsync("/workflows/executions?offset=103"));
    }

    /// <summary>Case, method, path ({S}: a suspended execution, {D}: one that has completed), body, code, message.</summary>
    [Fact]
    public async Task RecordThatIsNestedDeeperThanWhatIsTakenNowIsShownAndDoesNotBreakAList()
    {
        var deep = $"{new string('[', 62)}1{new string(']', 62)}";
        await SayAsync(_server, ("workflow-start", $$$"""{"from":"long","input":{{{deep}}},"metadata":{}}"""), ("step-complete", $$$"""{"stepId":"run","stepIndex":0,"output":1,"workflowState":{"a":{{{deep}}}}}"""));

        var all = await _server.GetAsync("/workflows/executions");
        var history = await _server.GetAsync("/workflows/long/history");

        Assert.Equal(HttpStatusCode.OK, all.Status);
        Assert.Equal(deep, all.Body.GetProperty("data")[0].GetProperty("input").GetRawText());
        Assert.Equal(deep, history.Body.GetProperty("data").GetProperty("executions")[0].GetProperty("workflowState").GetProperty("a").GetRawText());
    }

    [Fact]
    public async Task RecordWhoseFirstEventsAreGoneIsListedWithWhatIsKnownOfIt()
    {
        await using var server = await WorkflowApp.StartAsync(("Harness:Executions:WindowBytes", "65536"));
        var whole = await server.OrderAsync(1);
        var lines = Enumerable.Repeat(("line", $"\"{new string('x', 1000)}\""), 200);
        var cut = await SayAsync(server, [("workflow-start", """{"from":"long","input":1,"metadata":{}}"""), .. lines]);

        var (status, body) = await server.GetAsync("/workflows/executions");
        var history = await server.GetAsync("/workflows/long/history");

        Assert.True(status == HttpStatusCode.OK, body.ToString());
        Assert.Equal([cut.Id, whole.Text("executionId")], body.GetProperty("data").EnumerateArray().Select(item => item.Text("id")));
        Assert.Equal("completed", body.GetProperty("data")[0].Text("status"));
        Assert.Equal(HttpStatusCode.OK, history.Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.GetAsync(Path("long", cut.Id, "state"))).Status);
    }

    public static TheoryData<string, string, string?, int, string> Refusals => new()
    {
        { "GET", "/workflows/x", null, 404, "Workflow not found" },
        { "GET", "/workflows/x/history", null, 404, "Workflow not found" },
        { "POST", "/workflows/x/execute", "{}", 404, "Workflow not found" },
        { "POST", "/workflows/x/stream", "{}", 404, "Workflow not found" },
        { "POST", "/workflows/order-approval/execute", "{\"input\":", 400, "Malformed JSON in request body" },
        { "POST", "/workflows/order-approval/stream", "nonsense", 400, "Malformed JSON in request body" },
        { "POST", "/workflows/order-approval/execute", "[1]", 400, "The request body must be a JSON object" },
        { "POST", "/workflows/order-approval/execute", null, 400, "Invalid input: input is missing" },
        { "POST", "/workflows/order-approval/execute", """{"input":{"orderId":"o"}}""", 400, "Invalid input: input.amount is missing" },
        { "POST", "/workflows/order-approval/stream", """{"input":{"orderId":1,"amount":2}}""", 400, "Invalid input: input.orderId must be a string, not a number" },
        { "POST", "/workflows/order-approval/execute", """{"input":{"orderId":"o","amount":2},"options":{"userId":7}}""", 400, "options.userId must be a string of at most 256 characters" },
        { "POST", "/workflows/order-approval/execute", """{"input":{"orderId":"o","amount":2},"options":{"userContext":7}}""", 400, "options.userContext must be an object" },
        { "POST", "/workflows/order-approval/execute", """{"input":{"orderId":"o","amount":2},"options":{"executionId":"a/b"}}""", 400, "options.executionId must be 1 to 64 letters, digits, dots, dashes and underscores" },
        { "POST", "/workflows/order-approval/executions/x/suspend", "{}", 404, "Workflow execution not found" },
        { "POST", "/workflows/order-approval/executions/{D}/suspend", "{}", 400, "Cannot suspend workflow in completed state" },
        { "POST", "/workflows/order-approval/executions/{S}/suspend", "{}", 400, "Cannot suspend workflow in suspended state" },
        { "POST", "/workflows/order-approval/executions/x/resume", "{}", 404, "Workflow execution not found" },
        { "POST", "/workflows/order-approval/executions/{D}/resume", "{}", 404, "Execution {D} is not in suspended state. Current status: completed" },
        { "POST", "/workflows/order-approval/executions/{S}/resume", """{"resumeData":{"approved":"yes"}}""", 400, "Invalid resume data: resumeData.approved must be a boolean, not a string" },
        { "POST", "/workflows/order-approval/executions/{S}/resume", "{}", 400, "Invalid resume data: resumeData is missing" },
        { "POST", "/workflows/order-approval/executions/{S}/resume", """{"options":{"stepId":"x"}}""", 400, "Step 'x' not found in workflow 'order-approval'" },
        { "POST", "/workflows/order-approval/executions/{S}/resume", "{", 400, "Malformed JSON in request body" },
        { "POST", "/workflows/broken/executions/{S}/resume", "{}", 404, "Workflow execution not found" },
        { "POST", "/workflows/order-approval/executions/x/cancel", "{}", 404, "Workflow execution not found" },
        { "POST", "/workflows/order-approval/executions/{D}/cancel", "{}", 409, "Cannot cancel workflow in completed state" },
        { "GET", "/workflows/order-approval/executions/x/state", null, 404, "Workflow execution not found" },
        { "GET", "/workflows/order-approval/executions/x/stream", null, 404, "Workflow execution not found" },
        { "GET", "/workflows/order-approval/executions/{S}/stream?fromSequence=x", null, 400, "Last-Event-ID or fromSequence must be the id of an event: a whole number" },
        { "GET", "/workflows/executions?status=x", null, 400, "status must be one of running, suspended, completed, error and cancelled" },
        { "GET", "/workflows/order-approval/history?limit=0", null, 400, "limit must be a whole number from 1 to 100" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task RefusalHasTheCodeOfTheSeedAndOneEnvelope(string method, string path, string? body, int code, string message)
    {
        var suspended = path.Contains("{S}", StringComparison.Ordinal) ? (await _server.OrderAsync(15000)).Text("executionId") : "";
        var done = path.Contains("{D}", StringComparison.Ordinal) ? (await _server.OrderAsync(1)).Text("executionId") : "";
        string Fill(string text) => text.Replace("{S}", suspended, StringComparison.Ordinal).Replace("{D}", done, StringComparison.Ordinal);

        var (status, answer) = method == "GET" ? await _server.GetAsync(Fill(path)) : await _server.PostAsync(Fill(path), body);

        Assert.Equal(code, (int)status);
        Assert.Equal(JsonSerializer.Serialize(new { success = false, error = Fill(message) }, Relaxed), answer.GetRawText());
    }

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // An execution of "long" with a log as an earlier version may have written it.
    private static async Task<Execution> SayAsync(WorkflowApp server, params (string Name, string Data)[] events)
    {
        var request = new ExecutionRequest
        {
            Kind = "workflow",
            Name = "long",
            Facts = new Dictionary<string, string> { [WorkflowKind.Fact] = "long" },
        };
        var execution = server.App.Executions.Start(new ExecutionPlan(request, async (log, stop) =>
        {
            foreach (var (name, data) in events)
            {
                await log.EmitAsync(name, System.Text.Encoding.UTF8.GetBytes(data), stop);
            }

            return new ExecutionResult(ExecutionStatus.Completed);
        }));
        await execution.Completion.WaitAsync(Stop);
        return execution;
    }

    private async Task<IEnumerable<string>> IdsAsync(string path) =>
        (await _server.GetAsync(path)).Body.GetProperty("data").EnumerateArray().Select(item => item.Text("id"));

    private static string Path(JsonElement started, string action) => Path("order-approval", started.Text("executionId"), action);

    private static string Path(string workflow, string execution, string action) => $"/workflows/{workflow}/executions/{execution}/{action}";
}
