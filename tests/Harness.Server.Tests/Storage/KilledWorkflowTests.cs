using System.Text;
using System.Text.Json;
using Harness.Server.Tests.Cli;
using Harness.Server.Tests.Dialects.VoltAgent.Workflows;
using Harness.Storage.Tests;

namespace Harness.Server.Tests.Storage;

/// <summary>A workflow that waits for a person while the server's process is killed.</summary>
public sealed class KilledWorkflowTests : IDisposable
{
    private readonly DataFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SuspendedWorkflowOutlivesAKillAndItsStreamGoesOnAfterTheLastEventThatWasSeen()
    {
        string[] args = ["--workflows", Repository.File("samples", "workflows"), "--data", _folder.NewOptions().Data];
        var seen = new List<JsonElement>();
        var (killed, address) = await HarnessExecutable.StartServerAsync(args);
        string id, lastId;
        await using (killed)
        {
            using var client = new HttpClient { BaseAddress = address };
            id = await StartAsync(client);
            lastId = await ReadAsync(client, id, lastEventId: null, seen, until: "workflow-suspended");
            killed.Kill();
        }

        var (process, back) = await HarnessExecutable.StartServerAsync(args);
        await using (process)
        {
            using var client = new HttpClient { BaseAddress = back };
            var state = await client.GetStringAsync($"/workflows/order-approval/executions/{id}/state", Stop);
            using var resume = await client.PostAsync(
                $"/workflows/order-approval/executions/{id}/resume", Json("""{"resumeData":{"approved":true,"managerId":"m"}}"""), Stop);
            var resumed = await resume.Content.ReadAsStringAsync(Stop);
            await ReadAsync(client, id, lastId, seen, until: "workflow-result");

            Assert.Contains("\"suspended\"", state);
            Assert.True(resume.IsSuccessStatusCode, resumed);
            var types = seen.ConvertAll(said => said.GetProperty("type").GetString());
            Assert.Equal("workflow-start", types[0]);
            Assert.Single(types, "workflow-suspended");
            Assert.Single(types, "workflow-resumed");
            Assert.Equal("workflow-resumed", types[types.IndexOf("workflow-suspended") + 1]);
            Assert.Equal("completed", seen[^1].GetProperty("status").GetString());
            Assert.All(seen, said => Assert.Equal(id, said.GetProperty("executionId").GetString()));
        }
    }

    public void Dispose() => _folder.Dispose();

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static async Task<string> StartAsync(HttpClient client)
    {
        using var answer = await client.PostAsync(
            "/workflows/order-approval/execute", Json("""{"input":{"orderId":"o1","amount":15000}}"""), Stop);
        var json = JsonElement.Parse(await answer.Content.ReadAsStringAsync(Stop));
        return json.GetProperty("data").GetProperty("executionId").GetString()!;
    }

    /// <summary>Events after an id, up to and with the first of a type.</summary>
    /// <returns>The last event's id.</returns>
    private static async Task<string> ReadAsync(HttpClient client, string id, string? lastEventId, List<JsonElement> seen, string until)
    {
        using var stream = await StreamOf.GetAsync(client, $"/workflows/order-approval/executions/{id}/stream", lastEventId);
        seen.AddRange(await stream.ReadUntilAsync(until));
        return stream.Ids[^1];
    }
}
