using System.Net;
using System.Text.Json.Nodes;

namespace Harness.Server.Tests;

public sealed class ErrorAnswersTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FaultOfTheServerTellsClientsNothingAndTheLogEverything()
    {
        await using var app = await HarnessApp.StartAsync(services => services.AddSingleton<TimeProvider>(new BrokenClock()));

        using var response = await app.SendAsync(HttpMethod.Get, "/health", ("Origin", "http://localhost:3000"));

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal(["*"], response.Headers.GetValues("Access-Control-Allow-Origin"));
        var text = await response.Content.ReadAsStringAsync(Stop);
        Assert.Equal("Internal server error", (string?)JsonNode.Parse(text)!["error"]);
        Assert.DoesNotContain("spring", text);
        Assert.Contains(app.Log.Lines, line => line.Contains("The spring is broken"));
    }
}
