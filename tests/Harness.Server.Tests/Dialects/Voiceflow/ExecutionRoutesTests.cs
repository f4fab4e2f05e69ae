using System.Net;
using System.Text.Json.Nodes;
using Harness.Executions;

namespace Harness.Server.Tests.Dialects.Voiceflow;

public sealed class ExecutionRoutesTests : IAsyncLifetime
{
    private const string EmptySuite = """{"SUITE":{"name":"S","environment_name":"production","tests":[]}} and more""";

    private HarnessApp _app = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _app = await HarnessApp.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task StartedSuiteIsAcceptedAtOnce()
    {
        using var response = await _app.Client.PostAsync("/api/v1/tests/execute", new StringContent(EmptySuite), Stop);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var started = JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!.AsObject();
        Assert.Equal(["id", "status", "started_at", "logs"], started.Select(member => member.Key));
        Assert.True(Guid.TryParse((string?)started["id"], out _));
        Assert.Equal("running", (string?)started["status"]);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?Z$", (string?)started["started_at"]);
        Assert.Equal("""["Test execution started"]""", started["logs"]!.ToJsonString());
    }

    [Fact]
    public async Task EmptySuiteCompletesWithTheSeedsLines()
    {
        using var response = await _app.Client.PostAsync("/api/v1/tests/execute", new StringContent(EmptySuite), Stop);
        var id = (string)JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!["id"]!;
        Assert.True(_app.Executions.TryFind(id, out var execution));
        await execution.Completion.WaitAsync(Stop);

        var status = await GetStatusAsync(id);

        Assert.Equal("completed", (string?)status["status"]);
        var lines = status["logs"]!.AsArray().Select(line => (string?)line).ToList();
        Assert.Equal(["Starting test suite execution...", "Suite: S", "Environment: production"], lines.Take(3));
        Assert.Equal("Test suite execution completed successfully", lines[^1]);
    }

    [Fact]
    public async Task StatusIsTheDocumentOfTheExecution()
    {
        var execution = _app.Executions.Start(Plans.Ended(ExecutionStatus.Failed, "it <broke>"));
        await execution.Completion.WaitAsync(Stop);

        using var response = await _app.SendAsync(HttpMethod.Get, $"/api/v1/tests/status/{execution.Id}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal((await execution.DescribeAsync(cancellationToken: Stop)).ToArray(), await response.Content.ReadAsByteArrayAsync(Stop));
    }

    [Fact]
    public async Task CancelAnswersWithTheStatusAtOnceAndOnlyOnce()
    {
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var execution = _app.Executions.Start(Plans.Until(canceled, release.Task));

        using var first = await _app.SendAsync(HttpMethod.Post, $"/api/v1/tests/cancel/{execution.Id}");
        using var second = await _app.SendAsync(HttpMethod.Post, $"/api/v1/tests/cancel/{execution.Id}");
        release.SetResult();

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        var status = JsonNode.Parse(await first.Content.ReadAsStringAsync(Stop))!;
        Assert.Equal("cancelled", (string?)status["status"]);
        Assert.NotNull((string?)status["completed_at"]);
        Assert.Null(status["error"]);
        Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);
        Assert.Equal(
            """{"error":"Cannot cancel test execution","message":"Test execution is not running (current status: cancelled)"}""",
            await second.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData(ExecutionStatus.Completed, "completed")]
    [InlineData(ExecutionStatus.Failed, "failed")]
    public async Task FinishedExecutionCannotBeCanceled(ExecutionStatus status, string word)
    {
        var execution = _app.Executions.Start(Plans.Ended(status, status == ExecutionStatus.Failed ? "why" : null));
        await execution.Completion.WaitAsync(Stop);

        using var response = await _app.SendAsync(HttpMethod.Post, $"/api/v1/tests/cancel/{execution.Id}");

        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains($"(current status: {word})", await response.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task FullServerSaysSo()
    {
        await using var full = await HarnessApp.StartAsync(
            ("Harness:Executions:MaxConcurrent", "1"), ("Harness:Executions:MaxPending", "0"));
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        full.Executions.Start(Plans.Until(canceled, Task.CompletedTask));

        using var response = await full.Client.PostAsync("/api/v1/tests/execute", new StringContent(EmptySuite), Stop);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("Cannot start test execution", (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!["error"]);
    }

    private async Task<JsonNode> GetStatusAsync(string id) =>
        JsonNode.Parse(await _app.Client.GetStringAsync($"/api/v1/tests/status/{id}", Stop))!;
}
