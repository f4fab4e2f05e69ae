using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Harness.Server.Tests.Dialects.Voiceflow;

public sealed class SystemTests : IAsyncLifetime
{
    private HarnessApp _app = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _app = await HarnessApp.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task HealthTellsTheTimeInWholeSeconds()
    {
        var health = await GetAsync("/health");

        Assert.Equal(["status", "time"], health.Select(member => member.Key));
        Assert.Equal("healthy", (string?)health["status"]);
        Assert.True(DateTimeOffset.TryParseExact(
            (string?)health["time"], "yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture, DateTimeStyles.None, out _));
    }

    [Fact]
    public async Task RunningServerIsReady()
    {
        var ready = await GetAsync("/health/ready");

        Assert.Equal("""{"status":"ready"}""", ready.ToJsonString());
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    public async Task HealthChecksMayAskForNoBody(string path)
    {
        using var response = await _app.SendAsync(HttpMethod.Head, path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Stop));
    }

    [Fact]
    public async Task SystemInfoKeepsTheMembersOldClientsRead()
    {
        var info = await GetAsync("/api/v1/system/info");

        Assert.Equal(["version", "go_version", "os", "arch", "runtime", "server"], info.Select(member => member.Key));
        Assert.Matches(@"^\d+\.\d+\.\d+$", (string?)info["version"]);
        Assert.Matches(@"^go\d", (string?)info["go_version"]);
        Assert.StartsWith(".NET 10.", (string?)info["runtime"]);
        Assert.Equal("Harness", (string?)info["server"]);
    }

    private async Task<JsonObject> GetAsync(string path)
    {
        using var response = await _app.SendAsync(HttpMethod.Get, path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(Stop))!.AsObject();
    }
}
