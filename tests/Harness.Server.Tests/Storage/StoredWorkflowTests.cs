using System.Net;
using System.Text;
using System.Text.Json;
using Harness.Executions;
using Harness.Server.Tests.Dialects.VoltAgent.Workflows;
using Harness.Storage;
using Harness.Storage.Tests;
using Harness.Workflows;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harness.Server.Tests.Storage;

/// <summary>The workflow routes with a store behind them.</summary>
public sealed class StoredWorkflowTests : IDisposable
{
    private readonly DataFolder _folder = new();
    private readonly StoreOptions _options;

    public StoredWorkflowTests() => _options = _folder.NewOptions();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ListsReadNoResultsFromTheStoreAndStillShowWhatWorkflowsGave()
    {
        await using (var first = CreateStore())
        await using (var before = await StartAsync(first))
        {
            for (var i = 0; i < 3; i++)
            {
                using var answer = await PostAsync(before, $$$"""{"input":{"orderId":"o{{{i}}}","amount":5}}""");
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }

            await before.StopAsync();
        }

        await using var store = CreateStore();
        await using var app = await StartAsync(store);
        var history = JsonElement.Parse(await app.Client.GetStringAsync("/workflows/order-approval/history?page=1&limit=1", Stop)).GetProperty("data");
        var listed = JsonElement.Parse(await app.Client.GetStringAsync("/workflows/executions?limit=1&offset=1", Stop)).GetProperty("data");

        Assert.Equal("""{"page":1,"limit":1,"total":3,"totalPages":3}""", history.GetProperty("pagination").GetRawText());
        var shown = Assert.Single(history.GetProperty("executions").EnumerateArray());
        Assert.Equal("o1", shown.GetProperty("input").Text("orderId"));
        Assert.Equal("""{"approved":true,"processedBy":"system"}""", shown.GetProperty("output").GetRawText());
        Assert.Equal("""{"approved":true,"processedBy":"system"}""", Assert.Single(listed.EnumerateArray()).GetProperty("output").GetRawText());
        Assert.NotEmpty(store.Lists);
        Assert.All(store.Lists, filter => Assert.True(filter.WithoutDetails));
    }

    [Fact]
    public async Task OfTwoStartsAtOnceWithTheSameIdTheSecondIsAConflict()
    {
        await using var store = CreateStore();
        await using var app = await StartAsync(store);
        var (looking, both) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        store.Finding = _ =>
        {
            if (Interlocked.Increment(ref looking) == 2)
            {
                both.SetResult();
            }

            return both.Task.WaitAsync(Stop);
        };
        const string Order = """{"input":{"orderId":"o1","amount":15000},"options":{"executionId":"mine"}}""";

        var answers = await Task.WhenAll(PostAsync(app, Order), PostAsync(app, Order));

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Conflict], answers.Select(answer => answer.StatusCode).Order());
        var refusal = answers.Single(answer => answer.StatusCode == HttpStatusCode.Conflict);
        Assert.Contains("Workflow execution mine already exists", await refusal.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Array.ForEach(answers, answer => answer.Dispose());
    }

    private FaultyStore CreateStore() => new(StoreFactory.Create(_options, NullLoggerFactory.Instance, TimeProvider.System));

    private static Task<HarnessApp> StartAsync(FaultyStore store) =>
        HarnessApp.StartAsync(services => services.AddSingleton<IExecutionStore>(store).AddWorkflow(WorkflowApp.Approval()));

    private static async Task<HttpResponseMessage> PostAsync(HarnessApp app, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        return await app.Client.PostAsync("/workflows/order-approval/execute", content, Stop);
    }
}
