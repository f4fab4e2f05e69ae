using System.Text.Json;

namespace Harness.Server.Tests.Dialects.VoltAgent;

/// <summary>The OpenAPI document against the routes that are really there.</summary>
public sealed class ApiDocumentTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryRouteOfAgentsAndWorkflowsSaysWhatItTakesAndAnswers()
    {
        await using var app = await HarnessApp.StartAsync();
        var document = JsonElement.Parse(await app.Client.GetStringAsync("/doc", Stop));
        var routes = app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .SelectMany(route => route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Select(
                method => (Path: $"/{route.RoutePattern.RawText!.Trim('/')}", Method: method.ToLowerInvariant())) ?? [])
            .Where(route => route.Path.StartsWith("/agents", StringComparison.Ordinal) || route.Path.StartsWith("/workflows", StringComparison.Ordinal))
            .ToList();

        Assert.Equal(22, routes.Count);
        Assert.All(routes, route =>
        {
            Assert.True(document.GetProperty("paths").TryGetProperty(route.Path, out var path), route.Path);
            var operation = path.GetProperty(route.Method);
            var responses = operation.GetProperty("responses").EnumerateObject().ToDictionary(response => response.Name, response => response.Value);
            Assert.Superset(new HashSet<string>(["200", "401", "403", "500"]), responses.Keys.ToHashSet());
            AssertAnswer(document, responses["200"], route.Path);
            Assert.All(responses.Where(response => response.Key[0] is '4' or '5'), response => AssertEnvelope(document, response.Value));
            Assert.Equal(route.Path.Contains('{'), responses.ContainsKey("404"));
            Assert.Equal(route.Method == "post", operation.TryGetProperty("requestBody", out var body));
            if (route.Method == "post")
            {
                Assert.NotEmpty(Schema(document, body).GetProperty("properties").EnumerateObject());
                Assert.True(Json(body).TryGetProperty("example", out _));
                Assert.Contains("413", responses.Keys);
            }
        });
    }

    [Theory]
    [InlineData("/workflows/{id}/execute", "post", "executionId", "startAt", "endAt", "status", "result", "suspension", "error")]
    [InlineData("/agents/{id}/text", "post", "text", "usage", "finishReason", "executionId")]
    [InlineData("/agents/{id}", "get", "id", "name", "tools", "subAgents", "instructions")]
    [InlineData("/agents/{id}/history", "get", "entries", "pagination")]
    [InlineData("/workflows/{id}/executions/{executionId}/cancel", "post", "executionId", "status", "cancelledAt", "reason")]
    public async Task DataOfAnAnswerIsDescribedMemberByMember(string path, string method, params string[] members)
    {
        await using var app = await HarnessApp.StartAsync();
        var document = JsonElement.Parse(await app.Client.GetStringAsync("/doc", Stop));

        var answer = document.GetProperty("paths").GetProperty(path).GetProperty(method).GetProperty("responses").GetProperty("200");

        var data = Resolve(document, Schema(document, answer).GetProperty("properties").GetProperty("data"));
        Assert.Superset(members.ToHashSet(), data.GetProperty("properties").EnumerateObject().Select(member => member.Name).ToHashSet());
    }

    [Fact]
    public async Task NumbersAreNumbersAndAnswersStandInOrder()
    {
        await using var app = await HarnessApp.StartAsync();
        var document = JsonElement.Parse(await app.Client.GetStringAsync("/doc", Stop));

        var count = document.GetProperty("components").GetProperty("schemas").GetProperty("CountAnswer").GetProperty("properties").GetProperty("count");
        var responses = document.GetProperty("paths").GetProperty("/workflows/{id}/execute").GetProperty("post").GetProperty("responses");

        var generation = document.GetProperty("components").GetProperty("schemas").GetProperty("GenerationAnswer");
        Assert.DoesNotContain("object", generation.GetProperty("required").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal("integer", count.Text("type"));
        Assert.False(count.TryGetProperty("pattern", out _));
        Assert.Equal(["200", "400", "401", "403", "404", "409", "413", "500", "503"], responses.EnumerateObject().Select(response => response.Name));
    }

    [Fact]
    public async Task QueriesOfListsAndStreamsAreDescribed()
    {
        await using var app = await HarnessApp.StartAsync();
        var paths = JsonElement.Parse(await app.Client.GetStringAsync("/doc", Stop)).GetProperty("paths");

        string[] Names(string path, string method = "get") => [.. paths.GetProperty(path).GetProperty(method).GetProperty("parameters").EnumerateArray()
            .Where(parameter => parameter.Text("in") == "query").Select(parameter => parameter.Text("name")!)];

        Assert.Equal(["page", "limit"], Names("/agents/{id}/history"));
        Assert.Equal(["page", "limit"], Names("/workflows/{id}/history"));
        Assert.Equal(["status", "userId", "from", "to", "offset", "limit", "workflowId"], Names("/workflows/executions"));
        Assert.Equal(["until", "fromSequence"], Names("/workflows/{id}/executions/{executionId}/stream"));
        Assert.Equal(["until"], Names("/workflows/{id}/stream", "post"));
    }

    private static void AssertAnswer(JsonElement document, JsonElement response, string path)
    {
        if (path.EndsWith("/stream", StringComparison.Ordinal) || path.EndsWith("/stream-object", StringComparison.Ordinal))
        {
            Assert.Equal("text/event-stream", Assert.Single(response.GetProperty("content").EnumerateObject()).Name);
            return;
        }

        var properties = Schema(document, response).GetProperty("properties");
        Assert.Equal(["success", "data"], properties.EnumerateObject().Select(member => member.Name));
        var data = Resolve(document, properties.GetProperty("data"));
        Assert.True(data.TryGetProperty("properties", out _) || data.TryGetProperty("items", out _), path);
    }

    private static void AssertEnvelope(JsonElement document, JsonElement response) => Assert.Equal(
        ["success", "error"], Schema(document, response).GetProperty("properties").EnumerateObject().Select(member => member.Name));

    private static JsonElement Schema(JsonElement document, JsonElement holder) => Resolve(document, Json(holder).GetProperty("schema"));

    private static JsonElement Json(JsonElement holder) => holder.GetProperty("content").GetProperty("application/json");

    private static JsonElement Resolve(JsonElement document, JsonElement schema) => schema.TryGetProperty("$ref", out var reference)
        ? document.GetProperty("components").GetProperty("schemas").GetProperty(reference.GetString()!["#/components/schemas/".Length..])
        : schema;
}
