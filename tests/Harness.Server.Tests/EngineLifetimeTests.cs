using System.Net;
using System.Text.Json.Nodes;
using Harness.Executions;

namespace Harness.Server.Tests;

public sealed class EngineLifetimeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StoppingServerAnswersUntilItsExecutionsHaveEnded()
    {
        await using var app = await HarnessApp.StartAsync();
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var execution = app.Executions.Start(Plans.Until(canceled, release.Task));

        var stopping = app.StopAsync();
        await canceled.Task.WaitAsync(Stop);
        using var ready = await app.SendAsync(HttpMethod.Get, "/health/ready");
        using var alive = await app.SendAsync(HttpMethod.Get, "/health");
        using var status = await app.SendAsync(HttpMethod.Get, $"/api/v1/tests/status/{execution.Id}");
        Assert.False(stopping.IsCompleted);
        release.SetResult();
        await stopping;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        var reasons = JsonNode.Parse(await ready.Content.ReadAsStringAsync(Stop))!["reasons"]!.AsArray();
        Assert.Contains("stopping", (string?)Assert.Single(reasons));
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.Equal(HttpStatusCode.OK, status.StatusCode);
        Assert.True(execution.Completion.IsCompletedSuccessfully);
        Assert.Equal(ExecutionStatus.Canceled, execution.State.Status);
    }

    [Fact]
    public async Task BodyThatNeverEndsHoldsTheStopNoLongerThanItsLimit()
    {
        await using var app = await HarnessApp.StartAsync(("ShutdownTimeLimit", "00:00:00.050"));
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Executions.Start(Plans.Until(canceled, new TaskCompletionSource().Task));

        await app.StopAsync();

        Assert.True(canceled.Task.IsCompleted);
        Assert.Contains(app.Log.Lines, line => line.StartsWith("Warning Executions did not end within "));
    }
}
