using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Harness.Server.Tests.Dialects.VoltAgent;

public sealed partial class ApiPagesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LandingPageLeadsToTheDocumentation()
    {
        await using var app = await HarnessApp.StartAsync();

        using var response = await app.SendAsync(HttpMethod.Get, "/");

        Assert.Equal("text/html; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var page = await response.Content.ReadAsStringAsync(Stop);
        Assert.Contains("href=\"/ui\"", page);
        Assert.Contains("href=\"/doc\"", page);
    }

    [Fact]
    public async Task DocumentHasEveryRouteWithItsBody()
    {
        await using var app = await HarnessApp.StartAsync();

        var document = JsonElement.Parse(await app.Client.GetStringAsync("/doc", Stop));

        Assert.StartsWith("3.1", document.Text("openapi"));
        string[] routes =
        [
            "/agents", "/agents/{id}", "/agents/{id}/history", "/agents/{id}/text", "/agents/{id}/stream", "/agents/{id}/object",
            "/agents/{id}/stream-object", "/agents/{id}/executions/{executionId}/cancel", "/agents/{id}/executions/{executionId}/stream",
            "/api/v1/executions", "/api/v1/tests/execute", "/health",
        ];
        Assert.Superset(routes.ToHashSet(), document.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToHashSet());
        var body = document.GetProperty("paths").GetProperty("/agents/{id}/object").GetProperty("post").GetProperty("requestBody")
            .GetProperty("content").GetProperty("application/json");
        Assert.True(body.GetProperty("example").TryGetProperty("schema", out _));
        var temperature = body.GetProperty("schema").GetProperty("properties").GetProperty("options").GetProperty("properties").GetProperty("temperature");
        Assert.Equal((0, 1), (temperature.GetProperty("minimum").GetInt32(), temperature.GetProperty("maximum").GetInt32()));
    }

    [Theory]
    [InlineData("/ui")]
    [InlineData("/ui/")]
    [InlineData("/ui/index.html")]
    public async Task PageIsWholeWithoutTheInternet(string path)
    {
        await using var app = await HarnessApp.StartAsync();

        var page = await app.Client.GetStringAsync(path, Stop);
        var files = Link().Matches(page).Select(match => match.Groups[1].Value).ToList();

        Assert.Contains("<div id=\"swagger-ui\">", page);
        Assert.InRange(files.Count, 5, 20);
        foreach (var file in files)
        {
            Assert.DoesNotContain("://", file);
            using var response = await app.Client.GetAsync(new Uri(new Uri(app.Address, path), file), Stop);
            Assert.True(response.StatusCode == HttpStatusCode.OK, file);
            Assert.NotEqual("text/html", response.Content.Headers.ContentType?.MediaType);
        }
    }

    [Theory]
    [InlineData("/ui")]
    [InlineData("/ui/index.html")]
    [InlineData("/doc")]
    public async Task SwitchedOffNothingIsThere(string path)
    {
        await using var app = await HarnessApp.StartAsync(("Swagger", "false"));

        using var response = await app.SendAsync(HttpMethod.Get, path);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/doc")]
    [InlineData("/agents")]
    public async Task ServerWithKeysAsksForOneWhereItSaysSomethingOfItself(string path)
    {
        await using var app = await HarnessApp.StartAsync(("ApiKeys:0", "s3cret"));

        using var response = await app.SendAsync(HttpMethod.Get, path);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [GeneratedRegex("<(?:script|link)[^>]* (?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Link();
}
