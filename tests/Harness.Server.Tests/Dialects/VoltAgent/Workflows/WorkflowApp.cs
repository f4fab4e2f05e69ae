using System.Net;
using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Workflows;

namespace Harness.Server.Tests.Dialects.VoltAgent.Workflows;

/// <summary>
/// A server with three workflows: <c>order-approval</c> waits for a manager above 1,000 in its second of three steps; <c>long</c> runs until
/// it is suspended or cancelled, and the second time ends; <c>broken</c> fails.
/// </summary>
internal sealed class WorkflowApp : IAsyncDisposable
{
    private WorkflowApp(HarnessApp app, SemaphoreSlim running) => (App, Running) = (app, running);

    public HarnessApp App { get; }

    /// <summary>Released when a step of <c>long</c> begins.</summary>
    public SemaphoreSlim Running { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<WorkflowApp> StartAsync(params (string Name, string? Value)[] settings)
    {
        var running = new SemaphoreSlim(0);
        var app = await HarnessApp.StartAsync(
            services => services.AddWorkflow(Approval()).AddWorkflow(Long(running)).AddWorkflow(Broken()), settings);
        return new WorkflowApp(app, running);
    }

    public static Workflow Approval() => Workflow.Begin<Order>("order-approval", "Order Approval Workflow", "Process and approve customer orders")
        .AndThen("check", (order, _, _) => Task.FromResult(order)).Named("Check order")
        .AndThen<Outcome>("approve", (order, context, _) => Task.FromResult<StepOutcome<Outcome>>(
            order.Amount <= 1000 ? new Outcome(true, "system")
            : context.ResumedWith<Decision>() is { } decision ? new Outcome(decision.Approved, decision.ManagerId)
            : context.Suspend("Waiting for manager approval", new { order.Amount })))
        .ResumedWith<Decision>()
        .AndThen("finish", (outcome, _, _) => Task.FromResult(outcome))
        .End();

    /// <summary>Sends JSON; null: no body.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, string? json = null)
    {
        using var content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await App.Client.PostAsync(path, content, Stop);
        return (response.StatusCode, await ReadAsync(response));
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(string path)
    {
        using var response = await App.SendAsync(HttpMethod.Get, path);
        return (response.StatusCode, await ReadAsync(response));
    }

    /// <summary>Runs the approval of an order; gives the answer's data.</summary>
    public async Task<JsonElement> OrderAsync(int amount)
    {
        var (status, body) = await PostAsync("/workflows/order-approval/execute", $$$"""{"input":{"orderId":"o1","amount":{{{amount}}}},"options":{"userId":"ann"}}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.True(body.GetProperty("success").GetBoolean());
        return body.GetProperty("data");
    }

    /// <summary>Starts <c>long</c> over another transport, and waits until its step runs.</summary>
    public async Task<Execution> StartLongAsync()
    {
        var execution = App.Executions.Start(App.Services.GetRequiredService<WorkflowKind>().Plan(JsonElement.Parse("""{"workflow":"long","input":1}""")));
        await Running.WaitAsync(Stop);
        return execution;
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        Running.Dispose();
    }

    private static Workflow Long(SemaphoreSlim running)
    {
        return Workflow.Begin<int>("long")
            .AndThen("run", async (number, context, stop) =>
            {
                running.Release();
                if (context.IsResumed)
                {
                    return number;
                }

                await Task.Delay(Timeout.Infinite, stop);
                return number;
            })
            .End();
    }

    private static Workflow Broken() => Workflow.Begin<JsonElement>("broken")
        .AndThen("break", (JsonElement _, StepContext _, CancellationToken _) => Task.FromException<int>(new InvalidOperationException("out of ink")))
        .End();

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        return JsonElement.Parse(await response.Content.ReadAsByteArrayAsync(Stop), new JsonDocumentOptions { MaxDepth = 128 });
    }

    internal sealed record Order(string OrderId, decimal Amount);

    internal sealed record Decision(bool Approved, string? ManagerId = null);

    internal sealed record Outcome(bool Approved, string? ProcessedBy);
}
