using System.Text.Json;
using Harness.Executions;
using Harness.Workflows;

namespace Harness.Tests.Workflows;

/// <summary>Workflows in code: typed steps, and what the log says of them.</summary>
public sealed class WorkflowRunTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StepsRunInOrderEachWithWhatTheOneBeforeGave()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<Order>("shop", "The shop")
            .AndThen("total", (order, _, _) => Task.FromResult(order.Price * order.Count))
            .AndThen("text", (total, context, _) => Task.FromResult($"{total} for {context.UserId}"))
            .End());

        var execution = stage.Start("""{"price":2.5,"count":4}""", "ann");
        var result = await execution.Completion.WaitAsync(Stop);

        Assert.Equal("""{"output":"10.0 for ann"}""", System.Text.Encoding.UTF8.GetString(result.Details.Span));
        Assert.Equal(
            ["workflow-start", "step-start total", "step-complete total", "step-start text", "step-complete text"],
            await WorkflowStage.EventsOfAsync(execution));
    }

    [Fact]
    public async Task StepBehindOneThatEndsAfterTheCancelDoesNotBegin()
    {
        var (running, end, later) = (new SemaphoreSlim(0), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), 0);
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndThen("deaf", async (number, _, _) =>
            {
                running.Release();
                await end.Task;
                return number;
            })
            .AndThen("later", (_, _, _) => Task.FromResult(Interlocked.Increment(ref later)))
            .End());
        var execution = stage.Start("1");
        await running.WaitAsync(Stop);

        Assert.True(stage.Registry.TryCancel(execution));
        end.SetResult();
        await execution.Completion.WaitAsync(Stop);

        Assert.Equal(0, later);
        Assert.Equal(["workflow-start", "step-start deaf", "step-complete deaf"], await WorkflowStage.EventsOfAsync(execution));
    }

    [Fact]
    public async Task ConditionRunsItsBranchOrIsSkipped()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndWhen("big", number => number > 10, branch => branch.AndThen("halve", (number, _, _) => Task.FromResult(number / 2)))
            .AndThen("next", (number, _, _) => Task.FromResult(number + 1))
            .End());

        Assert.Equal(11, (await stage.RunAsync("20")).GetProperty("output").GetInt32());
        Assert.Equal(6, (await stage.RunAsync("5")).GetProperty("output").GetInt32());
        var skipped = stage.Start("5");
        await skipped.Completion.WaitAsync(Stop);
        Assert.Equal(
            WorkflowStepStatus.Skipped, (await WorkflowProgress.ReadAsync(skipped.Log, Stop)).Steps.Single(step => step.Id == "big").Status);
    }

    [Fact]
    public async Task BranchesRunAtOnceAndGiveTheirValuesInTheirOrder()
    {
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndAll<int>(
                "both",
                branch => branch.AndThen("a", async (number, _, stop) =>
                {
                    await first.Task.WaitAsync(stop);
                    return number + 1;
                }),
                branch => branch.AndThen("b", (number, _, _) =>
                {
                    first.SetResult();
                    return Task.FromResult(number + 2);
                }))
            .End());

        Assert.Equal("[2,3]", (await stage.RunAsync("1")).GetProperty("output").GetRawText());
    }

    [Fact]
    public async Task RaceGivesWhatTheFirstGaveAndCancelsTheOthers()
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndRace<string>(
                "race",
                branch => branch.AndThen("slow", async (_, _, stop) =>
                {
                    await using (stop.Register(cancelled.SetResult))
                    {
                        await cancelled.Task;
                    }

                    stop.ThrowIfCancellationRequested();
                    return "slow";
                }),
                branch => branch.AndThen("broken", (int _, StepContext _, CancellationToken _) => Task.FromException<string>(new InvalidOperationException("no"))),
                branch => branch.AndThen("quick", (_, _, _) => Task.FromResult("quick")))
            .End());

        Assert.Equal("quick", (await stage.RunAsync("1")).GetProperty("output").GetString());
        Assert.True(cancelled.Task.IsCompleted);
    }

    [Fact]
    public async Task BranchesThatLostARaceAreOverWithItWhereverTheyStood()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndRace<int>(
                "race",
                branch => branch.AndThen<int>("asks", (_, context, _) => Task.FromResult<StepOutcome<int>>(context.Suspend("nobody will answer"))),
                branch => branch.AndWhen("large", _ => true, inner => inner.AndThen("hangs", async (number, _, stop) =>
                {
                    await Task.Delay(Timeout.Infinite, stop);
                    return number;
                })),
                branch => branch.AndThen("wins", (number, _, _) => Task.FromResult(number)))
            .End());
        var execution = stage.Start("1");

        Assert.Equal("""{"output":1}""", System.Text.Encoding.UTF8.GetString((await execution.Completion.WaitAsync(Stop)).Details.Span));
        var progress = await WorkflowProgress.ReadAsync(execution.Log, Stop);
        Assert.Equal(
            ["asks Canceled", "hangs Canceled", "large Canceled", "race Success", "wins Success"],
            progress.Steps.Select(step => $"{step.Id} {step.Status}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task RaceInWhichAllFailFailsAsItsFirstBranchDid()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndRace<int>("race", branch => branch.AndThen("a", Broken("no ink")), branch => branch.AndThen("b", Broken("no paper")))
            .End());

        Assert.Equal("Step 'a' failed: no ink", (await stage.RunAsync("1")).GetProperty("error").GetString());
    }

    [Fact]
    public void RaceWithoutBranchesIsRefused() => Assert.Equal(
        "Step 'race' of workflow 'w' is a race without branches",
        Assert.Throws<ArgumentException>(() => Workflow.Begin<int>("w").AndRace<int>("race").End()).Message);

    [Fact]
    public async Task BranchThatFailsCancelsTheOthersAndItsErrorIsThatOfTheWorkflow()
    {
        var waits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndAll<int>(
                "all",
                branch => branch.AndThen("hangs", async (number, _, stop) =>
                {
                    waits.SetResult();
                    await Task.Delay(Timeout.Infinite, stop);
                    return number;
                }),
                branch => branch.AndThen("breaks", async (number, _, stop) =>
                {
                    await waits.Task.WaitAsync(stop);
                    return number > 0 ? throw new InvalidOperationException("no ink") : number;
                }),
                branch => branch.AndThen<int>("asks", (_, context, _) => Task.FromResult<StepOutcome<int>>(context.Suspend())))
            .End());

        Assert.Equal("Step 'breaks' failed: no ink", (await stage.RunAsync("1")).GetProperty("error").GetString());
    }

    [Fact]
    public async Task TwoBranchesThatWaitAreResumedOneAfterTheOther()
    {
        static WorkflowBuilder<int> Asking(WorkflowBuilder<int> branch, string id) => branch.AndWhen($"{id}-asks", _ => true, inner => inner
            .AndThen<int>(id, (_, context, _) => Task.FromResult<StepOutcome<int>>(context.IsResumed ? context.ResumedWith<int>() : context.Suspend(id))));
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndAll<int>("all", branch => Asking(branch, "first"), branch => Asking(branch, "second"))
            .End());
        var execution = stage.Start("1");

        var first = await WorkflowStage.SuspendedAsync(execution);
        Assert.True(stage.Resume(execution, "5"));
        var second = await WorkflowStage.SuspendedAsync(execution, times: 2);
        Assert.True(stage.Resume(execution, "6"));

        Assert.Equal(("first", "second"), (first.Reason, second.Reason));
        Assert.Equal("""{"output":[5,6]}""", System.Text.Encoding.UTF8.GetString((await execution.Completion.WaitAsync(Stop)).Details.Span));
    }

    [Fact]
    public async Task StepThatThrowsAWholeDocumentFailsWithItsBeginning()
    {
        using var stage = await WorkflowStage.OpenAsync(
            Workflow.Begin<int>("w").AndThen("break", Broken(new string('x', 2 * LogEvent.MaxDataBytes))).End());
        var execution = stage.Start("1");

        var result = await execution.Completion.WaitAsync(Stop);

        Assert.Equal($"Step 'break' failed: {new string('x', 8192)}… [cut]", result.Error);
        Assert.Contains("step-error break", await WorkflowStage.EventsOfAsync(execution));
    }

    [Fact]
    public async Task AgentIsAskedAndItsAnswerHeldToTheType()
    {
        var agent = new EchoAgent();
        using var stage = await WorkflowStage.OpenAsync(
            Workflow.Begin<string>("w")
                .AndAgent("write", "writer", topic => $"Write about {topic}")
                .AndAgent<Order>("read", "reader", text => text)
                .End(),
            agent: agent);

        var result = await stage.RunAsync("\"tea\"");

        Assert.Equal("""{"price":1,"count":2}""", result.GetProperty("output").GetRawText());
        Assert.Equal(["writer: Write about tea", "reader: an answer (schema)"], agent.Asked);
    }

    [Fact]
    public async Task WithoutAgentsAnAgentStepSaysSo()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<string>("w").AndAgent("write", "writer", topic => topic).End());

        Assert.Equal(
            "Step 'write' failed: There is no agent 'writer': this server has no agents for workflows", (await stage.RunAsync("\"tea\"")).GetProperty("error").GetString());
    }

    [Fact]
    public async Task SleepWaitsForItsTimeAndLeavesTheDataAlone()
    {
        var time = new ManualTime();
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w").AndSleep("wait", TimeSpan.FromMinutes(5)).End(), time: time);
        var execution = stage.Start("7");
        await StartedAsync(execution, "wait");
        Assert.False(execution.Completion.IsCompleted);
        while (!execution.Completion.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }

        Assert.Equal("""{"output":7}""", System.Text.Encoding.UTF8.GetString((await execution.Completion).Details.Span));
    }

    [Fact]
    public async Task SleepMayBeLongerThanATimerCanWait()
    {
        var time = new ManualTime();
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w").AndSleep("wait", TimeSpan.FromDays(60)).End(), time: time);
        var execution = stage.Start("7");
        await StartedAsync(execution, "wait");

        Assert.NotNull(await stage.Registry.SuspendAsync(execution, "Maintenance", Stop));
        time.Advance(TimeSpan.FromDays(59));
        Assert.True(stage.Resume(execution));
        while (!execution.Completion.IsCompleted)
        {
            time.Advance(TimeSpan.FromHours(1));
            await Task.Yield();
        }

        Assert.Equal(ExecutionStatus.Completed, (await execution.Completion).Status);
    }

    [Fact]
    public async Task StepThatSuspendsRunsAgainWithWhatItIsResumedWith()
    {
        using var stage = await WorkflowStage.OpenAsync(Approval());
        var execution = stage.Start("""{"price":2,"count":3}""");
        var suspension = await WorkflowStage.SuspendedAsync(execution);

        Assert.Equal("Waiting for a manager", suspension.Reason);
        Assert.Equal("""{"step":"approve","step_index":1,"data":{"total":6}}""", System.Text.Encoding.UTF8.GetString(suspension.Details.Span));
        Assert.True(stage.Resume(execution, """{"approved":true,"by":"bob"}"""));
        var result = await execution.Completion.WaitAsync(Stop);

        Assert.Equal("""{"output":"6 approved by bob"}""", System.Text.Encoding.UTF8.GetString(result.Details.Span));
        Assert.Equal(
            ["workflow-start", "step-start total", "step-complete total", "step-start approve", "workflow-suspended approve",
             "workflow-resumed approve", "step-start approve", "step-complete approve", "step-start text", "step-complete text"],
            await WorkflowStage.EventsOfAsync(execution));
    }

    [Theory]
    [InlineData("{}", null, "Invalid resume data: resumeData.approved is missing")]
    [InlineData("""{"approved":"yes"}""", null, "Invalid resume data: resumeData.approved must be a boolean, not a string")]
    [InlineData(null, null, "Invalid resume data: resumeData is missing")]
    [InlineData("{}", "nowhere", "Step 'nowhere' not found in workflow 'approval'")]
    public async Task ResumeThatCannotBeUsedIsRefusedAndItStaysSuspended(string? data, string? at, string message)
    {
        using var stage = await WorkflowStage.OpenAsync(Approval());
        var execution = stage.Start("""{"price":2,"count":3}""");
        await WorkflowStage.SuspendedAsync(execution);

        Assert.Equal(message, Assert.Throws<ExecutionInputException>(() => stage.Resume(execution, data, at)).Message);
        Assert.Equal(ExecutionStatus.Suspended, execution.State.Status);
    }

    [Fact]
    public async Task ResumeAtAnEarlierStepRunsAllFromThereAnew()
    {
        using var stage = await WorkflowStage.OpenAsync(Approval());
        var execution = stage.Start("""{"price":2,"count":3}""");
        await WorkflowStage.SuspendedAsync(execution);

        Assert.True(stage.Resume(execution, at: "total"));
        await WorkflowStage.SuspendedAsync(execution, times: 2);

        Assert.Equal(
            ["workflow-resumed total", "step-start total", "step-complete total", "step-start approve", "workflow-suspended approve"],
            (await WorkflowStage.EventsOfAsync(execution))[5..]);
    }

    [Fact]
    public async Task ResumeAtALaterStepJumpsThere()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<string>("w")
            .AndThen<string>("ask", (_, context, _) => Task.FromResult<StepOutcome<string>>(context.Suspend()))
            .AndThen("shout", (text, _, _) => Task.FromResult(text.ToUpperInvariant()))
            .End());
        var execution = stage.Start("\"tea\"");
        await WorkflowStage.SuspendedAsync(execution);

        Assert.True(stage.Resume(execution, at: "shout"));

        Assert.Equal("""{"output":"TEA"}""", System.Text.Encoding.UTF8.GetString((await execution.Completion.WaitAsync(Stop)).Details.Span));
    }

    [Fact]
    public async Task StepInsideOfOthersCanSuspendToo()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndAll<int>(
                "both",
                branch => branch.AndThen<int>("ask", (_, context, _) => Task.FromResult<StepOutcome<int>>(
                    context.IsResumed ? context.ResumedWith<int>() : context.Suspend("how many"))),
                branch => branch.AndThen("once", (number, _, _) => Task.FromResult(number)))
            .End());
        var execution = stage.Start("1");
        await WorkflowStage.SuspendedAsync(execution);

        Assert.True(stage.Resume(execution, "5"));
        var result = await execution.Completion.WaitAsync(Stop);

        Assert.Equal("""{"output":[5,1]}""", System.Text.Encoding.UTF8.GetString(result.Details.Span));
        Assert.Single(await WorkflowStage.EventsOfAsync(execution), name => name == "step-start once");
    }

    [Fact]
    public async Task WorkflowIsSuspendedFromOutsideAndTheStepThatRanBeginsAgain()
    {
        var runs = 0;
        var running = new SemaphoreSlim(0);
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndThen("long", async (number, _, stop) =>
            {
                if (Interlocked.Increment(ref runs) == 1)
                {
                    running.Release();
                    await Task.Delay(Timeout.Infinite, stop);
                }

                return number;
            })
            .End());
        var execution = stage.Start("3");
        await running.WaitAsync(Stop);

        var suspension = await stage.Registry.SuspendAsync(execution, "Maintenance", Stop);
        Assert.Equal("Maintenance", suspension?.Reason);
        Assert.True(stage.Resume(execution));

        Assert.Equal("""{"output":3}""", System.Text.Encoding.UTF8.GetString((await execution.Completion.WaitAsync(Stop)).Details.Span));
        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task FailedStepEndsTheWorkflowWithItsMessage()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndThen("break", (int _, StepContext _, CancellationToken _) => Task.FromException<int>(new InvalidOperationException("the press is out of ink")))
            .End());

        var result = await stage.RunAsync("1");

        Assert.Equal("failed", result.GetProperty("status").GetString());
        Assert.Equal("Step 'break' failed: the press is out of ink", result.GetProperty("error").GetString());
    }

    [Fact]
    public async Task InputIsHeldToItsType()
    {
        using var stage = await WorkflowStage.OpenAsync(Approval());

        Assert.Equal(
            "Invalid input: input.count is missing",
            Assert.Throws<ExecutionInputException>(() => stage.Start("""{"price":2}""")).Message);
    }

    [Fact]
    public async Task StateIsSharedByStepsAndEventsOfStepsAreTold()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndThen("count", async (number, context, stop) =>
            {
                context.State["seen"] = number;
                await context.EmitAsync("progress", new { percent = 50 }, stop);
                return number;
            })
            .AndThen("tell", (_, context, _) => Task.FromResult((int)context.State["seen"]! + 1))
            .End());
        var execution = stage.Start("4");
        await execution.Completion.WaitAsync(Stop);

        Assert.Contains("progress count", await WorkflowStage.EventsOfAsync(execution));
        var progress = await WorkflowProgress.ReadAsync(execution.Log, Stop);
        Assert.Equal("""{"seen":4}""", progress.State.ToJsonString());
        Assert.Equal(5, progress.OutputOf("tell").GetInt32());
    }

    [Fact]
    public async Task ValueThatIsTooLargeFailsTheStepThatGivesIt()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w").AndThen("much", (_, _, _) => Task.FromResult(new string('x', 300_000))).End());

        Assert.Equal("Step 'much' failed: Its output has 300002 bytes; 204800 are allowed", (await stage.RunAsync("1")).GetProperty("error").GetString());
    }

    [Fact]
    public async Task StateThatIsTooLargeFailsTheStepThatChangedIt()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndThen("much", (number, context, _) =>
            {
                context.State["text"] = new string('x', LogEvent.MaxDataBytes);
                return Task.FromResult(number);
            })
            .End());

        var error = (await stage.RunAsync("1")).GetProperty("error").GetString();

        Assert.Matches("^Step 'much' failed: What it gives and the workflow's state have [0-9]+ bytes together; [0-9]+ are allowed$", error);
    }

    [Fact]
    public async Task StepCannotSayWhatTheWorkflowItselfSays()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndThen("forge", async (number, context, stop) =>
            {
                await context.EmitAsync("step-complete", new { output = 5 }, stop);
                return number;
            })
            .End());

        Assert.StartsWith(
            "Step 'forge' failed: 'step-complete' is an event of workflows themselves; choose another name",
            (await stage.RunAsync("1")).GetProperty("error").GetString());
    }

    [Fact]
    public async Task ResultIsHeldToWhatTheWorkflowPromises()
    {
        using var stage = await WorkflowStage.OpenAsync(WorkflowStage.ReadYaml("""
            id: w
            result: { type: string }
            steps:
              - { id: give, set: { count: 5 } }
            """));

        Assert.Equal(
            "The result is not what the workflow promises: result must be a string, not an object",
            (await stage.RunAsync("1")).GetProperty("error").GetString());
    }

    [Fact]
    public async Task InputIsRefusedThatIsNestedTooDeepForWhatIsPutAroundIt()
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<JsonElement>("w").AndThen("same", (json, _, _) => Task.FromResult(json)).End());

        Assert.Equal(
            "Invalid input: what is sent is nested deeper than 50 levels; send what is inside as a text, or less of it",
            Assert.Throws<ExecutionInputException>(() => stage.Start(Nested(51))).Message);
        Assert.Equal(Nested(50), (await stage.RunAsync(Nested(50))).GetProperty("output").GetRawText());
    }

    [Fact]
    public async Task ResumeThatIsNestedTooDeepIsRefusedAndItStaysSuspended()
    {
        using var stage = await WorkflowStage.OpenAsync(Approval());
        var execution = stage.Start("""{"price":2,"count":3}""");
        await WorkflowStage.SuspendedAsync(execution);

        var refusal = Assert.Throws<ExecutionInputException>(() => stage.Resume(execution, $$"""{"approved":true,"by":"bob","more":{{Nested(50)}}}"""));

        Assert.StartsWith("Invalid resume data: resumeData is nested deeper than 50 levels", refusal.Message);
        Assert.Equal(ExecutionStatus.Suspended, execution.State.Status);
    }

    [Theory]
    [InlineData(true, "Step 'deep' failed: Its output is nested deeper than 50 levels")]
    [InlineData(false, "Step 'deep' failed: The workflow's state is nested deeper than 50 levels")]
    public async Task ValueThatIsNestedTooDeepFailsTheStepThatGivesIt(bool isOutput, string error)
    {
        using var stage = await WorkflowStage.OpenAsync(Workflow.Begin<int>("w")
            .AndThen("deep", (number, context, _) =>
            {
                context.State["deep"] = isOutput ? null : System.Text.Json.Nodes.JsonNode.Parse(Nested(50));
                return Task.FromResult(JsonElement.Parse(isOutput ? Nested(51) : "1"));
            })
            .End());

        Assert.StartsWith(error, (await stage.RunAsync("1")).GetProperty("error").GetString());
    }

    [Fact]
    public void TwoStepsWithTheSameIdAreRefused() => Assert.Equal(
        "Workflow 'w' has two steps 'a'",
        Assert.Throws<ArgumentException>(() => Workflow.Begin<int>("w").AndSleep("a", default).AndSleep("a", default).End()).Message);

    private static string Nested(int depth) => $"{new string('[', depth)}{new string(']', depth)}";

    internal static Workflow Approval() => Workflow.Begin<Order>("approval")
        .AndThen("total", (order, _, _) => Task.FromResult(order.Price * order.Count))
        .AndThen<string>("approve", (total, context, _) => Task.FromResult<StepOutcome<string>>(
            context.ResumedWith<Decision>() is { } decision
                ? $"{total} {(decision.Approved ? "approved" : "refused")} by {decision.By}"
                : context.Suspend("Waiting for a manager", new { total })))
        .ResumedWith<Decision>()
        .AndThen("text", (text, _, _) => Task.FromResult(text))
        .End();

    private static async Task StartedAsync(Execution execution, string step)
    {
        await foreach (var json in execution.Log.ReadEventsAsync(1, Stop))
        {
            var text = System.Text.Encoding.UTF8.GetString(json.Span);
            if (text.Contains("\"name\":\"step-start\"", StringComparison.Ordinal) && text.Contains($"\"stepId\":\"{step}\"", StringComparison.Ordinal))
            {
                return;
            }
        }
    }

    private static Func<int, StepContext, CancellationToken, Task<int>> Broken(string message) =>
        (_, _, _) => Task.FromException<int>(new InvalidOperationException(message));

    internal sealed record Order(decimal Price, int Count);

    internal sealed record Decision(bool Approved, string? By = null);

    private sealed class EchoAgent : IWorkflowAgent
    {
        public List<string> Asked { get; } = [];

        public Task<JsonElement> AskAsync(WorkflowQuestion question, CancellationToken cancellationToken)
        {
            Asked.Add($"{question.Agent}: {question.Prompt}{(question.Schema is null ? "" : " (schema)")}");
            return Task.FromResult(JsonElement.Parse(question.Schema is null ? "\"an answer\"" : """{"price":1,"count":2}"""));
        }
    }
}
